"""Replace and amend: docs/matching.md R1 to R5, A1, and cancel all of a symbol or a side (C3)."""

import pytest

from orders.domain.commands import CancelAllOrders
from orders.domain.values import Side
from tests.simulation.floor import ALICE, Floor, denial


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.give("charlie", "20", "100")
    return floor


def book_of(floor: Floor) -> list[tuple[str, int, int]]:
    """The resting orders: name, lots, what stands ahead."""
    return [
        (floor._names[str(row.order_id)], row.leaves, row.ahead)
        for row in floor.state.instruments["AAPL"].book.resting()
    ]


# Place


def test_less_at_the_same_price_keeps_its_place_and_what_stands_ahead(floor: Floor) -> None:
    floor.quote(bids="99x7", asks="101x7")
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("charlie-1", "BUY 5 @ 99")

    outcome = floor.replace("alice-1", "alice-2", "3")

    assert outcome == "ACCEPTED 0/3"
    assert book_of(floor) == [("alice-2", 3, 7), ("charlie-1", 5, 7)]
    assert floor.events == [
        "alice-1 OrderReplaced REPLACED 0/5 REPLACED",
        "alice-2 OrderAccepted ACCEPTED 0/3",
    ]
    assert floor.cash("alice") == "10000 (297 locked)"
    floor.check()


@pytest.mark.parametrize("change", ["6", "@ 99.5", "@ 98"])
def test_more_or_another_price_is_last_in_time(floor: Floor, change: str) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("charlie-1", "BUY 5 @ 99")
    floor.place("charlie-2", "BUY 5 @ 98")
    floor.place("charlie-3", "BUY 5 @ 99.5")

    floor.replace("alice-1", "alice-2", change)

    names = [name for name, *_ in book_of(floor)]
    assert names.index("alice-2") == {"6": 2, "@ 99.5": 1, "@ 98": 3}[change]
    floor.check()


