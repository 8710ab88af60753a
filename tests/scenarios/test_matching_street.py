"""When the street quotes: rules S1, S3, M1 of docs/matching.md, on both books."""

import pytest

from tests.reference.books import BOOKS
from tests.reference.market import Market

TTL_NS = 5_000_000_000


@pytest.fixture(params=list(BOOKS))
def market(request: pytest.FixtureRequest) -> Market:
    return Market(BOOKS[request.param]())


# S1, S3: the street


def test_quote_replaces_the_whole_street(market: Market) -> None:
    market.quote(bids="99x5 98x5", asks="101x5 102x5")

    market.quote(asks="102x1")

    assert (market.bids, market.asks) == ("", "102x1")


def test_empty_quote_empties_the_street(market: Market) -> None:
    market.quote(bids="99x5", asks="101x5")

    market.quote()

    assert (market.bids, market.asks) == ("", "")


@pytest.mark.parametrize("bids", ["102x1", "102x1 99x9"])
def test_crossed_quote_empties_the_street_and_fills_nobody(market: Market, bids: str) -> None:
    market.quote(bids="99x5", asks="103x5")
    market.place("charlie-1", "SELL 1 @ 101")
    market.place("charlie-2", "BUY 1 @ 99")

    assert market.quote(bids=bids, asks="101x7") == []

    assert (market.bids, market.asks) == ("99x1", "101x1")
    assert market.queue == ["charlie-2 BUY 1 @ 99 ahead 5", "charlie-1 SELL 1 @ 101 ahead 0"]
    assert market.place("alice-1", "BUY 2 MARKET") == [
        "1 @ 101 charlie-1 leaves 0",
        "LIQUIDITY_EXHAUSTED",
    ]


def test_locked_quote_shows_the_levels_that_do_not_lock(market: Market) -> None:
    market.quote(bids="100x5", asks="102x5")
    market.place("charlie-1", "BUY 1 @ 100")

    assert market.quote(bids="101x3 100x2", asks="101x7 103x4") == []

    assert (market.bids, market.asks) == ("100x3", "103x4")
    assert market.queue == ["charlie-1 BUY 1 @ 100 ahead 2"]


def test_quote_that_does_nothing_but_lock_leaves_no_old_price_to_trade_at(market: Market) -> None:
    market.quote(bids="100x5", asks="102x5")

    market.quote(bids="101x3", asks="101x3")

    assert (market.bids, market.asks) == ("", "")
    assert market.takeable("BUY 9 MARKET") == (0, 0)


def test_locked_quote_goes_through_an_order_beyond_its_lock(market: Market) -> None:
    market.place("charlie-1", "BUY 5 @ 103")
    market.place("alice-1", "BUY 5 @ 101")

    fills = market.quote(bids="101x3", asks="101x7 102x4")

    assert fills == ["charlie-1 4 @ 103 leaves 1"]
    assert market.asks == ""


@pytest.mark.parametrize(
    "asks",
    [
        "102x5 101x5",
        "101x5 101x5",
        "101x0",
        "101x5 102x-1",
        "0x5 101x5",
        " ".join(f"{price}x1" for price in range(101, 112)),
    ],
    ids=["out of order", "price twice", "empty", "negative", "free", "eleven levels"],
)
def test_malformed_quote_empties_the_street(market: Market, asks: str) -> None:
    market.quote(bids="99x5", asks="103x5")

    assert market.quote(bids="98x5", asks=asks) == []

    assert (market.bids, market.asks) == ("", "")


def test_ten_levels_a_side_are_kept(market: Market) -> None:
    bids = " ".join(f"{price}x1" for price in range(100, 90, -1))
    asks = " ".join(f"{price}x1" for price in range(101, 111))

    market.quote(bids, asks)

    assert (market.bids, market.asks) == (bids, asks)


def test_quote_after_a_refused_one_is_taken(market: Market) -> None:
    market.quote(bids="99x5", asks="101x5")
    market.place("charlie-1", "BUY 1 @ 99")
    market.quote(bids="102x5", asks="101x5")
    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 5"]

    market.quote(bids="99x4", asks="101x5")

    assert (market.bids, market.asks) == ("99x5", "101x5")
    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 4"]


def test_street_counts_up_to_its_time_to_live_and_not_longer(market: Market) -> None:
    market.quote(bids="99x5", asks="101x5")
    market.place("charlie-1", "BUY 1 @ 98")

    market.wait(TTL_NS)
    assert (market.bids, market.asks) == ("99x5 98x1", "101x5")
    assert market.takeable("BUY 9 MARKET") == (5, 505)

    market.wait(1)
    assert (market.bids, market.asks) == ("98x1", "")
    assert market.takeable("BUY 9 MARKET") == (0, 0)
    assert market.place("alice-1", "SELL 1 MARKET") == ["1 @ 98 charlie-1 leaves 0", "filled"]


