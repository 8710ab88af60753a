"""What happens to an order after it was let in: accepted, elected, filled, canceled, expired.

Each step moves the status by the table, keeps the hold true, and appends the event with its number.
Money and positions move in settlement; this module decides nothing about prices.
"""

from collections.abc import Sequence
from typing import Final

from core.domain.clock import wire_time
from orders.domain.matching.book import Fill
from orders.domain.matching.street import StreetFill
from orders.domain.order_class import Leg
from orders.domain.reasons import CloseReason
from orders.domain.states import OrderEvent, next_status
from orders.domain.values import Liquidity, OrderStatus, OrderType, Side, TimeInForce
from orders.domain.views import AccountEvent, ExecutionView, PositionView
from orders.engine import grouping, settlement
from orders.engine.changes import ExecutionRow
from orders.engine.limit_usage import note_order
from orders.engine.render import balance_view, execution_view, order_view, position_view
from orders.engine.settlement import Trade
from orders.engine.state import Account, OrderState
from orders.engine.step import Step
from orders.engine.trailing import stand_still
from orders.engine.windows import note_trade

CLOSING_EVENTS: Final = {
    CloseReason.DAY_END: OrderEvent.EXPIRED,
    CloseReason.GTD_END: OrderEvent.EXPIRED,
    CloseReason.REPLACED: OrderEvent.REPLACED,
}
"""What a reason makes of an open order; every other one cancels it."""


_ENDS: Final = {
    TimeInForce.DAY: CloseReason.DAY_END,
    TimeInForce.GTD: CloseReason.GTD_END,
    TimeInForce.OPG: CloseReason.OPG_REMAINDER,
    TimeInForce.CLS: CloseReason.CLS_REMAINDER,
}
"""Why an order ends when its time has come."""


def accept(step: Step, order: OrderState, event: OrderEvent = OrderEvent.ACCEPTED) -> None:
    """Number the order, set its means aside and say so. `event` tells one that waits (QUEUED)."""
    order.sequence = step.state.next_sequence()
    order.rank = order.rank or order.sequence
    step.state.add_order(order)
    step.changes.new_orders[order.id] = order
    if event is OrderEvent.HELD:
        settlement.keep_hold(step, order)
    elif order.type is not OrderType.MARKET or event is OrderEvent.QUEUED:
        # A market order ends at once, and its cost was checked against the book it is about to
        # meet: there is nothing to hold between the check and the fill.
        settlement.place_hold(step, order)
    _advance(step, order, event)
    append_event(step, order, event)


def release(step: Step, order: OrderState, event: OrderEvent = OrderEvent.RELEASED) -> None:
    """What the order waited for is over (its auction, its group's entry): it enters the market, or
    the queue for an auction (`event` QUEUED).
    """
    _tell(step, order, event)


def trigger(step: Step, order: OrderState, rank: int | None = None) -> None:
    """A trade reached the stop price: the order is no stop any more, and the newest in time, unless
    it takes over the `rank` of the order it succeeds (R3).
    """
    if order.hwm is not None:
        stand_still(step, order, is_entering=True)
    order.rank = rank or step.state.next_sequence()
    _tell(step, order, OrderEvent.TRIGGERED)
    if order.leg is Leg.STOP_LOSS:
        for sibling in grouping.others(step.state, order):
            withdraw(step, sibling)
            close(step, sibling, CloseReason.SIBLING_ELECTED)


def fill_taker(step: Step, order: OrderState, fills: Sequence[Fill]) -> None:
    """Settle an incoming order's fills in the order they happened, each with its maker."""
    state = step.state
    for fill in fills:
        trade = Trade(state.execution_number + 1, fill.price, fill.quantity)
        if fill.maker_order_id is None:
            other = state.accounts[state.street_id]
            settlement.transfer_trade(step, order, other, trade)
            settlement.settle_street(step, order, other, trade)
        else:
            maker = state.orders[fill.maker_order_id]
            settlement.transfer_trade(step, order, maker.account, trade)
            _fill(step, maker, trade, Liquidity.MAKER)
        _fill(step, order, trade, Liquidity.TAKER)
        note_trade(step, order.instrument, trade.price)


