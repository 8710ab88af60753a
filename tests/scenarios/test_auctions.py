"""Auctions: what waits for them, the one price, who trades with whom, what becomes of the rest."""

import pytest

from orders.engine.auctions import indicative
from tests.simulation.floor import SECOND_NS, Floor

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 50 shares each, last traded at 100; the street is silent."""
    floor = Floor("100000")
    floor.give("alice", "50", "100")
    floor.give("charlie", "50", "100")
    return floor


@pytest.fixture
def closed(floor: Floor) -> Floor:
    """The market opens in an hour, for an hour; and tomorrow again."""
    floor.set_sessions((HOUR, 2 * HOUR), (DAY, DAY + HOUR))
    return floor


def wait(floor: Floor, seconds: int) -> list[str]:
    """Time passes, the engine's clock ticks; what happened."""
    floor.wait(seconds * SECOND_NS)
    floor.expire()
    floor.check()
    return floor.events


# --- K3, X4: collecting


@pytest.mark.parametrize("tif", ["DAY", "GTC", "OPG", "CLS"])
def test_order_waits_for_the_opening_and_holds_its_means(closed: Floor, tif: str) -> None:
    assert closed.place("alice-1", f"BUY 5 @ 99 {tif}") == "QUEUED 0/5"

    assert closed.events == ["alice-1 OrderQueued QUEUED 0/5"]
    assert closed.cash("alice") == "95000 (495 locked)"
    assert list(closed.state.instruments["AAPL"].book.resting()) == []
    closed.check()


def test_market_order_waits_with_its_collar(closed: Floor) -> None:
    closed.place("alice-1", "BUY 5 MARKET DAY")
    assert closed.account_events[0].order.limit_price == "105"  # type: ignore[union-attr]
    assert closed.cash("alice") == "95000 (525 locked)"

    closed.place("charlie-1", "SELL 5 MARKET DAY")

    assert closed.account_events[0].order.limit_price == "95"  # type: ignore[union-attr]
    assert closed.position("charlie") == "50 (5 locked) for 5000 realized 0"


def test_market_order_without_any_price_is_refused() -> None:
    floor = Floor()
    floor.set_status("AUCTION")

    assert floor.place("alice-1", "BUY 5 MARKET DAY") == "LIQUIDITY_NONE"
    floor.quote(bids="99x1", asks="102x1")
    assert floor.place("alice-2", "BUY 5 MARKET DAY") == "QUEUED 0/5"
    assert floor.cash("alice") == "10000 (527.6 locked)"  # at 105.52


@pytest.mark.parametrize("text", ["BUY 1 @ 99 IOC", "BUY 1 MARKET FOK"])
def test_what_would_have_to_trade_at_once_is_refused(floor: Floor, text: str) -> None:
    floor.set_status("AUCTION")
    assert floor.place("alice-1", text) == "INSTRUMENT_AUCTION"
    floor.set_sessions((HOUR, 2 * HOUR))
    assert floor.place("alice-2", text) == "MARKET_CLOSED"


def test_queued_order_is_canceled_and_gives_back_what_it_held(closed: Floor) -> None:
    closed.place("alice-1", "BUY 5 @ 99 CLS")

    assert closed.cancel("alice-1") == "CANCELED 0/5 USER_REQUESTED"

    assert closed.cash("alice") == "95000"
    assert wait(closed, HOUR) == []


def test_stop_waits_for_its_price_and_not_for_the_auction(closed: Floor) -> None:
    closed.wait(10 * SECOND_NS)

    assert closed.place("alice-1", "SELL 5 STOP 99") == "ACCEPTED 0/5"


# --- X5, X7: price and pairs


def test_opening_trades_at_one_price_most_quantity_first(closed: Floor) -> None:
    closed.place("alice-1", "BUY 10 @ 103 DAY")
    closed.place("alice-2", "BUY 10 @ 101 DAY")
    closed.place("charlie-1", "SELL 15 @ 100 DAY")
    closed.place("charlie-2", "SELL 10 @ 102 DAY")

    assert wait(closed, HOUR) == [
        "alice-1 OrderFilled FILLED 10/10: 10 @ 100 MAKER",
        "charlie-1 OrderPartiallyFilled PARTIALLY_FILLED 10/15: 10 @ 100 TAKER",
        "alice-2 OrderPartiallyFilled PARTIALLY_FILLED 5/10: 5 @ 100 MAKER",
        "charlie-1 OrderFilled FILLED 15/15: 5 @ 100 TAKER",
        "charlie-2 OrderReleased ACCEPTED 0/10",
    ]
    assert closed.transfers == ["3 pays 4 1000", "3 pays 4 500"]


