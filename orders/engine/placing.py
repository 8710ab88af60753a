"""Placing an order: check, accept, reserve, take, then rest or close. Called by the core.

Reads as the way of an order through risk and the book; every effect lands in the batch's changes.
"""

from datetime import UTC, datetime, timedelta

from core.domain.clock import from_ns, to_ns
from core.domain.units import decimal_to_units
from orders.domain.commands import SubmitOrder
from orders.domain.reasons import CloseReason
from orders.domain.values import OrderType, Side, TimeInForce
from orders.engine import lifecycle
from orders.engine.state import Account, Instrument, OrderState
from orders.engine.step import Step
from risk.domain import checks
from risk.domain.reasons import Denial, DenialReason


def place_order(step: Step, command: SubmitOrder) -> OrderState | Denial:
    """The order as it stands after matching, or the first check that it did not pass."""
    account = step.state.accounts.get(command.account_id)
    instrument = step.state.instrument(command.symbol)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    if instrument is None:
        return Denial(DenialReason.INSTRUMENT_UNKNOWN, {"symbol": command.symbol})
    denial = _check_account(step, command, account, instrument) or _check_terms(command, instrument)
    if denial is not None:
        return denial
    order = _draft(account, instrument, command, step.now_ns)
    denial = _check_passage(order, step.now_ns)
    if denial is not None:
        return denial
    lifecycle.accept(step, order)
    _match(step, order)
    return order


def _check_account(
    step: Step, command: SubmitOrder, account: Account, instrument: Instrument
) -> Denial | None:
    """The order is a new one, and the account holds the money that the instrument trades in."""
    order_id = command.order_id
    if order_id in step.state.orders or order_id in step.changes.new_orders:
        return Denial(DenialReason.CLIENT_ORDER_ID_DUPLICATE, {"order_id": str(order_id)})
    if instrument.currency != account.currency:
        return Denial(
            DenialReason.CURRENCY_NOT_HELD,
            {"symbol": instrument.symbol, "currency": instrument.currency},
        )
    return None


def _check_terms(command: SubmitOrder, instrument: Instrument) -> Denial | None:
    """Quantity and price are on the instrument's grid and fit the order's type."""
    terms = instrument.terms
    denial = checks.check_quantity(command.quantity, terms)
    if denial is not None:
        return denial
    if command.type is OrderType.MARKET:
        return (
            Denial(DenialReason.PRICE_NOT_ALLOWED, {}) if command.limit_price is not None else None
        )
    if command.limit_price is None:
        return Denial(DenialReason.PRICE_REQUIRED, {})
    return checks.check_price(command.limit_price, terms)


def _draft(
    account: Account, instrument: Instrument, command: SubmitOrder, now_ns: int
) -> OrderState:
    """The order in ticks and lots; not yet known to anyone."""
    quantity_units = decimal_to_units(command.quantity)
    assert quantity_units is not None
    limit_price = None
    if command.limit_price is not None:
        price_units = decimal_to_units(command.limit_price)
        assert price_units is not None
        limit_price = price_units // instrument.tick_units
    is_day = command.time_in_force is TimeInForce.DAY
    return OrderState(
        id=command.order_id,
        sequence=0,
        account=account,
        instrument=instrument,
        client_order_id=command.client_order_id or str(command.order_id),
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force,
        quantity=quantity_units // instrument.lot_units,
        limit_price=limit_price,
        submitted_by_id=command.submitted_by_id,
        request_id=command.request_id,
        submitted_ns=now_ns,
        expires_ns=_day_end_ns(now_ns) if is_day else None,
    )


def _day_end_ns(now_ns: int) -> int:
    """The next UTC midnight: where the trading day of a venue that never closes ends."""
    day = from_ns(now_ns).date() + timedelta(days=1)
    return to_ns(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _check_passage(order: OrderState, now_ns: int) -> Denial | None:
    """The market is open, and the account may do this and can: value, own orders, means."""
    account, instrument = order.account, order.instrument
    if not instrument.is_open:
        return Denial(DenialReason.INSTRUMENT_HALTED, {"symbol": instrument.symbol})
    available, ticks_lots = order.quantity, order.quantity * (order.limit_price or 0)
    if order.type is OrderType.MARKET:
        available, ticks_lots = instrument.book.takeable(order.side, None, order.quantity, now_ns)
        if not available:
            return Denial(DenialReason.LIQUIDITY_NONE, {"symbol": instrument.symbol})
    notional = ticks_lots * instrument.value_units
    return (
        checks.check_notional(notional, instrument.terms)
        or _check_proceeds(order, now_ns)
        or checks.check_open_orders(len(account.open_orders))
        or _check_self_trade(order)
        or _check_means(order, notional)
    )


def _check_proceeds(order: OrderState, now_ns: int) -> Denial | None:
    """A sell below the market is worth what the bids pay, however low its limit."""
    instrument, limit_price = order.instrument, order.limit_price
    if order.side is Side.BUY or limit_price is None:
        return None
    best = instrument.book.best(Side.BUY, now_ns)
    if best is None or best <= limit_price:
        return None
    taken, ticks_lots = instrument.book.takeable(order.side, limit_price, order.quantity, now_ns)
    ticks_lots += (order.quantity - taken) * limit_price
    return checks.check_largest_notional(ticks_lots * instrument.value_units)


def _check_self_trade(order: OrderState) -> Denial | None:
    if order.instrument.book.would_self_trade(order.account.id, order.side, order.limit_price):
        return Denial(DenialReason.SELF_TRADE, {"symbol": order.instrument.symbol})
    return None


def _check_means(order: OrderState, notional: int) -> Denial | None:
    """Cash for a buy, position for a sell."""
    account, instrument = order.account, order.instrument
    if order.side is Side.BUY:
        return checks.check_funds(notional, account.balance.free, account.currency)
    position = account.position(instrument.id)
    lot = instrument.lot_units
    return checks.check_position(
        order.quantity * lot, position.quantity * lot, position.locked * lot, instrument.symbol
    )


def _match(step: Step, order: OrderState) -> None:
    """Trade what can trade now, then let the rest rest or end, by the time in force (F1 to F4)."""
    book = order.instrument.book
    if order.time_in_force is TimeInForce.FOK:
        takeable, _ = book.takeable(order.side, order.limit_price, order.quantity, step.now_ns)
        if takeable < order.quantity:
            lifecycle.close(step, order, CloseReason.FOK_UNFILLABLE)
            return
    fills = book.take(order.side, order.limit_price, order.quantity, step.now_ns)
    if fills:
        lifecycle.fill_taker(step, order, fills)
    if not order.leaves:
        return
    if order.type is OrderType.MARKET:
        lifecycle.close(step, order, CloseReason.LIQUIDITY_EXHAUSTED)
    elif order.time_in_force in {TimeInForce.IOC, TimeInForce.FOK}:
        lifecycle.close(step, order, CloseReason.IOC_REMAINDER)
    else:
        assert order.limit_price is not None
        book.rest(
            order.id, order.account.id, order.side, order.limit_price, order.leaves, step.now_ns
        )
        step.changes.books[order.instrument.id] = order.instrument
