"""Our adapters read the history of a second portal: its bars are the bars that it has stored, which
are read from its own database.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from core.domain.clock import SystemClock, to_ns
from marketdata.domain.bars import Bar
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.timeframes import Timeframe, Unit
from tests.contracts.test_second_instance import PAIR, STOCK, Exact, setup
from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-backfills")
    return live_portal.create_key("alice-backfills", scopes="read")


def stored(
    portal: LivePortal, symbol: str, timeframe: str, start: datetime, end: datetime
) -> list[Exact]:
    with psycopg.connect(portal.database_url) as connection:
        rows = connection.execute(
            "SELECT start, open, high, low, close, volume, trade_count, vwap FROM marketdata_bar"
            " JOIN marketdata_instrument i ON i.id = instrument_id WHERE symbol = %s"
            " AND timeframe = %s AND start >= %s AND start < %s ORDER BY start",
            (symbol, timeframe, start, end),
        ).fetchall()
    return [(to_ns(row[0]), *row[1:]) for row in rows]


async def backfilled(pages: AsyncIterator[Sequence[Bar]]) -> list[Bar]:
    return [bar async for page in pages for bar in page]


def terms(bar: Bar) -> Exact:
    prices = (bar.open, bar.high, bar.low, bar.close)
    return (bar.start_ns, *prices, bar.volume, bar.trade_count, bar.vwap)


@pytest.mark.parametrize("symbol", [STOCK, PAIR])
def test_bars_of_history_are_the_stored_bars(
    live_portal: LivePortal, key: Key, symbol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketdata.feeds.alpaca import history

    monkeypatch.setattr(history, "PAGE_LIMIT", 50)  # so that there are pages
    historian = history.AlpacaHistorian(setup(live_portal, key, "alpaca"))
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    day = end.replace(hour=0, minute=0)

    for timeframe, start in (
        (Timeframe(1, Unit.MINUTE), end - timedelta(hours=3)),
        (Timeframe(1, Unit.DAY), day - timedelta(days=60)),
    ):
        until = end if timeframe.unit is Unit.MINUTE else day
        bars = asyncio.run(backfilled(historian.bars(symbol, timeframe, start, until)))

        assert len(bars) > 30
        assert [terms(bar) for bar in bars] == stored(
            live_portal, symbol, str(timeframe), start, until
        )


def test_bars_through_ccxt_are_the_stored_bars(live_portal: LivePortal, key: Key) -> None:
    from marketdata.feeds.ccxt_exchange.history import CcxtHistorian

    historian = CcxtHistorian(setup(live_portal, key, "ccxt"))
    end = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    start = end - timedelta(hours=2)

    bars = asyncio.run(backfilled(historian.bars(PAIR, Timeframe(1, Unit.MINUTE), start, end)))

    there = stored(live_portal, PAIR, "1Min", start, end)
    assert len(bars) > 60
    assert [terms(bar)[:6] for bar in bars] == [row[:6] for row in there]


def test_an_open_bar_is_not_taken_for_a_closed_one(live_portal: LivePortal, key: Key) -> None:
    from marketdata.feeds.alpaca.history import AlpacaHistorian

    historian = AlpacaHistorian(setup(live_portal, key, "alpaca"))
    now = SystemClock().now()
    minute = Timeframe(1, Unit.MINUTE)

    bars = asyncio.run(backfilled(historian.bars(STOCK, minute, now - timedelta(minutes=5), now)))

    assert all(bar.start_ns + 60_000_000_000 <= to_ns(now) for bar in bars)


def test_history_with_a_wrong_key_is_away(live_portal: LivePortal, key: Key) -> None:
    from marketdata.feeds.alpaca.history import AlpacaHistorian

    historian = AlpacaHistorian(setup(live_portal, Key(key.key_id, "x" * 43), "alpaca"))
    start = datetime(2026, 3, 2, tzinfo=UTC)
    pages = historian.bars(STOCK, Timeframe(1, Unit.DAY), start, start + timedelta(days=5))

    with pytest.raises(FeedAwayError, match="history cannot be read"):
        asyncio.run(backfilled(pages))
