"""Orders at rest: cancel (C1), queue position beside the street (Q1, Q2), ids; on both books."""

import pytest

from tests.reference.books import BOOKS
from tests.reference.market import Market


@pytest.fixture(params=list(BOOKS))
def market(request: pytest.FixtureRequest) -> Market:
    return Market(BOOKS[request.param]())


def test_cancel_in_the_middle_keeps_the_others_in_order(market: Market) -> None:
    for number in (1, 2, 3):
        market.place(f"charlie-{number}", "SELL 2 @ 101")

    assert market.cancel("charlie-2") == 2
    assert market.asks == "101x4"
    fills = market.place("alice-1", "BUY 9 @ 101 IOC")

    assert fills == [
        "2 @ 101 charlie-1 leaves 0",
        "2 @ 101 charlie-3 leaves 0",
        "IOC_REMAINDER",
    ]


def test_cancel_at_the_head_moves_the_next_order_up(market: Market) -> None:
    for number in (1, 2, 3):
        market.place(f"charlie-{number}", "BUY 2 @ 99")

    assert market.cancel("charlie-1") == 2
    fills = market.place("alice-1", "SELL 3 @ 99")

    assert fills == ["2 @ 99 charlie-2 leaves 0", "1 @ 99 charlie-3 leaves 1", "filled"]


def test_cancel_at_the_tail_does_not_stop_later_orders(market: Market) -> None:
    market.place("charlie-1", "BUY 2 @ 99")
    market.place("charlie-2", "BUY 2 @ 99")

    market.cancel("charlie-2")
    market.place("charlie-3", "BUY 2 @ 99")

    assert market.queue == ["charlie-1 BUY 2 @ 99 ahead 0", "charlie-3 BUY 2 @ 99 ahead 0"]


def test_scattered_cancels_in_a_deep_queue_leave_the_rest_in_time_order(market: Market) -> None:
    for number in range(60):
        market.place(f"charlie-{number}", "SELL 1 @ 101")
    left = [number for number in range(60) if number % 7 in (1, 2, 5)]

    for number in reversed(range(60)):
        if number not in left:
            assert market.cancel(f"charlie-{number}") == 1
    fills = market.place("alice-1", f"BUY {len(left)} @ 101")

    assert fills == [f"1 @ 101 charlie-{number} leaves 0" for number in left] + ["filled"]
    assert market.asks == ""