def fill_auction(step: Step, pair: Sequence[OrderState], price: int, quantity: int) -> None:
    """Settle one trade of an auction: of two orders, the earlier first and as the maker, or of one
    with the street.
    """
    state = step.state
    trade = Trade(state.execution_number + 1, price, quantity)
    taker = pair[-1]
    if len(pair) == 1:
        other = state.accounts[state.street_id]
        settlement.settle_street(step, taker, other, trade)
    else:
        other = pair[0].account
        _fill(step, pair[0], trade, Liquidity.MAKER)
    _fill(step, taker, trade, Liquidity.TAKER)
    settlement.transfer_trade(step, taker, other, trade)
    note_trade(step, taker.instrument, price, is_auction=True)


def fill_makers(step: Step, fills: Sequence[StreetFill]) -> None:
    """Settle resting orders that the street reached."""
    if not fills:
        return  # most quotes reach nobody; a portal without accounts has no street to settle with
    state = step.state
    street = state.accounts[state.street_id]
    for fill in fills:
        order = state.orders[fill.order_id]
        trade = Trade(state.execution_number + 1, fill.price, fill.quantity)
        settlement.transfer_trade(step, order, street, trade)
        settlement.settle_street(step, order, street, trade)
        _fill(step, order, trade, Liquidity.MAKER)
        note_trade(step, order.instrument, trade.price)


def cancel(
    step: Step,
    order: OrderState,
    reason: CloseReason,
    request_id: str,
) -> None:
    """Withdraw an open order and close it. `request_id` names who asked. Nothing to do when its
    group has ended by the cancel of another.
    """
    if order.closed_ns is not None:
        return
    withdraw(step, order)
    order.request_id = request_id
    close(step, order, reason)


def expire(step: Step, order: OrderState) -> None:
    """End an order whose time has come, unless it has ended with its group."""
    if order.closed_ns is not None:
        return
    withdraw(step, order)
    close(step, order, _ENDS[order.time_in_force])


def amend(step: Step, order: OrderState, quantity: int, request_id: str) -> None:
    """Lower an open order's quantity, in the book and in what it holds (A1)."""
    less = order.quantity - quantity
    if not order.is_waiting and order.status is not OrderStatus.QUEUED:
        order.instrument.book.lower(order.id, less)
        step.changes.books[order.instrument.id] = order.instrument
    order.quantity = quantity
    order.displayed = min(order.displayed, order.leaves)
    settlement.lower_hold(step, order)
    _advance(step, order, OrderEvent.AMENDED)
    step.changes.order(order)
    placed_by, order.request_id = order.request_id, request_id
    append_event(step, order, OrderEvent.AMENDED)
    order.request_id = placed_by  # as its row has it


def prevent(step: Step, order: OrderState, lots: int) -> None:
    """Take `lots` off an open order that would have traded with an own one (O2). The book knows."""
    order.prevented += lots
    order.displayed = min(order.displayed, order.leaves)
    settlement.release_prevented(step, order)
    if not order.leaves:
        close(step, order, CloseReason.SELF_TRADE)
        return
    _tell(step, order, OrderEvent.DECREMENTED)
    if order.leg is not None:
        _lessen_sibling(step, order, lots)


def withdraw(step: Step, order: OrderState) -> None:
    """Take the order out of where it is: the waiting stops, or the book. One whose election is
    still to come is in neither; its turn finds it closed.
    """
    instrument = order.instrument
    if order.status is OrderStatus.HELD:
        return
    if order.status is OrderStatus.QUEUED:
        instrument.unqueue(order)
        return
    if order.is_waiting:
        instrument.stops.remove(order.id)
        if order.hwm is not None:
            stand_still(step, order, is_entering=False)
        return
    instrument.book.cancel(order.id)
    step.changes.books[instrument.id] = instrument


def close(step: Step, order: OrderState, reason: CloseReason) -> None:
    """Close an order that is in no book and no queue any more: give its hold back, say why, and do
    the same for those of its group that end with it.
    """
    if order.leg is None:
        _close(step, order, reason)
        return
    is_arming = grouping.arms_legs(step, order, reason)
    ending = grouping.ended_with(step, order, reason)
    _close(step, order, reason)
    for other, why in ending:
        withdraw(step, other)
        other.request_id = order.request_id
        _close(step, other, why)
    if is_arming:
        _arm(step, order)


def _arm(step: Step, entry: OrderState) -> None:
    """The entry is done: its legs take their turns, for what it filled."""
    for leg in grouping.arm(step.state, entry):
        _tell(step, leg, OrderEvent.AMENDED)


