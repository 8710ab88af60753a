"""What becomes of an incoming order: rules F1-F4 and O1 of docs/matching.md, on both books."""

import pytest

from tests.reference.books import BOOKS
from tests.reference.market import Market


@pytest.fixture(params=list(BOOKS))
def market(request: pytest.FixtureRequest) -> Market:
    return Market(BOOKS[request.param]())


def test_market_order_sweeps_and_its_remainder_is_canceled(market: Market) -> None:
    market.quote(asks="101x2 150x3")
    market.place("charlie-1", "SELL 1 @ 120")

    fills = market.place("alice-1", "BUY 9 MARKET")

    assert fills == [
        "2 @ 101 street",
        "1 @ 120 charlie-1 leaves 0",
        "3 @ 150 street",
        "LIQUIDITY_EXHAUSTED",
    ]
    assert (market.bids, market.asks, market.queue) == ("", "", [])


def test_market_order_in_an_empty_book_is_canceled(market: Market) -> None:
    assert market.place("alice-1", "SELL 1 MARKET") == ["LIQUIDITY_EXHAUSTED"]
    assert (market.bids, market.asks) == ("", "")


@pytest.mark.parametrize("time_in_force", ["GTC", "DAY"])
def test_limit_order_rests_what_it_could_not_take(market: Market, time_in_force: str) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.quote(bids="100x7", asks="103x4")

    fills = market.place("alice-1", f"BUY 5 @ 101 {time_in_force}")

    assert fills == ["2 @ 101 charlie-1 leaves 0", "rests 3"]
    assert (market.bids, market.asks) == ("101x3 100x7", "103x4")
    assert market.queue == ["alice-1 BUY 3 @ 101 ahead 0"]


def test_marketable_limit_stops_at_its_own_price(market: Market) -> None:
    market.quote(asks="101x2 103x5")

    fills = market.place("alice-1", "BUY 5 @ 102")

    assert fills == ["2 @ 101 street", "rests 3"]
    assert (market.bids, market.asks) == ("102x3", "103x5")


def test_marketable_sell_limit_stops_at_its_own_price(market: Market) -> None:
    market.quote(bids="99x2 97x5")

    fills = market.place("alice-1", "SELL 5 @ 98")

    assert fills == ["2 @ 99 street", "rests 3"]
    assert (market.bids, market.asks) == ("97x5", "98x3")


def test_ioc_remainder_is_canceled(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 3 @ 102")
    market.place("charlie-3", "SELL 4 @ 103")

    fills = market.place("alice-1", "BUY 9 @ 102 IOC")

    assert fills == [
        "2 @ 101 charlie-1 leaves 0",
        "3 @ 102 charlie-2 leaves 0",
        "IOC_REMAINDER",
    ]
    assert (market.bids, market.asks) == ("", "103x4")
    assert market.cancel("alice-1") is None


def test_ioc_that_takes_nothing_leaves_the_book_alone(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")

    assert market.place("alice-1", "BUY 2 @ 100 IOC") == ["IOC_REMAINDER"]
    assert (market.bids, market.asks) == ("", "101x2")


def test_fok_one_lot_short_trades_nothing(market: Market) -> None:
    market.quote(asks="101x2 103x9")
    market.place("charlie-1", "SELL 3 @ 102")

    assert market.place("alice-1", "BUY 6 @ 102 FOK") == ["FOK_UNFILLABLE"]
    assert (market.bids, market.asks) == ("", "101x2 102x3 103x9")
    assert market.queue == ["charlie-1 SELL 3 @ 102 ahead 0"]


def test_fok_that_fits_exactly_fills_completely(market: Market) -> None:
    market.quote(asks="101x2 103x9")
    market.place("charlie-1", "SELL 3 @ 102")

    fills = market.place("alice-1", "BUY 5 @ 102 FOK")

    assert fills == ["2 @ 101 street", "3 @ 102 charlie-1 leaves 0", "filled"]
    assert (market.bids, market.asks) == ("", "103x9")


def test_fok_does_not_count_an_expired_street(market: Market) -> None:
    market.quote(asks="101x2")
    market.wait(5_000_000_001)

    assert market.place("alice-1", "BUY 2 @ 101 FOK") == ["FOK_UNFILLABLE"]


def test_order_that_reaches_the_accounts_own_order_is_refused(market: Market) -> None:
    market.place("charlie-1", "SELL 5 @ 100")
    market.place("alice-1", "SELL 5 @ 101")

    assert market.place("alice-2", "BUY 1 @ 101") == ["SELF_TRADE"]
    assert (market.bids, market.asks) == ("", "100x5 101x5")
    assert market.queue == [
        "charlie-1 SELL 5 @ 100 ahead 0",
        "alice-1 SELL 5 @ 101 ahead 0",
    ]


def test_sell_order_that_reaches_the_accounts_own_bid_is_refused(market: Market) -> None:
    market.place("alice-1", "BUY 5 @ 99")

    assert market.place("alice-2", "SELL 1 @ 99") == ["SELF_TRADE"]
    assert market.place("alice-3", "SELL 1 @ 100") == ["rests 1"]


def test_bob_cannot_trade_with_alice_on_their_shared_account(market: Market) -> None:
    market.place("alice-1", "SELL 5 @ 101")

    assert market.place("bob-1", "BUY 1 @ 101") == ["SELF_TRADE"]
    assert market.place("charlie-1", "BUY 1 @ 101") == ["1 @ 101 alice-1 leaves 4", "filled"]


def test_order_that_stops_short_of_the_accounts_own_order_trades(market: Market) -> None:
    market.place("charlie-1", "SELL 5 @ 100")
    market.place("alice-1", "SELL 5 @ 101")

    fills = market.place("alice-2", "BUY 6 @ 100")

    assert fills == ["5 @ 100 charlie-1 leaves 0", "rests 1"]


def test_market_order_against_the_accounts_own_resting_order_is_refused(market: Market) -> None:
    market.quote(asks="101x50")
    market.place("alice-1", "SELL 5 @ 900")

    assert market.place("alice-2", "BUY 1 MARKET") == ["SELF_TRADE"]
    assert market.asks == "101x50 900x5"


def test_own_orders_on_the_same_side_and_gone_orders_do_not_count(market: Market) -> None:
    market.place("alice-1", "BUY 1 @ 99")
    market.place("alice-2", "SELL 1 @ 101")
    market.cancel("alice-2")

    assert market.place("alice-3", "BUY 1 @ 101 IOC") == ["IOC_REMAINDER"]
    assert market.place("alice-4", "BUY 1 @ 99") == ["rests 1"]


def test_own_order_that_was_filled_does_not_count(market: Market) -> None:
    market.place("alice-1", "SELL 1 @ 101")
    market.place("charlie-1", "BUY 1 @ 101")
    market.place("charlie-2", "SELL 1 @ 101")

    assert market.place("alice-2", "BUY 1 @ 101") == ["1 @ 101 charlie-2 leaves 0", "filled"]
