"""Unmodified ccxt and ccxt.pro against a running gateway: prices, exactly as they were told."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.domain.clock import to_ns
from marketdata.domain.stored import TradeRow
from marketdata.models import Feed as StoredFeed
from marketdata.models import Instrument
from marketdata.services import save_trades
from tests.ccxt_client import exchange, live_exchange
from tests.contracts.data_gateway import BAR, BOOK, QUOTE, TRADE, Feed, Gateway, feed, gateway
from tests.live_portal import Key

__all__ = ["feed", "gateway"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_ccxt_pro_reads_books_and_bars_exactly(gateway: Gateway, feed: Feed) -> None:
    """Each book is a whole one: what the market took away does not stay."""
    heard = asyncio.run(_ccxt_hears(gateway, feed))

    assert heard["bars"] == [[1772465400000, 430.0, 431.5, 429.0, 430.25, 1200.0]]
    assert (heard["book"]["bids"], heard["book"]["asks"]) == ([[64247.0, 1.0]], [[64251.0, 0.3704]])
    assert (heard["trades"][-1]["price"], heard["trades"][-1]["side"]) == (430.48, "buy")


async def _ccxt_hears(gateway: Gateway, feed: Feed) -> dict[str, Any]:
    client = live_exchange(gateway.url, Key(gateway.key, gateway.secret))
    later = BOOK | {"bids": [["64247", "1"]]}

    async def heard(watch: Callable[[str], Any], topic: str, data: object) -> Any:
        """What one watch says after this was told, again until it listens."""
        task = asyncio.create_task(watch("BTC/USD"))
        while not task.done():
            feed.tell(topic, data)
            await asyncio.wait([task], timeout=0.2)
        return task.result()

    try:
        await heard(client.watch_order_book, "book:BTC/USD", BOOK)
        book = await heard(client.watch_order_book, "book:BTC/USD", later)
        while book["bids"][0][0] != 64247:  # the older one may have been told twice
            book = await heard(client.watch_order_book, "book:BTC/USD", later)
        return {
            "book": book,
            "bars": await heard(client.watch_ohlcv, "bar:BTC/USD:1Min", BAR),
            "trades": await heard(client.watch_trades, "trade:BTC/USD", TRADE),
        }
    finally:
        await client.close()


PAIR = "BTC/USD"
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def ccxt(gateway: Gateway) -> Any:  # Any: ccxt has no types
    return exchange(gateway.url, Key(gateway.key, gateway.secret))


def test_trades_of_the_past_are_read_exactly(ccxt: Any) -> None:
    pair = Instrument.objects.get(symbol=PAIR)
    source = StoredFeed.objects.create(name="tape", adapter="import")
    moment = to_ns(MIDNIGHT)
    save_trades(
        [
            TradeRow(pair.pk, moment + n * 10**6, n, 64_000 * 10**8 + n, n, side, source.pk)
            for n, side in enumerate((1, -1, 0), start=1)
        ]
    )

    trades = ccxt.fetch_trades(PAIR, since=moment // 10**6, limit=10_000)
    two = ccxt.fetch_trades(PAIR, since=moment // 10**6 + 2, limit=1)

    told = [(one["id"], one["timestamp"] - moment // 10**6, one["side"]) for one in trades]
    assert told == [("1", 1, "buy"), ("2", 2, "sell"), ("3", 3, None)]
    assert [str(one["info"]["p"]) for one in trades] == [f"64000.0000000{n}" for n in (1, 2, 3)]
    assert [one["id"] for one in two] == ["2"]


def test_the_newest_trade_and_bar_by_their_own_routes(ccxt: Any, feed: Feed) -> None:
    feed.tell(f"trade:{PAIR}", TRADE)
    feed.tell(f"bar:{PAIR}:1Min", BAR)

    newest = "marketPublicGetV1beta3CryptoLocLatest"
    trades = ccxt.fetch_trades(PAIR, params={"method": f"{newest}Trades"})
    bars = ccxt.fetch_ohlcv(PAIR, params={"method": f"{newest}Bars"})

    assert [(one["price"], one["amount"]) for one in trades] == [(430.48, 7)]
    assert bars == [[1772465400000, 430, 431.5, 429, 430.25, 1200]]


def test_book_and_tickers(ccxt: Any, feed: Feed) -> None:
    feed.tell(f"book:{PAIR}", BOOK)
    feed.tell(f"quote:{PAIR}", QUOTE)
    feed.tell(f"trade:{PAIR}", TRADE)

    book = ccxt.fetch_order_book(PAIR)
    ticker = ccxt.fetch_ticker(PAIR)
    tickers = ccxt.fetch_tickers([PAIR, "ETH/USD"])

    assert (book["bids"], book["asks"]) == ([[64248, 0.5518]], [[64251, 0.3704]])
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (430.46, 430.48, 430.48)
    assert ticker["previousClose"] == 64250
    assert sorted(tickers) == [PAIR, "ETH/USD"]
    assert tickers["ETH/USD"]["bid"] is None


def test_every_timeframe_but_three_days_which_the_dialect_has_not(ccxt: Any) -> None:
    since = ccxt.milliseconds() - 40 * 86_400_000

    for timeframe in sorted(ccxt.timeframes.keys() - {"3d"}):
        bars = ccxt.fetch_ohlcv(PAIR, timeframe, since=since, limit=3)

        starts = [bar[0] for bar in bars]
        assert bars, timeframe
        assert starts == sorted(set(starts))
        assert all(low <= min(open_, close) <= high for _, open_, high, low, close, _ in bars)
    with pytest.raises(Exception, match="invalid timeframe") as refused:
        ccxt.fetch_ohlcv(PAIR, "3d")
    assert type(refused.value).__name__ == "BadRequest"


def test_ccxt_pro_hears_tickers(gateway: Gateway, feed: Feed) -> None:
    ticker = asyncio.run(_ticker(gateway, feed))

    assert (ticker["bid"], ticker["askVolume"], ticker["datetime"]) == (
        430.46,
        69,
        "2026-03-02T15:30:00.123456Z",
    )


async def _ticker(gateway: Gateway, feed: Feed) -> Any:
    client = live_exchange(gateway.url, Key(gateway.key, gateway.secret))
    try:
        heard = asyncio.create_task(client.watch_ticker(PAIR))
        while not heard.done():
            feed.tell(f"quote:{PAIR}", QUOTE)
            await asyncio.wait([heard], timeout=0.2)
        return heard.result()
    finally:
        await client.close()