@pytest.mark.parametrize(("last", "price"), [("98", "100"), ("101", "101"), ("110", "102")])
def test_of_equal_prices_the_nearest_to_the_last_trade(floor: Floor, last: str, price: str) -> None:
    floor.give("alice", "1", last)
    floor.set_status("AUCTION")
    floor.place("alice-1", "BUY 10 @ 102")
    floor.place("charlie-1", "SELL 10 @ 100")

    floor.set_status("OPEN")

    assert floor.order_events[0] == f"alice-1 OrderFilled FILLED 10/10: 10 @ {price} MAKER"
    floor.check()


def test_market_orders_go_first_then_price_then_time(floor: Floor) -> None:
    floor.set_status("AUCTION")
    floor.place("alice-1", "BUY 5 @ 100")
    floor.place("alice-2", "BUY 5 @ 101")
    floor.place("alice-3", "BUY 5 MARKET DAY")
    floor.place("alice-4", "BUY 5 @ 101")
    floor.place("charlie-1", "SELL 12 @ 100")

    floor.set_status("OPEN")

    fills = [
        line.split(":")[0] for line in floor.events if line.startswith("alice") and ":" in line
    ]
    assert fills == [
        "alice-3 OrderFilled FILLED 5/5",
        "alice-2 OrderFilled FILLED 5/5",
        "alice-4 OrderPartiallyFilled PARTIALLY_FILLED 2/5",
    ]
    floor.check()


def test_street_takes_part_last_in_time_and_loses_what_it_traded(floor: Floor) -> None:
    floor.set_status("AUCTION")
    floor.quote(asks="100x10 101x10")
    floor.place("charlie-1", "SELL 5 @ 100")
    floor.place("alice-1", "BUY 12 @ 100")

    floor.set_status("OPEN")

    assert floor.transfers == ["3 pays 4 500", "3 pays 2 700"]
    assert floor.place("alice-2", "BUY 9 @ 100 IOC") == "CANCELED 3/9 IOC_REMAINDER"
    floor.check()