def _lessen_sibling(step: Step, order: OrderState, lots: int) -> None:
    """A part of one of a pair is gone, so the other asks for as much less, or for nothing."""
    if order.leg is Leg.ENTRY:
        return
    for sibling in grouping.others(step.state, order):
        if sibling.leaves == lots:
            withdraw(step, sibling)
            _close(step, sibling, CloseReason.SIBLING_FILLED)
        else:
            sibling.quantity -= lots
            _tell(step, sibling, OrderEvent.AMENDED)


def _close(step: Step, order: OrderState, reason: CloseReason) -> None:
    event = CLOSING_EVENTS.get(reason, OrderEvent.CANCELED)
    order.reason = reason
    order.displayed = 0
    settlement.release_hold(step, order)
    _advance(step, order, event)
    _forget(step, order)
    step.changes.order(order)
    append_event(step, order, event)


def _fill(step: Step, order: OrderState, trade: Trade, liquidity: Liquidity) -> None:
    """One order's part of one trade: status, hold, cash, position, execution row and event."""
    instrument = order.instrument
    order.filled += trade.quantity
    order.filled_notional += trade.price * trade.quantity * instrument.value_units
    if order.displayed:
        show_next(step, order, trade.quantity)
    is_last = order.filled + order.prevented == order.quantity
    event = OrderEvent.FILLED if is_last else OrderEvent.PARTIALLY_FILLED
    _advance(step, order, event)
    if is_last:
        _forget(step, order)
    fee = settlement.settle_order(step, order, trade, liquidity)
    step.state.execution_number += 1
    row = ExecutionRow(
        id=step.state.execution_number,
        trade_id=trade.id,
        order_id=order.id,
        account_id=order.account.id,
        instrument_id=instrument.id,
        side=order.side.value,
        price_units=trade.price * instrument.tick_units,
        quantity_units=trade.quantity * instrument.lot_units,
        liquidity=liquidity.value,
        occurred_ns=step.now_ns,
        fee_units=fee,
    )
    step.changes.executions.append(row)
    step.changes.order(order)
    step.changes.books[instrument.id] = instrument
    append_event(step, order, event, row)
    if order.leg is not None:
        _lessen_sibling(step, order, trade.quantity)
        if is_last and order.leg is Leg.ENTRY:
            _arm(step, order)


def _tell(step: Step, order: OrderState, event: OrderEvent) -> None:
    """An open order goes on otherwise."""
    _advance(step, order, event)
    step.changes.order(order)
    append_event(step, order, event)


def show_next(step: Step, order: OrderState, lots: int) -> None:
    """Of a resting order that hides a part `lots` have traded: when it shows nothing any more, it
    shows its next slice, and is the newest in time (I2).
    """
    order.displayed = max(order.displayed - lots, 0)
    if not order.displayed and order.leaves:
        order.displayed = min(order.display, order.leaves)
        order.rank = step.state.next_sequence()


def _advance(step: Step, order: OrderState, event: OrderEvent) -> None:
    order.status = next_status(order.status, event)
    order.updated_ns = step.now_ns


def _forget(step: Step, order: OrderState) -> None:
    """A closed order leaves the engine's memory; its row stays."""
    order.closed_ns = step.now_ns
    del step.state.orders[order.id]
    del order.account.open_orders[order.id]
    if order.leg is not None:
        step.state.forget_in_group(order)
    if order.account.is_margin and order.is_opening:
        position = order.account.position(order.instrument.id)
        position.openings -= 1 if order.side is Side.BUY else -1


def append_event(
    step: Step,
    order: OrderState,
    event: OrderEvent,
    row: ExecutionRow | None = None,
) -> None:
    """Append the order's event, numbered in its account, with everything a listener needs. What
    is told is counted: no change of an order goes untold.
    """
    usage = step.state.limits.usage
    if usage is not None:
        note_order(usage, order)
    execution: ExecutionView | None = None
    position: PositionView | None = None
    if row is not None:
        execution = execution_view(row, order)
        position = position_view(order.account, order.instrument)
    append_account_event(
        step,
        order.account,
        AccountEvent(
            event=event.value,
            version=1,
            account_id=order.account.public_id,
            account_sequence=order.account.sequence + 1,
            occurred_at=wire_time(step.now_ns),
            request_id=order.request_id,
            order=order_view(order),
            execution=execution,
            position=position,
            balance=balance_view(order.account),
        ),
    )


def append_account_event(step: Step, account: Account, event: AccountEvent) -> None:
    assert event.account_sequence == account.sequence + 1
    account.sequence += 1
    step.changes.events.append((account.id, event))
