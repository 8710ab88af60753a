"""Trailing stops: where the mark begins, what moves it, when it elects, what stays (G1 to G6)."""

from decimal import Decimal

import pytest

from orders.engine.core import Core
from orders.engine.journal import RULES_VERSION, Start, read_start, start_content
from orders.engine.rebuild import rebuild
from orders.engine.render import order_view
from orders.engine.stored import stored_from
from tests.simulation.dump import dump
from tests.simulation.floor import Floor, order_id_of

SECOND_NS = 10**9


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 20 shares each, bought at 100; the last trade was at 100."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    floor.wait(6 * SECOND_NS)
    quoted(floor, "100")
    traded_at(floor, "100")
    return floor


def quoted(floor: Floor, middle: str) -> None:
    """A street that is 20 wide on each side, so that prints between are inside it."""
    floor.quote(bids=f"{int(middle) - 20}x50", asks=f"{int(middle) + 20}x50")


def traded_at(floor: Floor, price: str) -> None:
    """A print inside the quote."""
    floor.street_trade(f"BUY 1 @ {price}")


def mark(floor: Floor, name: str) -> tuple[str | None, str | None]:
    """(mark, stop price) as the order's view has them."""
    view = order_view(floor.state.orders[order_id_of(name)])
    return view.hwm, view.stop_price


def restarted(floor: Floor) -> None:
    """The same engine after a restart on what it has stored."""
    stored = stored_from(floor.state, [])
    start = Start(rules_version=RULES_VERSION, max_elections=1_000, state=stored)
    floor.state = rebuild(read_start(start_content(start)).state)
    floor.core = Core(floor.state)


# --- where the mark begins and what moves it (G1, G2)


def test_a_mark_begins_at_the_last_trade_and_only_rises_for_a_sell(floor: Floor) -> None:
    assert floor.place("alice-1", "SELL 5 TRAIL 2") == "ACCEPTED 0/5"
    assert mark(floor, "alice-1") == ("100", "98")

    traded_at(floor, "103")
    assert mark(floor, "alice-1") == ("103", "101")
    assert floor.events == []  # nobody is told of each step

    traded_at(floor, "102")
    assert mark(floor, "alice-1") == ("103", "101")
    floor.check()