def test_resting_orders_take_part(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 5 @ 101")
    floor.set_status("AUCTION")
    floor.place("alice-1", "BUY 5 @ 102")

    floor.set_status("OPEN")

    assert floor.order_events[0] == "charlie-1 OrderFilled FILLED 5/5: 5 @ 101 MAKER"
    assert list(floor.state.instruments["AAPL"].book.resting()) == []
    floor.check()


def test_quotes_fill_nobody_while_the_market_collects(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.set_status("AUCTION")

    floor.quote(asks="98x50")
    floor.street_trade("SELL 50 @ 98")

    assert floor.events == []


# --- X6


def test_own_orders_do_not_meet_in_an_auction_the_later_is_canceled(floor: Floor) -> None:
    floor.set_status("AUCTION")
    floor.place("alice-1", "BUY 5 @ 101")
    floor.place("bob-1", "SELL 5 @ 100")
    floor.place("charlie-1", "SELL 5 @ 101")

    floor.set_status("OPEN")

    assert floor.order_events[0] == "bob-1 OrderCanceled CANCELED 0/5 SELF_TRADE"
    assert floor.transfers == ["3 pays 4 505"]
    floor.check()


# --- K4


@pytest.mark.parametrize("tif", ["OPG", "CLS"])
def test_market_that_never_closes_holds_no_auction(floor: Floor, tif: str) -> None:
    assert floor.place("alice-1", f"BUY 5 @ 99 {tif}") == "AUCTION_NOT_HELD"


def test_opening_order_comes_two_minutes_before_the_opening_or_not(closed: Floor) -> None:
    closed.wait((HOUR - 2 * MINUTE) * SECOND_NS - 1_000)
    assert closed.place("alice-1", "BUY 5 @ 99 OPG") == "QUEUED 0/5"
    closed.wait(1_000)

    assert closed.place("alice-2", "BUY 5 @ 99 OPG") == "AUCTION_TOO_LATE"


def test_closing_order_comes_ten_minutes_before_the_close_or_not(closed: Floor) -> None:
    closed.wait((2 * HOUR - 10 * MINUTE) * SECOND_NS - 1_000)
    assert closed.place("alice-1", "BUY 5 @ 99 CLS") == "QUEUED 0/5"
    closed.wait(1_000)

    assert closed.place("alice-2", "BUY 5 @ 99 CLS") == "AUCTION_TOO_LATE"


def test_what_the_opening_leaves_of_an_opening_order_is_canceled(closed: Floor) -> None:
    closed.place("alice-1", "BUY 10 @ 100 OPG")
    closed.place("charlie-1", "SELL 4 @ 100 OPG")

    assert wait(closed, HOUR)[-1] == "alice-1 OrderCanceled CANCELED 4/10 OPG_REMAINDER"
    assert closed.cash("alice") == "94600"


def test_closing_orders_trade_with_what_rests_when_the_session_ends(closed: Floor) -> None:
    wait(closed, HOUR)
    closed.place("alice-1", "BUY 4 @ 100 DAY")
    closed.place("charlie-1", "SELL 10 MARKET CLS")

    assert wait(closed, HOUR) == [
        "alice-1 OrderFilled FILLED 4/4: 4 @ 100 MAKER",
        "charlie-1 OrderPartiallyFilled PARTIALLY_FILLED 4/10: 4 @ 100 TAKER",
        "charlie-1 OrderCanceled CANCELED 4/10 CLS_REMAINDER",
    ]


# --- X8


def test_closing_auction_that_comes_too_late_is_not_held(closed: Floor) -> None:
    wait(closed, HOUR)
    closed.place("alice-1", "BUY 4 @ 100")
    closed.place("charlie-1", "SELL 4 @ 100 CLS")

    assert wait(closed, HOUR + MINUTE) == ["charlie-1 OrderCanceled CANCELED 0/4 CLS_REMAINDER"]
    assert closed.open_orders("alice") == ["alice-1"]


def test_outage_over_a_whole_session_ends_what_was_due_before_the_next_opening(
    closed: Floor,
) -> None:
    closed.place("alice-1", "BUY 4 @ 100 DAY")
    closed.place("alice-2", "BUY 4 @ 100 OPG")
    closed.place("alice-3", "BUY 4 @ 100")
    closed.place("charlie-1", "SELL 12 @ 100")

    assert wait(closed, DAY) == [
        "alice-1 OrderExpired EXPIRED 0/4 DAY_END",
        "alice-2 OrderCanceled CANCELED 0/4 OPG_REMAINDER",
        "alice-3 OrderFilled FILLED 4/4: 4 @ 100 MAKER",
        "charlie-1 OrderPartiallyFilled PARTIALLY_FILLED 4/12: 4 @ 100 TAKER",
    ]
    assert closed.open_orders("charlie") == ["charlie-1"]


def test_halted_market_opens_when_it_is_resumed(closed: Floor) -> None:
    closed.place("alice-1", "BUY 4 @ 100 DAY")
    closed.place("charlie-1", "SELL 4 @ 100 DAY")
    closed.set_status("HALTED")
    assert wait(closed, HOUR) == []

    closed.set_status("OPEN")

    assert closed.transfers == ["3 pays 4 400"]


def test_auction_elects_stops_that_then_enter(closed: Floor) -> None:
    closed.place("charlie-1", "SELL 5 STOP 95")
    closed.place("alice-1", "BUY 9 @ 94 DAY")
    closed.place("charlie-2", "SELL 4 @ 94 DAY")

    assert wait(closed, HOUR)[-3:] == [
        "charlie-1 OrderTriggered TRIGGERED 0/5",
        "alice-1 OrderFilled FILLED 9/9: 5 @ 94 MAKER",
        "charlie-1 OrderFilled FILLED 5/5: 5 @ 94 TAKER",
    ]


def test_indicative_price_tells_what_waits(floor: Floor) -> None:
    apple = floor.state.instruments["AAPL"]
    floor.set_status("AUCTION")
    assert indicative(apple, floor.now_ns) is None
    floor.place("alice-1", "BUY 10 @ 102")
    floor.place("charlie-1", "SELL 4 @ 101")

    assert indicative(apple, floor.now_ns) == (10_100, 4)
