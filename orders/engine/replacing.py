"""Changing an open order: another in its place (docs/matching.md R1 to R5), or less of it (A1).

A replace is one step of the core: the successor passes the checks of any new order
(orders/engine/placing.py), and only then does the old one end.
"""

from decimal import Decimal

import msgspec

from core.domain.decimals import to_wire
from core.domain.units import decimal_to_units, units_to_decimal, units_to_wire
from orders.domain.commands import AmendOrder, ReplaceOrder, SubmitOrder
from orders.domain.reasons import CloseReason
from orders.domain.states import OrderEvent
from orders.domain.values import OrderStatus, TimeInForce
from orders.engine import lifecycle
from orders.engine.grouping import is_armed
from orders.engine.legs import check_change
from orders.engine.lifetime import check_lifetime
from orders.engine.pacing import check_pace, note_accepted
from orders.engine.passage import check_passage
from orders.engine.placing import check_account, complete_draft, match
from orders.engine.queueing import joins_queue
from orders.engine.restrictions import check_restrictions
from orders.engine.settlement import hold_given_back, holder_for
from orders.engine.state import Instrument, OrderState
from orders.engine.step import Step
from orders.engine.terms import check_terms, draft_order
from orders.engine.trailing import mark_of, percent_of
from risk.domain.checks import check_quantity
from risk.domain.reasons import Denial, DenialReason


def replace_order(step: Step, command: ReplaceOrder) -> OrderState | Denial:
    """The successor as it stands after matching, or why the old order stays as it is."""
    old = step.state.orders.get(command.replaces)
    if old is None or old.account.id != command.account_id:
        return Denial(DenialReason.ORDER_NOT_OPEN, {})
    same = _same_again(old, command)
    wanted = _changed(same, command)
    denial = (
        _check_changes(old, same, wanted)
        or check_account(step, wanted, old.account, old.instrument)
        or check_terms(wanted, old.instrument)
        or check_lifetime(wanted, old.instrument, step.now_ns)
    )
    if denial is not None:
        return denial
    successor = draft_order(old.account, old.instrument, wanted, step.now_ns)
    successor.replaces = old.id
    if not old.is_waiting:
        successor.rank = old.rank
    denial = (
        check_change(step, old, successor) if old.leg is not None else None
    ) or _check_successor(step, old, successor)
    if denial is not None:
        return denial
    if old.status is OrderStatus.HELD:
        _succeed_held(step, old, successor)
    else:
        _succeed(step, old, successor)
        note_accepted(step, successor)
    return successor


def _check_successor(step: Step, old: OrderState, successor: OrderState) -> Denial | None:
    """The checks of any new order, with what the old one holds counted as free (R1). A leg that is
    held still asks the market for nothing.
    """
    if old.status is OrderStatus.HELD:
        return check_restrictions(step, successor, old)
    is_queued, mark = joins_queue(successor, step.now_ns), mark_of(old)
    denial = check_pace(step, successor) or complete_draft(successor, is_queued, step.now_ns, mark)
    if denial is None:
        with hold_given_back(holder_for(step.state, old)):
            denial = check_restrictions(step, successor, old) or check_passage(
                step.state, successor, step.now_ns
            )
    return denial


def _same_again(old: OrderState, command: ReplaceOrder) -> SubmitOrder:
    """The command that would place what is left of the old order as a new one."""
    instrument = old.instrument
    limit_price = old.limit_price if old.type.names_limit else None
    quantity = units_to_decimal(old.leaves * instrument.lot_units)
    return SubmitOrder(
        order_id=command.order_id,
        account_id=command.account_id,
        symbol=instrument.symbol,
        client_order_id="",
        side=old.side,
        type=old.type,
        time_in_force=old.time_in_force,
        quantity=quantity,
        display_quantity=_display(old.display, quantity, instrument),
        limit_price=_price(limit_price, instrument),
        stop_price=None if old.hwm is not None else _price(old.stop_price, instrument),
        trail_price=_price(old.trail_price, instrument),
        trail_percent=percent_of(old),
        stp_mode=old.stp_mode,
        post_only=old.post_only,
        reduce_only=old.reduce_only,
        expires_ns=old.expires_ns if old.time_in_force is TimeInForce.GTD else None,
        submitted_by_id=command.submitted_by_id,
        request_id=command.request_id,
        strategy=old.strategy,
        key_id=old.key_id,
        session_id=old.session_id,
    )


def _display(lots: int, quantity: Decimal, instrument: Instrument) -> Decimal | None:
    """What the successor shows at a time: as the old order, and no more than it has (I4)."""
    return min(units_to_decimal(lots * instrument.lot_units), quantity) if lots else None


