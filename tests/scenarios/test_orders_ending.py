"""How an open order ends without being filled: cancel, cancel all, the day's end; and halts."""

from core.domain.clock import from_ns
from orders.domain import commands
from orders.domain.replies import AnyReply, CanceledReply, DeniedReply
from tests.simulation.floor import ALICE, SECOND_NS, Floor, order_id_of, told

HALF_PAST_EIGHT_HOURS_NS = (8 * 3600 + 1800) * SECOND_NS
"""From the scenarios' start, 15:30, to midnight UTC."""


def test_cancel_gives_the_hold_back_and_says_who_asked() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")

    assert floor.cancel("alice-1") == "CANCELED 0/5 USER_REQUESTED"

    assert floor.events == ["alice-1 OrderCanceled CANCELED 0/5 USER_REQUESTED"]
    assert floor.account_events[0].request_id == "cancel-alice-1"
    assert floor.cash("alice") == "10000"
    assert floor.open_orders("alice") == []
    assert floor.state.orders == {}
    assert list(floor.state.instruments["AAPL"].book.resting()) == []


def operator_cancels(floor: Floor, name: str, reason: str) -> AnyReply:
    return floor.do(commands.CancelOrder(order_id_of(name), ALICE, "by-olga", reason, 7))


def test_an_operators_cancel_is_audited_with_its_reason() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")

    reply = operator_cancels(floor, "alice-1", "erroneous")

    assert isinstance(reply, CanceledReply)
    assert told(reply.orders[0]) == "CANCELED 0/5 OPERATOR_REQUESTED"
    (entry,) = floor.changes.audits
    assert (entry.actor_id, entry.reason) == (7, "erroneous")
    assert entry.action == "OrderCanceledByOperator"
    assert entry.target == f"order:{order_id_of('alice-1')}"
    assert entry.request_id == "by-olga"
    assert floor.cash("alice") == "10000"


def test_an_operators_cancel_of_a_closed_order_leaves_no_entry() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")
    floor.cancel("alice-1")

    reply = operator_cancels(floor, "alice-1", "late")

    assert isinstance(reply, DeniedReply)
    assert reply.reason == "ORDER_NOT_OPEN"
    assert floor.changes.is_empty


def test_cancel_of_a_sell_gives_the_quantity_back() -> None:
    floor = Floor()
    floor.give("alice", "5", "100")
    floor.place("alice-1", "SELL 5 @ 110")

    floor.cancel("alice-1")

    assert floor.position("alice") == "5 for 500 realized 0"


def test_cancel_after_a_partial_fill_keeps_the_fill() -> None:
    floor = Floor()
    floor.quote(asks="100x2")
    floor.place("alice-1", "BUY 5 @ 100")

    assert floor.cancel("alice-1") == "CANCELED 2/5 USER_REQUESTED"

    assert floor.cash("alice") == "9800"
    assert floor.position("alice") == "2 for 200 realized 0"
    assert floor.account_events[0].order is not None
    assert floor.account_events[0].order.leaves_quantity == "0"


def test_account_is_shared_so_bob_cancels_alices_order() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")

    assert floor.cancel("alice-1", who="bob") == "CANCELED 0/5 USER_REQUESTED"


def test_order_of_another_account_cannot_be_canceled() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")

    assert floor.cancel("alice-1", who="charlie") == "ORDER_NOT_OPEN"

    assert floor.changes.is_empty
    assert floor.open_orders("alice") == ["alice-1"]
    assert floor.cash("alice") == "10000 (500 locked)"


def test_order_that_has_ended_cannot_be_canceled() -> None:
    floor = Floor()
    floor.quote(asks="100x5")
    floor.place("alice-1", "BUY 5 @ 100")
    floor.place("alice-2", "BUY 5 @ 99")
    floor.cancel("alice-2")

    assert floor.cancel("alice-1") == "ORDER_NOT_OPEN"
    assert floor.cancel("alice-2") == "ORDER_NOT_OPEN"
    assert floor.cancel("alice-3") == "ORDER_NOT_OPEN"
    assert floor.changes.is_empty


def test_cancel_all_ends_the_accounts_orders_and_nobody_elses() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")
    floor.place("charlie-1", "BUY 5 @ 100")
    floor.place("bob-1", "BUY 0.01 @ 60000", symbol="BTC/USD")

    assert floor.cancel_all("alice") == ["alice-1", "bob-1"]

    assert floor.events == [
        "alice-1 OrderCanceled CANCELED 0/5 USER_REQUESTED",
        "bob-1 OrderCanceled CANCELED 0/0.01 USER_REQUESTED",
    ]
    assert floor.cash("alice") == "10000"
    assert floor.open_orders("charlie") == ["charlie-1"]
    assert floor.cash("charlie") == "10000 (500 locked)"


