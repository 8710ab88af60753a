"""How an incoming order walks the book: rules S2, Q3, T1-T3 of docs/matching.md, on both books."""

import pytest

from tests.reference.books import BOOKS
from tests.reference.market import Market, order_id_of


@pytest.fixture(params=list(BOOKS))
def market(request: pytest.FixtureRequest) -> Market:
    return Market(BOOKS[request.param]())


def test_street_ahead_is_taken_before_the_resting_order(market: Market) -> None:
    market.quote(asks="101x5 102x8")
    market.place("charlie-1", "SELL 3 @ 101")

    fills = market.place("alice-1", "BUY 9 @ 102")

    assert fills == [
        "5 @ 101 street",
        "3 @ 101 charlie-1 leaves 0",
        "1 @ 102 street",
        "filled",
    ]
    assert (market.bids, market.asks, market.queue) == ("", "102x7", [])


def test_street_ahead_is_taken_before_the_resting_bid(market: Market) -> None:
    market.quote(bids="99x5 98x8")
    market.place("charlie-1", "BUY 3 @ 99")

    fills = market.place("alice-1", "SELL 9 @ 98")

    assert fills == ["5 @ 99 street", "3 @ 99 charlie-1 leaves 0", "1 @ 98 street", "filled"]
    assert (market.bids, market.asks, market.queue) == ("98x7", "", [])


def test_street_stands_between_two_resting_orders(market: Market) -> None:
    market.quote(asks="101x5")
    market.place("charlie-1", "SELL 3 @ 101")
    market.quote(asks="101x9")
    market.place("dave-1", "SELL 2 @ 101")

    fills = market.place("alice-1", "BUY 13 @ 101")

    assert fills == [
        "5 @ 101 street",
        "3 @ 101 charlie-1 leaves 0",
        "4 @ 101 street",
        "1 @ 101 dave-1 leaves 1",
        "filled",
    ]
    assert market.asks == "101x1"
    assert market.queue == ["dave-1 SELL 1 @ 101 ahead 0"]


def test_street_that_joined_behind_an_order_waits_for_it(market: Market) -> None:
    market.quote(asks="101x5")
    market.place("charlie-1", "SELL 3 @ 101")
    market.quote(asks="101x9")
    market.place("dave-1", "SELL 2 @ 101")
    market.quote(asks="101x20")

    fills = market.place("alice-1", "BUY 15 @ 101")

    assert fills == [
        "5 @ 101 street",
        "3 @ 101 charlie-1 leaves 0",
        "4 @ 101 street",
        "2 @ 101 dave-1 leaves 0",
        "1 @ 101 street",
        "filled",
    ]
    assert (market.asks, market.queue) == ("101x10", [])


def test_street_behind_the_last_resting_order_is_taken_after_it(market: Market) -> None:
    market.quote(asks="101x2")
    market.place("charlie-1", "SELL 3 @ 101")
    market.quote(asks="101x6")

    fills = market.place("alice-1", "BUY 10 @ 101")

    assert fills == [
        "2 @ 101 street",
        "3 @ 101 charlie-1 leaves 0",
        "4 @ 101 street",
        "rests 1",
    ]
    assert (market.bids, market.asks) == ("101x1", "")


def test_taker_that_ends_within_the_street_ahead_fills_no_order(market: Market) -> None:
    market.quote(asks="101x5")
    market.place("charlie-1", "SELL 3 @ 101")

    fills = market.place("alice-1", "BUY 5 @ 101")

    assert fills == ["5 @ 101 street", "filled"]
    assert market.queue == ["charlie-1 SELL 3 @ 101 ahead 0"]


def test_expired_street_ahead_does_not_hold_up_the_resting_order(market: Market) -> None:
    market.quote(asks="101x5")
    market.place("charlie-1", "SELL 3 @ 101")
    market.wait(5_000_000_001)

    fills = market.place("alice-1", "BUY 2 @ 101")

    assert fills == ["2 @ 101 charlie-1 leaves 1", "filled"]
    assert market.queue == ["charlie-1 SELL 1 @ 101 ahead 5"]


def test_earlier_order_with_more_street_ahead_still_goes_first(market: Market) -> None:
    market.quote(asks="101x5")
    market.place("charlie-1", "SELL 3 @ 101")
    market.wait(5_000_000_001)
    market.place("dave-1", "SELL 2 @ 101")
    market.quote(asks="101x8")
    assert market.queue == [
        "charlie-1 SELL 3 @ 101 ahead 5",
        "dave-1 SELL 2 @ 101 ahead 0",
    ]

    fills = market.place("alice-1", "BUY 9 @ 101")

    assert fills == [
        "5 @ 101 street",
        "3 @ 101 charlie-1 leaves 0",
        "1 @ 101 dave-1 leaves 1",
        "filled",
    ]
    assert market.asks == "101x4"


def test_buyer_trades_at_the_makers_price(market: Market) -> None:
    market.place("charlie-1", "SELL 3 @ 101")

    fills = market.place("alice-1", "BUY 3 @ 105")

    assert fills == ["3 @ 101 charlie-1 leaves 0", "filled"]


def test_seller_trades_at_the_makers_price(market: Market) -> None:
    market.place("charlie-1", "BUY 3 @ 99")

    fills = market.place("alice-1", "SELL 3 @ 90")

    assert fills == ["3 @ 99 charlie-1 leaves 0", "filled"]