def _price(ticks: int | None, instrument: Instrument) -> Decimal | None:
    return None if ticks is None else units_to_decimal(ticks * instrument.tick_units)


def _changed(same: SubmitOrder, command: ReplaceOrder) -> SubmitOrder:
    """`same` with what the replace names."""
    named = {
        "quantity": command.quantity,
        "limit_price": command.limit_price,
        "stop_price": command.stop_price,
        "time_in_force": command.time_in_force,
    }
    is_percent = same.trail_percent is not None
    named["trail_percent" if is_percent else "trail_price"] = command.trail
    changes = {field: value for field, value in named.items() if value is not None}
    wanted = msgspec.structs.replace(same, client_order_id=command.client_order_id, **changes)
    if same.display_quantity is not None and wanted.quantity < same.display_quantity:
        wanted = msgspec.structs.replace(wanted, display_quantity=wanted.quantity)
    if wanted.time_in_force is not TimeInForce.GTD:
        wanted = msgspec.structs.replace(wanted, expires_ns=None)
    return wanted


def _check_changes(old: OrderState, same: SubmitOrder, wanted: SubmitOrder) -> Denial | None:
    """Something would change, and not the stop price of an order that was elected (R4, R5)."""
    if wanted == same:
        return Denial(DenialReason.ORDER_UNCHANGED, {})
    price = _price(old.stop_price, old.instrument)
    if old.is_waiting or price is None:
        return None
    stops = [(order.stop_price, order.trail_price, order.trail_percent) for order in (wanted, same)]
    if stops[0] != stops[1]:
        return Denial(DenialReason.STOP_ELECTED, {"stop_price": to_wire(price)})
    return None


def _succeed(step: Step, old: OrderState, successor: OrderState) -> None:
    """End the old order and let the successor in: in its place if it keeps it (R3)."""
    is_elected = successor.stop_price is not None and not old.is_waiting
    keeps_place = _keeps_place(old, successor)
    if keeps_place:
        book = old.instrument.book
        book.succeed(old.id, successor.id, successor.quantity)
        successor.displayed = min(old.displayed, successor.quantity)
        step.changes.books[old.instrument.id] = old.instrument
    else:
        lifecycle.withdraw(step, old)
        successor.rank = successor.rank if is_elected else 0
    old.replaced_by = successor.id
    old.request_id = successor.request_id
    lifecycle.close(step, old, CloseReason.REPLACED)
    is_queued = not keeps_place and joins_queue(successor, step.now_ns)
    lifecycle.accept(step, successor, OrderEvent.QUEUED if is_queued else OrderEvent.ACCEPTED)
    if is_elected:
        lifecycle.trigger(step, successor, old.rank if keeps_place else None)
    if keeps_place:
        return
    if is_queued:
        step.state.enqueue(successor)
    elif successor.is_waiting:
        step.state.wait(successor)
    else:
        match(step, successor)


def _succeed_held(step: Step, old: OrderState, successor: OrderState) -> None:
    """The same for a leg that is in no book yet; if its turn is to come, it is the successor's."""
    old.replaced_by = successor.id
    old.request_id = successor.request_id
    successor.rank = 0
    lifecycle.close(step, old, CloseReason.REPLACED)
    lifecycle.accept(step, successor, OrderEvent.HELD)
    if is_armed(step.state, successor):
        step.state.elections.append(successor.id)


def _keeps_place(old: OrderState, successor: OrderState) -> bool:
    return (
        not old.is_waiting
        and old.status is not OrderStatus.QUEUED
        and successor.limit_price == old.limit_price
        and successor.quantity <= old.leaves
        and successor.time_in_force not in {TimeInForce.IOC, TimeInForce.FOK}
    )


def amend_order(step: Step, command: AmendOrder) -> OrderState | Denial:
    """The order with its new quantity, or why it stays as it is (A1)."""
    order = step.state.orders.get(command.order_id)
    if order is None or order.account.id != command.account_id:
        return Denial(DenialReason.ORDER_NOT_OPEN, {})
    if order.leg is not None:
        return Denial(DenialReason.GROUP_TERMS_FIXED, {})
    denial = check_quantity(command.quantity, order.instrument.terms)
    if denial is not None:
        return denial
    units = decimal_to_units(command.quantity)
    assert units is not None  # on the grid: checked before
    lot = order.instrument.lot_units
    used = order.filled + order.prevented
    if not used < units // lot < order.quantity:
        return Denial(
            DenialReason.AMEND_NOT_LESS,
            {
                "quantity": units_to_wire(order.quantity * lot),
                "filled": units_to_wire(used * lot),
            },
        )
    lifecycle.amend(step, order, units // lot, command.request_id)
    return order