def test_a_mark_only_falls_for_a_buy(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 TRAIL 2")

    for price in ("97", "98", "96.5", "98.4"):
        traded_at(floor, price)

    assert mark(floor, "alice-1") == ("96.5", "98.5")


def test_a_trail_in_percent_is_rounded_away_from_the_market(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 1.5%")
    floor.place("alice-2", "BUY 5 TRAIL 1.5%")
    assert mark(floor, "alice-1") == ("100", "98.5")
    assert mark(floor, "alice-2") == ("100", "101.5")

    traded_at(floor, "100.33")
    traded_at(floor, "99.67")

    assert mark(floor, "alice-1") == ("100.33", "98.82")  # 1.50495 counts as 1.51
    assert mark(floor, "alice-2") == ("99.67", "101.17")  # 1.49505 counts as 1.5


def test_without_a_fresh_trade_the_mark_begins_in_the_middle_of_the_street(floor: Floor) -> None:
    floor.wait(6 * SECOND_NS)
    floor.quote(bids="104x5", asks="105.01x5")

    floor.place("alice-1", "SELL 5 TRAIL 2")
    floor.place("alice-2", "BUY 5 TRAIL 2")

    assert mark(floor, "alice-1") == ("104.5", "102.5")
    assert mark(floor, "alice-2") == ("104.51", "106.51")


def test_without_a_street_the_last_trade_counts_however_old(floor: Floor) -> None:
    floor.wait(3_600 * SECOND_NS)

    floor.place("alice-1", "SELL 5 TRAIL 2")

    assert mark(floor, "alice-1") == ("100", "98")


def test_without_anything_to_follow_it_is_refused() -> None:
    floor = Floor()

    assert floor.place("alice-1", "BUY 5 TRAIL 2") == "TRAIL_REFERENCE_NONE"
    assert floor.changes.is_empty


def test_a_trade_while_the_market_is_not_open_moves_no_mark(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2")
    floor.set_status("POST_ONLY")

    traded_at(floor, "103")

    assert mark(floor, "alice-1") == ("100", "98")


def test_a_stray_print_moves_no_mark(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2")

    traded_at(floor, "125")

    assert mark(floor, "alice-1") == ("100", "98")


def test_an_order_that_comes_later_does_not_see_what_was_before(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2")
    traded_at(floor, "110")
    traded_at(floor, "109")
    floor.place("charlie-1", "SELL 5 TRAIL 2")
    traded_at(floor, "109.5")

    assert mark(floor, "alice-1") == ("110", "108")
    assert mark(floor, "charlie-1") == ("109.5", "107.5")

    traded_at(floor, "112")
    assert mark(floor, "alice-1") == mark(floor, "charlie-1") == ("112", "110")


# --- election (G3, G4)


def test_a_trade_at_the_stop_price_elects_and_a_sell_enters_at_the_market(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2")
    traded_at(floor, "103")

    traded_at(floor, "101")

    assert floor.events == [
        "alice-1 OrderTriggered TRIGGERED 0/5",
        "alice-1 OrderFilled FILLED 5/5: 5 @ 80 TAKER",
    ]
    order = floor.account_events[0].order
    assert order is not None
    assert (order.hwm, order.stop_price, order.trail_price) == ("103", "101", "2")
    floor.check()


def test_a_buy_enters_with_the_protection_of_its_last_stop_price(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 TRAIL 2")
    assert floor.cash("alice") == "8000 (522.75 locked)"  # 102 × 1.025 = 104.55
    quoted(floor, "90")
    traded_at(floor, "90")
    floor.quote(bids="90x5", asks="93x2")

    traded_at(floor, "92")

    assert floor.events == [
        "alice-1 OrderTriggered TRIGGERED 0/5",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 2/5: 2 @ 93 TAKER",
    ]
    (resting,) = floor.state.instruments["AAPL"].book.resting()
    assert (resting.price, resting.leaves) == (9_430, 3)  # 92 × 1.025
    assert floor.cash("alice") == "7814 (282.9 locked)"
    floor.check()


def test_stops_and_trailing_stops_enter_in_one_order(floor: Floor) -> None:
    for name, text in (
        ("alice-1", "SELL 1 STOP 98"),
        ("alice-2", "SELL 1 TRAIL 1.5"),
        ("charlie-1", "SELL 1 TRAIL 2%"),
        ("charlie-2", "SELL 1 STOP 98"),
        ("charlie-3", "BUY 1 TRAIL 3"),
        ("alice-3", "BUY 1 @ 50 STOP 101"),
    ):
        floor.place(name, text, stp_mode="EXPIRE_TAKER")
    for name in ("alice-3", "charlie-3"):
        floor.cancel(name)

    traded_at(floor, "97")

    assert [line.split()[0] for line in floor.events if "Triggered" in line] == [
        "alice-2",
        "alice-1",
        "charlie-1",
        "charlie-2",
    ]


def test_a_group_that_was_lifted_together_falls_one_by_one(floor: Floor) -> None:
    floor.place("alice-1", "SELL 1 TRAIL 3")
    floor.place("charlie-1", "SELL 1 TRAIL 1")
    floor.place("alice-2", "SELL 1 TRAIL 2")
    traded_at(floor, "105")
    changed = floor.changes.trail_peaks
    assert list(changed.values()) == [105 * 10**8]  # one row, whatever follows

    elected = []
    for price in ("104", "103", "102"):
        floor.quote(bids=f"{price}x50", asks="106x50")
        traded_at(floor, price)
        elected.append([line.split()[0] for line in floor.events if "Triggered" in line])
    assert elected == [["charlie-1"], ["alice-2"], ["alice-1"]]
    assert list(floor.changes.trail_peaks.values()) == [None]


def test_elections_that_wait_go_on_following(floor: Floor) -> None:
    floor.core = Core(floor.state, 1)
    floor.place("charlie-1", "SELL 1 TRAIL 1")
    floor.place("alice-1", "SELL 1 TRAIL 1")
    traded_at(floor, "99")
    assert floor.core.is_electing
    floor.core.max_elections = 0

    traded_at(floor, "104")

    assert mark(floor, "alice-1") == ("104", "103")
    floor.core.max_elections = 1
    floor.expire()
    assert floor.events[0] == "alice-1 OrderTriggered TRIGGERED 0/1"


# --- refusals (G2, G5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELL 1 TRAIL 0", "TRAIL_PRICE_INVALID"),
        ("SELL 1 TRAIL 0.005", "TRAIL_PRICE_INVALID"),
        ("SELL 1 TRAIL 0%", "TRAIL_PERCENT_INVALID"),
        ("SELL 1 TRAIL 100%", "TRAIL_PERCENT_INVALID"),
        ("SELL 1 TRAIL 1.00001%", "TRAIL_PERCENT_INVALID"),
        ("SELL 1 TRAIL 100", "TRAIL_OUT_OF_RANGE"),
        ("BUY 1 TRAIL 9999901", "TRAIL_OUT_OF_RANGE"),
        ("SELL 1 TRAIL 1 TRAIL 1%", "TRAIL_REQUIRED"),
        ("SELL 1 STOP 95 TRAIL 1", "STOP_PRICE_NOT_ALLOWED"),
        ("SELL 1 @ 95 TRAIL 1", "PRICE_NOT_ALLOWED"),
        ("SELL 1 TRAIL 1 IOC", "TIF_NOT_ALLOWED"),
        ("SELL 21 TRAIL 1", "POSITION_INSUFFICIENT"),
        ("BUY 100 TRAIL 1", "FUNDS_INSUFFICIENT"),
    ],
)
def test_a_trailing_stop_that_cannot_be_is_refused(floor: Floor, text: str, reason: str) -> None:
    assert floor.place("alice-1", text) == reason
    assert floor.changes.is_empty


def test_only_a_trailing_stop_takes_a_trail(floor: Floor) -> None:
    assert floor.place("alice-1", "SELL 1 @ 95", trail_price=Decimal(1)) == "TRAIL_NOT_ALLOWED"
    floor.place("alice-2", "SELL 1 STOP 90")
    assert floor.replace("alice-2", "alice-3", "TRAIL 1") == "TRAIL_NOT_ALLOWED"


# --- replace, amend, cancel


def test_a_replaced_trail_keeps_the_mark_and_the_kind(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2%")
    traded_at(floor, "110")

    assert floor.replace("alice-1", "alice-2", "TRAIL 1") == "ACCEPTED 0/5"

    assert mark(floor, "alice-2") == ("110", "108.9")  # 1 %
    (old,) = [event.order for event in floor.account_events if event.event == "OrderReplaced"]
    assert old is not None
    assert (old.hwm, old.stop_price, old.trail_percent) == ("110", "107.8", "2")
    traded_at(floor, "108.9")
    assert floor.open_orders("alice") == []


def test_a_trail_through_which_the_market_has_gone_is_refused(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 10")
    traded_at(floor, "110")
    traded_at(floor, "105")

    assert floor.replace("alice-1", "alice-2", "TRAIL 5") == "STOP_PRICE_PASSED"
    assert floor.replace("alice-1", "alice-2", "TRAIL 10") == "ORDER_UNCHANGED"
    assert floor.replace("alice-1", "alice-2", "STOP 90") == "STOP_PRICE_NOT_ALLOWED"
    assert mark(floor, "alice-1") == ("110", "100")


def test_the_trail_of_an_elected_one_cannot_be_changed(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 TRAIL 2")
    floor.quote(bids="80x5", asks="120x2")
    traded_at(floor, "102")
    assert floor.open_orders("alice") == ["alice-1"]

    assert floor.replace("alice-1", "alice-2", "TRAIL 1") == "STOP_ELECTED"
    assert floor.replace("alice-1", "alice-2", "3") == "TRIGGERED 0/3"
    (resting,) = floor.state.instruments["AAPL"].book.resting()
    assert (resting.price, resting.leaves) == (10_455, 3)
    assert floor.cash("alice") == "8000 (313.65 locked)"


def test_a_cancel_tells_the_last_mark_and_leaves_no_peak(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2")
    traded_at(floor, "110")
    floor.amend("alice-1", "3")

    assert floor.cancel("alice-1") == "CANCELED 0/3 USER_REQUESTED"

    order = floor.account_events[0].order
    assert order is not None
    assert (order.hwm, order.stop_price) == ("110", "108")
    assert list(floor.changes.trail_peaks.values()) == [None]
    assert floor.position("alice") == "20 for 2000 realized 0"


# --- what stays (G6)


def test_a_restart_knows_every_mark(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 TRAIL 2")
    floor.place("charlie-1", "BUY 5 TRAIL 15%")
    traded_at(floor, "110")
    traded_at(floor, "108.5")
    floor.place("alice-2", "SELL 5 TRAIL 2")
    traded_at(floor, "109")
    traded_at(floor, "99")
    before = dump(floor.state)

    restarted(floor)

    assert dump(floor.state) == before
    assert mark(floor, "charlie-1") == ("80", "92")  # where Alice sold
    assert floor.open_orders("charlie") == ["charlie-1"]