def test_another_day_or_id_keeps_the_place(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("charlie-1", "BUY 5 @ 99")

    floor.replace("alice-1", "alice-2", "DAY")
    floor.replace("alice-2", "alice-3", client_order_id="another")

    assert [name for name, *_ in book_of(floor)] == ["alice-3", "charlie-1"]


def test_the_successor_may_trade_at_once(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 4 @ 101")
    floor.place("alice-1", "BUY 5 @ 99")

    outcome = floor.replace("alice-1", "alice-2", "@ 101")

    assert outcome == "PARTIALLY_FILLED 4/5"
    assert floor.events == [
        "alice-1 OrderReplaced REPLACED 0/5 REPLACED",
        "alice-2 OrderAccepted ACCEPTED 0/5",
        "charlie-1 OrderFilled FILLED 4/4: 4 @ 101 MAKER",
        "alice-2 OrderPartiallyFilled PARTIALLY_FILLED 4/5: 4 @ 101 TAKER",
    ]
    floor.check()


def test_immediate_or_cancel_takes_and_is_gone(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 4 @ 101")
    floor.place("alice-1", "BUY 5 @ 99")

    assert floor.replace("alice-1", "alice-2", "@ 101 IOC") == "CANCELED 4/5 IOC_REMAINDER"
    assert floor.open_orders("alice") == []
    assert floor.cash("alice") == "9596"


# What is left, what is held


def test_what_has_filled_stays_with_the_old_order(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("charlie-1", "SELL 2 @ 99")

    outcome = floor.replace("alice-1", "alice-2", "DAY")

    assert outcome == "ACCEPTED 0/3"
    old, new = (event.order for event in floor.account_events[:2])
    assert old is not None and new is not None
    assert (old.filled_quantity, old.leaves_quantity, old.replaced_by) == ("2", "0", new.id)
    assert (new.filled_quantity, new.leaves_quantity, new.replaces) == ("0", "3", old.id)
    assert floor.cash("alice") == "9802 (297 locked)"
    floor.check()


def test_means_are_judged_as_if_the_old_order_held_nothing(floor: Floor) -> None:
    floor.place("alice-1", "BUY 100 @ 100")  # all her cash
    floor.place("charlie-1", "SELL 20 @ 105")  # all his shares

    assert floor.replace("alice-1", "alice-2", "101 @ 100") == "FUNDS_INSUFFICIENT"
    assert floor.replace("alice-1", "alice-2", "200 @ 50") == "ACCEPTED 0/200"
    assert floor.replace("charlie-1", "charlie-2", "@ 104") == "ACCEPTED 0/20"
    assert floor.cash("alice") == "10000 (10000 locked)"
    floor.check()


def test_a_refused_replace_leaves_the_old_order_to_the_unit(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("charlie-1", "BUY 5 @ 99")
    before = (book_of(floor), floor.cash("alice"), floor.open_orders("alice"))

    for text, reason in (
        ("200 @ 99", "FUNDS_INSUFFICIENT"),
        ("5 @ 99.005", "PRICE_OFF_TICK"),
        ("1.5", "QUANTITY_OFF_LOT"),
        ("STOP 120", "STOP_PRICE_NOT_ALLOWED"),
    ):
        assert floor.replace("alice-1", "alice-2", text) == reason
        assert floor.changes.is_empty

    assert (book_of(floor), floor.cash("alice"), floor.open_orders("alice")) == before
    floor.check()


def test_a_halt_refuses_a_replace_and_lets_an_amend_pass(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.set_status("HALTED")

    assert floor.replace("alice-1", "alice-2", "3") == "INSTRUMENT_HALTED"
    assert floor.amend("alice-1", "3") == "ACCEPTED 0/3"


def test_an_own_order_on_the_other_side_refuses_the_replace(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 5 @ 105")
    floor.place("charlie-2", "BUY 5 @ 90")

    assert floor.replace("charlie-2", "charlie-3", "@ 105") == "SELF_TRADE"
    assert floor.open_orders("charlie") == ["charlie-1", "charlie-2"]


@pytest.mark.parametrize("text", ["", "5", "@ 99", "5 @ 99 GTC"])
def test_a_replace_that_changes_nothing_is_refused(floor: Floor, text: str) -> None:
    floor.place("alice-1", "BUY 5 @ 99")

    assert floor.replace("alice-1", "alice-2", text) == "ORDER_UNCHANGED"


def test_only_an_open_order_of_the_account_is_replaced_or_amended(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("alice-2", "BUY 5 @ 98")
    floor.cancel("alice-2")

    assert floor.replace("alice-1", "charlie-1", "3") == "ORDER_NOT_OPEN"
    assert floor.replace("alice-2", "alice-3", "3") == "ORDER_NOT_OPEN"
    assert floor.amend("alice-1", "3", who="charlie") == "ORDER_NOT_OPEN"
    assert floor.amend("alice-2", "3") == "ORDER_NOT_OPEN"
    assert floor.replace("alice-1", "bob-1", "3") == "ACCEPTED 0/3"  # Bob shares the account


def test_a_replaced_order_is_closed(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 99")
    floor.replace("alice-1", "alice-2", "3")

    assert floor.cancel("alice-1") == "ORDER_NOT_OPEN"
    assert floor.replace("alice-1", "alice-3", "2") == "ORDER_NOT_OPEN"
    assert floor.open_orders("alice") == ["alice-2"]


# Stop orders


def test_a_waiting_stop_is_replaced_by_one_that_waits(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 STOP 110")

    outcome = floor.replace("alice-1", "alice-2", "STOP 120")

    assert outcome == "ACCEPTED 0/5"
    assert floor.cash("alice") == "10000 (615 locked)"  # 120 + 2.5 %
    assert len(floor.state.instruments["AAPL"].stops.waiting()) == 1


def test_a_replaced_stop_waits_behind_those_that_were_there(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 110 STOP 105")
    floor.place("charlie-1", "BUY 1 @ 110 STOP 105")
    floor.replace("alice-1", "alice-2", "@ 109")
    floor.quote(bids="104x1", asks="106x1")

    floor.street_trade("BUY 1 @ 105")

    elected = [event.split()[0] for event in floor.events if "OrderTriggered" in event]
    assert elected == ["charlie-1", "alice-2"]


def test_a_stop_whose_new_price_has_passed_is_refused(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 STOP 110")
    floor.give("charlie", "1", "102")

    assert floor.replace("alice-1", "alice-2", "STOP 101") == "STOP_PRICE_PASSED"
    assert len(floor.state.instruments["AAPL"].stops.waiting()) == 1


def test_an_elected_stop_is_replaced_by_an_elected_one(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 103 STOP 101")
    floor.give("charlie", "1", "101")  # elects it: it rests at 103
    floor.place("charlie-1", "BUY 5 @ 103")

    assert floor.replace("alice-1", "alice-2", "STOP 120") == "STOP_ELECTED"
    assert floor.replace("alice-1", "alice-2", "4") == "TRIGGERED 0/4"

    assert floor.events == [
        "alice-1 OrderReplaced REPLACED 0/5 REPLACED",
        "alice-2 OrderAccepted ACCEPTED 0/4",
        "alice-2 OrderTriggered TRIGGERED 0/4",
    ]
    assert [name for name, *_ in book_of(floor)] == ["alice-2", "charlie-1"]
    assert floor.state.instruments["AAPL"].stops.waiting() == []


# Amend


def test_an_amend_lowers_the_order_where_it_stands(floor: Floor) -> None:
    floor.quote(bids="99x7", asks="101x7")
    floor.place("alice-1", "BUY 5 @ 99")
    floor.place("charlie-1", "BUY 5 @ 99")

    outcome = floor.amend("alice-1", "2")

    assert outcome == "ACCEPTED 0/2"
    assert floor.events == ["alice-1 OrderAmended ACCEPTED 0/2"]
    assert book_of(floor) == [("alice-1", 2, 7), ("charlie-1", 5, 7)]
    assert floor.cash("alice") == "10000 (198 locked)"
    floor.check()


def test_an_amended_order_is_filled_by_its_new_quantity(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 9 @ 101")
    floor.place("alice-1", "BUY 2 @ 101")
    assert floor.amend("charlie-1", "5") == "PARTIALLY_FILLED 2/5"
    assert floor.position("charlie").startswith("18 (3 locked)")

    floor.place("alice-2", "BUY 3 @ 101")

    assert floor.open_orders("charlie") == []
    assert floor.position("charlie").startswith("15 for")
    floor.check()


@pytest.mark.parametrize("quantity", ["2", "1", "9", "10"])
def test_an_amend_is_between_what_has_filled_and_the_quantity(floor: Floor, quantity: str) -> None:
    floor.place("charlie-1", "SELL 9 @ 101")
    floor.place("alice-1", "BUY 2 @ 101")

    assert floor.amend("charlie-1", quantity) == "AMEND_NOT_LESS"
    assert floor.changes.is_empty


def test_a_waiting_stop_is_amended(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 9 STOP 90")

    assert floor.amend("charlie-1", "4") == "ACCEPTED 0/4"
    assert floor.position("charlie").startswith("20 (4 locked)")
    floor.check()


# Cancel all, of some


def test_cancel_all_of_a_symbol_or_a_side_leaves_the_others(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")
    floor.place("alice-2", "BUY 1 @ 60000", symbol="BTC/USD")
    floor.place("charlie-1", "BUY 1 @ 90")
    floor.place("charlie-2", "SELL 1 @ 110")
    floor.place("charlie-3", "SELL 1 STOP 80")

    assert floor.cancel_all("alice", symbols=("AAPL",)) == ["alice-1"]
    assert floor.cancel_all("charlie", side=Side.SELL) == ["charlie-2", "charlie-3"]
    assert floor.cancel_all("charlie", symbols=("BTCUSD",), side=Side.BUY) == []
    assert floor.open_orders("charlie") == ["charlie-1"]


def test_cancel_all_of_an_unknown_symbol_cancels_nothing(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")

    reply = floor.do(CancelAllOrders(ALICE, "cancel", ("AAPL", "APPL")))

    assert denial(reply) == "INSTRUMENT_UNKNOWN"
    assert floor.open_orders("alice") == ["alice-1"]