def test_cancel_all_without_open_orders_changes_nothing() -> None:
    floor = Floor()

    assert floor.cancel_all("alice") == []

    assert floor.changes.is_empty


def test_canceled_order_is_not_traded_with() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")
    floor.place("alice-2", "BUY 5 @ 100")
    floor.cancel("alice-1")

    floor.street_trade("SELL 5 @ 100")

    assert floor.events == ["alice-2 OrderFilled FILLED 5/5: 5 @ 100 MAKER"]


# --- the day's end


def test_day_order_expires_at_midnight_and_good_till_canceled_stays() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100 DAY")
    floor.place("alice-2", "BUY 5 @ 100 GTC")
    floor.place("charlie-1", "BUY 1 @ 100 DAY")

    floor.wait(HALF_PAST_EIGHT_HOURS_NS - 1)
    assert floor.expire() == []
    floor.wait(1)
    assert from_ns(floor.now_ns).isoformat() == "2026-03-03T00:00:00+00:00"
    assert floor.expire() == ["alice-1", "charlie-1"]

    assert floor.events == [
        "alice-1 OrderExpired EXPIRED 0/5 DAY_END",
        "charlie-1 OrderExpired EXPIRED 0/1 DAY_END",
    ]
    assert floor.cash("alice") == "10000 (500 locked)"
    assert floor.cash("charlie") == "10000"
    assert floor.expire() == []
    assert floor.changes.is_empty


def test_day_order_expires_on_each_of_several_days() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100 DAY")
    floor.wait(HALF_PAST_EIGHT_HOURS_NS)
    floor.place("alice-2", "BUY 5 @ 100 DAY")  # the new day's

    assert floor.expire() == ["alice-1"]

    floor.wait(24 * 3600 * SECOND_NS)
    assert floor.expire() == ["alice-2"]


def test_partly_filled_day_order_expires_with_its_fill() -> None:
    floor = Floor()
    floor.quote(asks="100x2")
    floor.place("alice-1", "BUY 5 @ 100 DAY")

    floor.wait(HALF_PAST_EIGHT_HOURS_NS)

    assert floor.expire() == ["alice-1"]
    assert floor.events == ["alice-1 OrderExpired EXPIRED 2/5 DAY_END"]
    assert floor.cash("alice") == "9800"


def test_expired_order_says_when_it_was_to_end() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100 DAY")
    (event,) = floor.account_events

    assert event.order is not None
    assert event.order.expires_at == "2026-03-03T00:00:00.000000Z"
    assert event.order.closed_at is None


# --- halts


def test_halted_instrument_refuses_orders_and_lets_them_be_canceled() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")

    floor.set_status("HALTED")

    assert floor.place("alice-2", "BUY 1 @ 100") == "INSTRUMENT_HALTED"
    assert floor.place("alice-3", "BUY 1 MARKET") == "INSTRUMENT_HALTED"
    assert floor.place("alice-4", "BUY 0.01 @ 60000", symbol="BTC/USD") == "ACCEPTED 0/0.01"
    assert floor.cancel("alice-1") == "CANCELED 0/5 USER_REQUESTED"


def test_halted_instrument_does_not_trade_with_the_street() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100")
    floor.set_status("HALTED")

    floor.quote(asks="99x5")
    floor.street_trade("SELL 5 @ 99")

    assert floor.open_orders("alice") == ["alice-1"]
    assert floor.position("alice") == "none"


def test_reopened_instrument_trades_again() -> None:
    floor = Floor()
    floor.set_status("HALTED")
    floor.set_status("OPEN")

    floor.quote(asks="99x5")

    assert floor.place("alice-1", "BUY 5 @ 100") == "FILLED 5/5"


def test_day_order_expires_while_halted() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 5 @ 100 DAY")
    floor.set_status("HALTED")

    floor.wait(HALF_PAST_EIGHT_HOURS_NS)

    assert floor.expire() == ["alice-1"]


def test_halt_is_stored() -> None:
    floor = Floor()

    floor.set_status("HALTED")

    assert [item.symbol for item in floor.changes.instruments.values()] == ["AAPL"]
    assert not floor.changes.is_empty