def test_cancel_of_the_best_order_leaves_no_phantom_level(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 2 @ 103")

    market.cancel("charlie-1")

    assert (market.asks, market.takeable("BUY 9 @ 102")) == ("103x2", (0, 0))
    assert market.place("alice-1", "BUY 1 @ 102") == ["rests 1"]


def test_cancel_of_a_price_in_the_middle_leaves_the_prices_around_it(market: Market) -> None:
    for number, price in enumerate((101, 102, 103)):
        market.place(f"charlie-{number}", f"SELL 2 @ {price}")
        market.place(f"dave-{number}", f"BUY 2 @ {200 - price}")

    market.cancel("charlie-1")
    market.cancel("dave-1")

    assert (market.bids, market.asks) == ("99x2 97x2", "101x2 103x2")


def test_canceled_level_can_be_used_again(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.cancel("charlie-1")

    market.place("charlie-2", "SELL 5 @ 101")

    assert (market.asks, market.queue) == ("101x5", ["charlie-2 SELL 5 @ 101 ahead 0"])


def test_cancel_after_a_partial_fill_removes_the_leaves(market: Market) -> None:
    market.place("charlie-1", "SELL 5 @ 101")
    market.place("alice-1", "BUY 2 @ 101")

    assert market.cancel("charlie-1") == 3
    assert (market.asks, market.queue) == ("", [])


def test_order_filled_by_a_taker_cannot_be_canceled(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 2 @ 101")
    market.place("alice-1", "BUY 2 @ 101")

    assert market.cancel("charlie-1") is None
    assert market.queue == ["charlie-2 SELL 2 @ 101 ahead 0"]


def test_order_filled_by_the_street_cannot_be_canceled(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.street_trade("BUY 2 @ 102")
    market.place("charlie-2", "SELL 2 @ 101")
    market.quote(bids="101x2")

    assert market.cancel("charlie-1") is None
    assert market.cancel("charlie-2") is None


def test_order_cannot_be_canceled_twice(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")

    assert market.cancel("charlie-1") == 2
    assert market.cancel("charlie-1") is None


def test_unknown_order_cannot_be_canceled(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")

    assert market.cancel("charlie-9") is None
    assert market.asks == "101x2"


def test_order_that_was_filled_on_arrival_cannot_be_canceled(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("alice-1", "BUY 2 @ 101")

    assert market.cancel("alice-1") is None


def test_id_used_again_after_a_cancel_goes_to_the_back(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("charlie-2", "SELL 2 @ 101")
    market.cancel("charlie-1")

    market.place("charlie-1", "SELL 4 @ 101")

    assert market.queue == ["charlie-2 SELL 2 @ 101 ahead 0", "charlie-1 SELL 4 @ 101 ahead 0"]
    assert market.cancel("charlie-1") == 4


def test_id_used_again_after_a_fill_is_a_new_order(market: Market) -> None:
    market.place("charlie-1", "SELL 2 @ 101")
    market.place("alice-1", "BUY 2 @ 101")

    market.place("charlie-1", "BUY 7 @ 99")

    assert market.queue == ["charlie-1 BUY 7 @ 99 ahead 0"]
    assert market.cancel("charlie-1") == 7
    assert (market.bids, market.asks) == ("", "")


def test_residual_becomes_the_best_price(market: Market) -> None:
    market.quote(bids="99x4", asks="104x4")
    market.place("charlie-1", "SELL 2 @ 101")

    assert market.place("alice-1", "BUY 5 @ 101") == ["2 @ 101 charlie-1 leaves 0", "rests 3"]
    assert (market.bids, market.asks) == ("101x3 99x4", "104x4")


def test_street_shown_at_the_price_stands_ahead(market: Market) -> None:
    market.quote(bids="99x4 98x6", asks="101x5")

    market.place("charlie-1", "BUY 1 @ 99")
    market.place("charlie-2", "BUY 1 @ 98")
    market.place("charlie-3", "BUY 1 @ 100")
    market.place("charlie-4", "SELL 1 @ 101")

    assert market.queue == [
        "charlie-3 BUY 1 @ 100 ahead 0",
        "charlie-1 BUY 1 @ 99 ahead 4",
        "charlie-2 BUY 1 @ 98 ahead 6",
        "charlie-4 SELL 1 @ 101 ahead 5",
    ]


def test_street_that_was_taken_does_not_stand_ahead(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("alice-1", "SELL 3 @ 99")

    market.place("charlie-1", "BUY 1 @ 99")

    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 1"]


def test_other_orders_at_the_price_are_not_counted_as_ahead(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("charlie-1", "BUY 10 @ 99")

    market.place("charlie-2", "BUY 1 @ 99")

    assert market.bids == "99x15"
    assert market.queue == ["charlie-1 BUY 10 @ 99 ahead 4", "charlie-2 BUY 1 @ 99 ahead 4"]


def test_expired_street_does_not_stand_ahead(market: Market) -> None:
    market.quote(bids="99x4")
    market.wait(5_000_000_001)

    market.place("charlie-1", "BUY 1 @ 99")

    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 0"]


def test_street_that_shrinks_moves_the_order_up(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("charlie-1", "BUY 1 @ 99")

    market.quote(bids="99x3")
    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 3"]

    market.quote(bids="99x50")
    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 3"]


def test_street_that_shrinks_again_and_again_moves_the_order_up_each_time(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("charlie-1", "BUY 1 @ 99")

    for quantity in (3, 2, 1):
        market.quote(bids=f"99x{quantity}")

        assert market.queue == [f"charlie-1 BUY 1 @ 99 ahead {quantity}"]


def test_street_that_shrinks_moves_up_only_the_orders_behind_it(market: Market) -> None:
    market.quote(bids="99x2")
    market.place("charlie-1", "BUY 1 @ 99")
    market.quote(bids="99x6")
    market.place("dave-1", "BUY 1 @ 99")

    market.quote(bids="99x4")

    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 2", "dave-1 BUY 1 @ 99 ahead 4"]


def test_street_that_leaves_the_price_leaves_nothing_ahead(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("charlie-1", "BUY 1 @ 99")

    market.quote(bids="98x4")
    market.quote(bids="99x4")

    assert market.queue == ["charlie-1 BUY 1 @ 99 ahead 0"]


def test_cancel_leaves_the_other_orders_ahead_alone(market: Market) -> None:
    market.quote(bids="99x4")
    market.place("charlie-1", "BUY 10 @ 99")
    market.place("dave-1", "BUY 1 @ 99")

    market.cancel("charlie-1")

    assert market.queue == ["dave-1 BUY 1 @ 99 ahead 4"]
    assert market.bids == "99x5"
