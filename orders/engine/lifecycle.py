"""What happens to an order after it was let in: accepted, filled, canceled, expired.

Each step moves the status by the table, keeps the hold true, and appends the event with its number.
Money and positions move in settlement; this module decides nothing about prices.
"""

from collections.abc import Sequence

from core.domain.clock import wire_time
from orders.domain.matching.book import Fill
from orders.domain.matching.street import StreetFill
from orders.domain.reasons import CloseReason
from orders.domain.states import OrderEvent, next_status
from orders.domain.values import Liquidity, OrderType
from orders.domain.views import AccountEvent, ExecutionView, PositionView
from orders.engine import settlement
from orders.engine.changes import ExecutionRow
from orders.engine.render import balance_view, execution_view, order_view, position_view
from orders.engine.settlement import Trade
from orders.engine.state import Account, OrderState
from orders.engine.step import Step


def accept(step: Step, order: OrderState) -> None:
    """Number the order, set its means aside and say so."""
    step.state.order_sequence += 1
    order.sequence = step.state.order_sequence
    step.state.add_order(order)
    step.changes.new_orders[order.id] = order
    if order.type is OrderType.LIMIT:
        # A market order ends at once, and its cost was checked against the book it is about to
        # meet: there is nothing to hold between the check and the fill.
        settlement.place_hold(step, order)
    _advance(step, order, OrderEvent.ACCEPTED)
    append_event(step, order, OrderEvent.ACCEPTED)


def fill_taker(step: Step, order: OrderState, fills: Sequence[Fill]) -> None:
    """Settle an incoming order's fills in the order they happened, each with its maker."""
    state = step.state
    for fill in fills:
        trade = Trade(state.execution_number + 1, fill.price, fill.quantity)
        if fill.maker_order_id is None:
            other = state.accounts[state.street_id]
            settlement.settle_street(step, order, other, trade)
        else:
            maker = state.orders[fill.maker_order_id]
            other = maker.account
            _fill(step, maker, trade, Liquidity.MAKER)
        _fill(step, order, trade, Liquidity.TAKER)
        settlement.transfer_trade(step, order, other, trade)


def fill_makers(step: Step, fills: Sequence[StreetFill]) -> None:
    """Settle resting orders that the street reached."""
    if not fills:
        return  # most quotes reach nobody; a portal without accounts has no street to settle with
    state = step.state
    street = state.accounts[state.street_id]
    for fill in fills:
        order = state.orders[fill.order_id]
        trade = Trade(state.execution_number + 1, fill.price, fill.quantity)
        settlement.settle_street(step, order, street, trade)
        _fill(step, order, trade, Liquidity.MAKER)
        settlement.transfer_trade(step, order, street, trade)


def cancel(
    step: Step,
    order: OrderState,
    reason: CloseReason,
    request_id: str,
) -> None:
    """Take a resting order out of the book and close it. `request_id` names who asked."""
    order.instrument.book.cancel(order.id)
    step.changes.books[order.instrument.id] = order.instrument
    order.request_id = request_id
    close(step, order, reason)


def expire(step: Step, order: OrderState) -> None:
    """End a day order whose day is over."""
    order.instrument.book.cancel(order.id)
    step.changes.books[order.instrument.id] = order.instrument
    close(step, order, CloseReason.DAY_END)


def close(step: Step, order: OrderState, reason: CloseReason) -> None:
    """Close an order that is in no book any more: give its hold back and say why it ended."""
    event = OrderEvent.EXPIRED if reason is CloseReason.DAY_END else OrderEvent.CANCELED
    order.reason = reason
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
    is_last = order.filled == order.quantity
    event = OrderEvent.FILLED if is_last else OrderEvent.PARTIALLY_FILLED
    _advance(step, order, event)
    if is_last:
        _forget(step, order)
    settlement.settle_order(step, order, trade)
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
    )
    step.changes.executions.append(row)
    step.changes.order(order)
    step.changes.books[instrument.id] = instrument
    append_event(step, order, event, row)


def _advance(step: Step, order: OrderState, event: OrderEvent) -> None:
    order.status = next_status(order.status, event)
    order.updated_ns = step.now_ns


def _forget(step: Step, order: OrderState) -> None:
    """A closed order leaves the engine's memory; its row stays."""
    order.closed_ns = step.now_ns
    del step.state.orders[order.id]
    del order.account.open_orders[order.id]


def append_event(
    step: Step,
    order: OrderState,
    event: OrderEvent,
    row: ExecutionRow | None = None,
) -> None:
    """Append the order's event, numbered in its account, with everything a listener needs."""
    execution: ExecutionView | None = None
    position: PositionView | None = None
    if row is not None:
        execution = execution_view(row, order.instrument.symbol)
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