def test_street_run_over_a_canceled_order_is_one_fill(market: Market) -> None:
    market.quote(asks="101x5")
    market.place("charlie-1", "SELL 3 @ 101")
    market.quote(asks="101x9")
    market.place("dave-1", "SELL 2 @ 101")
    market.cancel("charlie-1")

    fills = market.place("alice-1", "BUY 9 @ 101")

    assert fills == ["9 @ 101 street", "filled"]
    assert market.queue == ["dave-1 SELL 2 @ 101 ahead 0"]


def test_street_levels_are_one_fill_each(market: Market) -> None:
    market.quote(asks="101x1 102x2 104x3")

    fills = market.place("alice-1", "BUY 6 MARKET")

    assert fills == ["1 @ 101 street", "2 @ 102 street", "3 @ 104 street", "filled"]


def test_taken_street_stays_gone_until_the_next_quote(market: Market) -> None:
    market.quote(asks="101x5 102x1")
    market.place("alice-1", "BUY 3 @ 101")
    assert market.asks == "101x2 102x1"

    assert market.place("alice-2", "BUY 3 @ 101 IOC") == ["2 @ 101 street", "IOC_REMAINDER"]
    assert market.asks == "102x1"

    market.quote(asks="101x5")
    assert market.asks == "101x5"


def test_taking_street_moves_every_order_at_that_price_up(market: Market) -> None:
    market.quote(asks="101x5 102x5")
    market.place("charlie-1", "SELL 3 @ 101")
    market.place("dave-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 1 @ 102")

    market.place("alice-1", "BUY 2 @ 101")

    assert market.queue == [
        "charlie-1 SELL 3 @ 101 ahead 3",
        "dave-1 SELL 2 @ 101 ahead 3",
        "charlie-2 SELL 1 @ 102 ahead 5",
    ]


def test_better_prices_go_first_and_time_decides_within_a_price(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 102")
    market.place("dave-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 2 @ 101")

    fills = market.place("alice-1", "BUY 5 @ 102")

    assert fills == [
        "2 @ 101 dave-1 leaves 0",
        "2 @ 101 charlie-2 leaves 0",
        "1 @ 102 charlie-1 leaves 1",
        "filled",
    ]


def test_sweep_ends_exactly_at_a_level(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 3 @ 102")
    market.place("charlie-3", "SELL 4 @ 103")

    fills = market.place("alice-1", "BUY 5 @ 103 IOC")

    assert fills == [
        "2 @ 101 charlie-1 leaves 0",
        "3 @ 102 charlie-2 leaves 0",
        "filled",
    ]
    assert (market.asks, market.queue) == ("103x4", ["charlie-3 SELL 4 @ 103 ahead 0"])


def test_partly_filled_maker_keeps_its_place(market: Market) -> None:
    market.place("charlie-1", "SELL 5 @ 101")
    market.place("dave-1", "SELL 5 @ 101")
    market.place("alice-1", "BUY 2 @ 101")

    fills = market.place("alice-2", "BUY 4 @ 101")

    assert fills == ["3 @ 101 charlie-1 leaves 0", "1 @ 101 dave-1 leaves 4", "filled"]


def test_takeable_tells_what_a_take_would_get_and_changes_nothing(market: Market) -> None:
    market.quote(asks="101x5 103x8")
    market.place("charlie-1", "SELL 3 @ 101")
    market.place("charlie-2", "SELL 2 @ 102")

    assert market.takeable("BUY 4 @ 101") == (4, 4 * 101)
    assert market.takeable("BUY 99 @ 101") == (8, 8 * 101)
    assert market.takeable("BUY 99 @ 102") == (10, 8 * 101 + 2 * 102)
    assert market.takeable("BUY 12 MARKET") == (12, 8 * 101 + 2 * 102 + 2 * 103)
    assert market.takeable("BUY 99 MARKET") == (18, 8 * 101 + 2 * 102 + 8 * 103)
    assert market.takeable("BUY 1 @ 100") == (0, 0)
    assert market.takeable("SELL 1 MARKET") == (0, 0)

    assert market.asks == "101x8 102x2 103x8"
    assert market.queue == [
        "charlie-1 SELL 3 @ 101 ahead 5",
        "charlie-2 SELL 2 @ 102 ahead 0",
    ]


@pytest.mark.parametrize("side, price", [("BUY", 1), ("SELL", 10**28)])
def test_prices_and_quantities_at_the_types_limits(market: Market, side: str, price: int) -> None:
    taker_side = "SELL" if side == "BUY" else "BUY"
    quantity = 10**28
    market.place("charlie-1", f"{side} {quantity} @ {price}")

    assert market.takeable(f"{taker_side} {quantity} @ {price}") == (quantity, quantity * price)
    fills = market.place("alice-1", f"{taker_side} {quantity - 1} @ {price}")

    assert fills == [f"{quantity - 1} @ {price} charlie-1 leaves 1", "filled"]
    assert market.queue == [f"charlie-1 {side} 1 @ {price} ahead 0"]


def test_sweep_of_five_thousand_orders_fills_each_once_in_order(market: Market) -> None:
    book, now_ns = market.book, market.now_ns
    makers = [(order_id_of(f"charlie-{n}"), 101 + n % 50) for n in range(5_000)]
    for order_id, price in makers:
        book.rest(order_id, 2, "SELL", price, 1, now_ns)

    fills = book.take("BUY", 150, 5_000, now_ns)

    in_order = sorted(makers, key=lambda maker: maker[1])
    assert fills == [(order_id, 2, price, 1, 0) for order_id, price in in_order]
    assert (market.asks, market.queue) == ("", [])
    assert book.best("SELL", now_ns) is None