def test_age_counts_from_when_the_quote_was_received(market: Market) -> None:
    market.quote(bids="99x5", age_seconds=4)
    assert market.bids == "99x5"

    market.wait(1_000_000_001)

    assert market.bids == ""


def test_new_quote_revives_a_silent_street(market: Market) -> None:
    market.quote(bids="99x5")
    market.wait(10 * TTL_NS)

    market.quote(bids="99x2")

    assert market.bids == "99x2"


def test_quote_that_arrives_expired_leaves_an_empty_street(market: Market) -> None:
    market.quote(bids="99x5", asks="103x5")
    market.place("charlie-1", "BUY 1 @ 99")
    market.place("charlie-2", "BUY 1 @ 101")

    assert market.quote(bids="99x5", asks="101x5", age_seconds=6) == []

    assert (market.bids, market.asks) == ("101x1 99x1", "")
    assert market.queue == ["charlie-2 BUY 1 @ 101 ahead 0", "charlie-1 BUY 1 @ 99 ahead 0"]


# M1: a quote goes through resting orders


def test_quote_through_a_bid_trades_at_the_orders_price_best_street_first(market: Market) -> None:
    market.place("alice-1", "BUY 5 @ 100")

    fills = market.quote(bids="98x1", asks="99x3 100x4 101x9")

    assert fills == ["alice-1 5 @ 100 leaves 0"]
    assert (market.bids, market.asks, market.queue) == ("98x1", "100x2 101x9", [])


def test_quote_through_an_offer_trades_at_the_orders_price(market: Market) -> None:
    market.place("alice-1", "SELL 5 @ 100")

    fills = market.quote(bids="102x2 101x1 99x7", asks="103x1")

    assert fills == ["alice-1 3 @ 100 leaves 2"]
    assert (market.bids, market.asks) == ("99x7", "100x2 103x1")


def test_quote_that_locks_an_order_trades_with_it(market: Market) -> None:
    market.place("alice-1", "BUY 5 @ 100")

    assert market.quote(asks="100x2") == ["alice-1 2 @ 100 leaves 3"]
    assert (market.bids, market.asks) == ("100x3", "")


def test_quote_one_tick_away_does_not_trade(market: Market) -> None:
    market.place("alice-1", "BUY 5 @ 100")

    assert market.quote(asks="101x2") == []
    assert (market.bids, market.asks) == ("100x5", "101x2")


def test_quote_through_fills_best_price_first_then_time(market: Market) -> None:
    market.place("alice-1", "BUY 2 @ 100")
    market.place("charlie-1", "BUY 2 @ 101")
    market.place("dave-1", "BUY 2 @ 100")

    fills = market.quote(asks="100x5")

    assert fills == [
        "charlie-1 2 @ 101 leaves 0",
        "alice-1 2 @ 100 leaves 0",
        "dave-1 1 @ 100 leaves 1",
    ]
    assert (market.bids, market.asks) == ("100x1", "")


def test_quote_through_uses_only_the_levels_that_cross_each_order(market: Market) -> None:
    market.place("charlie-1", "BUY 5 @ 101")
    market.place("alice-1", "BUY 5 @ 100")

    fills = market.quote(asks="100x3 101x4")

    assert fills == ["charlie-1 5 @ 101 leaves 0"]
    assert (market.bids, market.asks) == ("100x5", "101x2")


def test_quote_through_ignores_the_street_that_stood_ahead(market: Market) -> None:
    market.quote(bids="100x4")
    market.place("alice-1", "BUY 5 @ 100")

    assert market.quote(bids="98x4", asks="100x5") == ["alice-1 5 @ 100 leaves 0"]


def test_street_consumed_by_a_quote_through_is_gone_for_takers(market: Market) -> None:
    market.place("alice-1", "BUY 5 @ 100")
    market.quote(asks="100x7")

    fills = market.place("charlie-1", "BUY 9 @ 100 IOC")

    assert fills == ["2 @ 100 street", "IOC_REMAINDER"]


def test_partly_filled_by_a_quote_keeps_its_place(market: Market) -> None:
    market.place("alice-1", "BUY 5 @ 100")
    market.place("charlie-1", "BUY 5 @ 100")
    market.quote(asks="100x2")

    assert market.place("dave-1", "SELL 4 @ 100") == [
        "3 @ 100 alice-1 leaves 0",
        "1 @ 100 charlie-1 leaves 4",
        "filled",
    ]
