"""What a holding is valued at (docs/fees-and-margin.md L2): fresh, old, half known and unknown."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata.domain.dialect import STALE_AFTER, QuoteWire, TradeWire, is_stale
from orders.domain.matching.street import STREET_TTL_NS
from portfolio.domain.marks import Mark, mark_of
from portfolio.selectors import mark_prices, marks_of
from tests.marketdata.data_api import LiveCache, live

__all__ = ["live"]

NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def quoted(bid: str, ask: str, seconds: float = 1, *, stale: bool = False) -> QuoteWire:
    return QuoteWire(Decimal(bid), Decimal(1), Decimal(ask), Decimal(1), ago(seconds), stale=stale)


def traded(price: str, seconds: float = 1) -> TradeWire:
    return TradeWire(1, Decimal(price), Decimal(1), None, ago(seconds))


# Quote, trade → price, age in seconds, whether it is stale.
CASES = {
    "a fresh quote's middle, whatever traded since": (
        quoted("99", "101", 3), traded("105", 1), ("100", 3, False),
    ),
    "no middle with one side: the last trade": (
        quoted("0", "101"), traded("98", 2), ("98", 2, False),
    ),
    "the other side alone is none either": (
        quoted("99", "0"), traded("98", 2), ("98", 2, False),
    ),
    "one side alone is no mark": (quoted("0", "101"), None, None),
    "no quote": (None, traded("98", 60), ("98", 60, True)),
    "a quote told as stale, and a newer trade": (
        quoted("99", "101", 4, stale=True), traded("98", 2), ("98", 2, False),
    ),
    "a quote that is old without being told so": (
        quoted("99", "101", 6), traded("98", 5), ("98", 5, False),
    ),
    "all is old: the newer of the two, a trade": (
        quoted("99", "101", 90), traded("98", 80), ("98", 80, True),
    ),
    "all is old: the newer of the two, a middle": (
        quoted("99", "101", 70), traded("98", 80), ("100", 70, True),
    ),
    "an old quote is all there is": (quoted("99", "101", 600), None, ("100", 600, True)),
    "nothing": (None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_mark(name: str) -> None:
    quote, trade, expected = CASES[name]

    mark = mark_of(quote, trade, NOW)

    if expected is None:
        assert mark is None
    else:
        price, seconds, stale = expected
        assert mark == Mark(Decimal(price), ago(seconds), is_stale=stale)


def test_a_price_is_believed_as_long_as_the_engine_believes_one() -> None:
    assert timedelta(microseconds=STREET_TTL_NS // 1000) == STALE_AFTER
    assert not is_stale(quoted("1", "2", 5), NOW)
    assert is_stale(quoted("1", "2", 5.001), NOW)
    assert is_stale(traded("1", 5.001), NOW)


def test_holdings_are_valued_by_what_the_live_cache_has(live: LiveCache) -> None:
    t = NOW.isoformat()
    quote: dict[str, object] = {
        "bid": "0",
        "bid_size": "0",
        "ask": "10.02",
        "ask_size": "4",
        "t": t,
    }
    live.keep("quote:AAPL", quote)
    live.keep("quote:IBM", quote | {"bid": "10"})
    live.keep("quote:ACME", quote)
    live.keep("trade:AAPL", {"id": 1, "price": "9.5", "size": "1", "side": None, "t": t})

    marks = marks_of(["AAPL", "IBM", "ACME", "NONE"], NOW + timedelta(seconds=10))

    assert marks == {
        "AAPL": Mark(Decimal("9.5"), NOW, is_stale=True),
        "IBM": Mark(Decimal("10.01"), NOW, is_stale=True),
    }
    assert mark_prices(["AAPL", "ACME"]) == {"AAPL": Decimal("9.5")}
    assert mark_prices([]) == {}
