"""Placing an order: check, accept, reserve, take, then rest, wait or close. Called by the core.

Reads as the way of an order: its terms (orders/engine/terms.py), whether it may pass
(orders/engine/passage.py), then the book. Every effect lands in the batch's changes.
"""

from orders.domain.commands import SubmitOrder
from orders.domain.reasons import CloseReason
from orders.domain.states import OrderEvent
from orders.domain.values import OrderType, StpMode, TimeInForce
from orders.engine import lifecycle, volatility
from orders.engine.conditions import check_deadline
from orders.engine.legs import accept_legs, check_legs, draft_legs
from orders.engine.lifetime import check_lifetime
from orders.engine.notional import size_by_notional
from orders.engine.order_sessions import check_session
from orders.engine.pacing import check_pace, note_accepted
from orders.engine.passage import check_passage
from orders.engine.preventing import take_beside_own, takeable
from orders.engine.queueing import joins_queue, price_market_order
from orders.engine.restrictions import check_restrictions
from orders.engine.state import Account, Instrument, OrderState
from orders.engine.step import Step
from orders.engine.terms import check_terms, draft_order
from orders.engine.trailing import begin_trail
from orders.engine.windows import reach_of
from risk.domain.reasons import Denial, DenialReason


def place_order(step: Step, command: SubmitOrder) -> OrderState | Denial:
    """The order as it stands after matching, or the first check that it did not pass."""
    order = drafted(step, command)
    if isinstance(order, Denial):
        return order
    legs = draft_legs(step, command, order) if command.group is not None else []
    if isinstance(legs, Denial):
        return legs
    denial = check_pace(step, order) or check_entry(step, order)
    if denial is None and legs:
        denial = check_legs(step, order, legs)
    if denial is not None:
        return denial
    is_queued = joins_queue(order, step.now_ns)
    lifecycle.accept(step, order, OrderEvent.QUEUED if is_queued else OrderEvent.ACCEPTED)
    note_accepted(step, order)
    if legs:
        accept_legs(step, order, legs)
    if is_queued:
        step.state.enqueue(order)
    elif order.is_waiting:
        step.state.wait(order)
    else:
        match(step, order)
    return order


def drafted(step: Step, command: SubmitOrder) -> OrderState | Denial:
    """The order that is asked for, not yet known to anyone, once its terms are right."""
    denial = check_deadline(command, step.now_ns)
    if denial is not None:
        return denial
    account = step.state.accounts.get(command.account_id)
    instrument = step.state.instrument(command.symbol)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    if instrument is None:
        return Denial(DenialReason.INSTRUMENT_UNKNOWN, {"symbol": command.symbol})
    denial = (
        check_account(step, command, account, instrument)
        or (check_session(step.state, command) if command.session_id else None)
        or check_terms(command, instrument)
        or check_lifetime(command, instrument, step.now_ns)
    )
    return denial or draft_order(account, instrument, command, step.now_ns)


def check_entry(step: Step, order: OrderState) -> Denial | None:
    """The market, the account and its scopes let the order in; changes nothing but the draft."""
    return (
        complete_draft(order, joins_queue(order, step.now_ns), step.now_ns)
        or check_restrictions(step, order)
        or check_passage(step.state, order, step.now_ns)
    )


def complete_draft(
    order: OrderState, is_queued: bool, now_ns: int, mark: int | None = None
) -> Denial | None:
    """Settle what the order leaves to the market: the quantity of one that names a value, the price
    of a market order that waits, the mark of a trailing stop, unless it is told.
    """
    if order.notional is not None:
        return size_by_notional(order, is_queued, now_ns)
    if is_queued:
        return price_market_order(order, now_ns)
    if order.type is OrderType.TRAILING_STOP:
        return begin_trail(order, now_ns, mark)
    return None


def check_account(
    step: Step, command: SubmitOrder, account: Account, instrument: Instrument
) -> Denial | None:
    """The order is a new one, and the account holds the money that the instrument trades in."""
    order_id = command.order_id
    if order_id in step.state.orders or order_id in step.changes.new_orders:
        return Denial(DenialReason.CLIENT_ORDER_ID_DUPLICATE, {"order_id": str(order_id)})
    if account.is_suspended:
        return Denial(DenialReason.TRADING_SUSPENDED, {})
    if instrument.currency != account.currency:
        return Denial(
            DenialReason.CURRENCY_NOT_HELD,
            {"symbol": instrument.symbol, "currency": instrument.currency},
        )
    return None


def match(step: Step, order: OrderState) -> None:
    """Trade what can trade now, then let the rest rest or end, by the time in force (F1 to F4)."""
    reach = reach_of(step, order)
    if order.time_in_force is TimeInForce.FOK:
        available, _ = takeable(order, reach.limit, step.now_ns)
        if available < order.quantity:
            lifecycle.close(step, order, CloseReason.FOK_UNFILLABLE)
            return
    if order.stp_mode is StpMode.REJECT:
        book = order.instrument.book
        fills = book.take(order.side, reach.limit, order.leaves, step.now_ns)
        if fills:
            lifecycle.fill_taker(step, order, fills)
    else:
        take_beside_own(step, order, reach.limit)
    if order.leaves and not (reach.within and volatility.stop_at_edge(step, order, reach)):
        _end_or_rest(step, order)


def _end_or_rest(step: Step, order: OrderState) -> None:
    """What the order could not take (F1 to F3)."""
    book = order.instrument.book
    if order.limit_price is None:
        is_left = book.best(order.side.opposite, step.now_ns) is not None
        reason = CloseReason.BAND_REACHED if is_left else CloseReason.LIQUIDITY_EXHAUSTED
        lifecycle.close(step, order, reason)
    elif order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
        lifecycle.close(step, order, CloseReason.IOC_REMAINDER)
    else:
        _rest(step, order, order.limit_price)


def _rest(step: Step, order: OrderState, price: int) -> None:
    """Put what is left into the book; of an order that hides a part, only what it shows (I1)."""
    book, owner_id = order.instrument.book, order.account.owner_id
    book.rest(order.id, owner_id, order.side, price, order.leaves, step.now_ns)
    if order.display:
        order.displayed = min(order.display, order.leaves)
        book.hide(order.id, order.display, order.displayed)
    step.changes.books[order.instrument.id] = order.instrument
