"""An order's terms: whether they fit the instrument's grid and the order's type, then in integers.

The first step of placing (orders/engine/placing.py). Looks at the request and the instrument only,
never at the account or the market.
"""

from decimal import Decimal

from core.domain.units import decimal_to_units
from orders.domain.commands import SubmitOrder
from orders.domain.matching.stops import protected_price
from orders.domain.values import OrderType, Side, TimeInForce
from orders.engine.conditions import check_display, check_post_only_terms
from orders.engine.lifetime import end_ns
from orders.engine.notional import check_notional_terms
from orders.engine.state import Account, Instrument, OrderState
from orders.engine.trailing import check_trail_terms, set_distance
from risk.domain import checks
from risk.domain.reasons import Denial, DenialReason


def check_terms(command: SubmitOrder, instrument: Instrument) -> Denial | None:
    """Quantity, prices and time in force are on the instrument's grid and fit the order's type."""
    terms = instrument.terms
    return (
        _check_size(command, terms)
        or _check_limit_price(command, terms)
        or _check_stop_terms(command, terms)
        or (check_post_only_terms(command) if command.post_only else None)
        or (None if command.display_quantity is None else check_display(command, terms))
    )


def _check_size(command: SubmitOrder, terms: checks.InstrumentTerms) -> Denial | None:
    """The quantity, or the value that the order names in its place."""
    if command.notional is not None:
        return check_notional_terms(command)
    return checks.check_quantity(command.quantity, terms)


def _check_limit_price(command: SubmitOrder, terms: checks.InstrumentTerms) -> Denial | None:
    price = command.limit_price
    if not command.type.names_limit:
        return None if price is None else Denial(DenialReason.PRICE_NOT_ALLOWED, {})
    if price is None:
        return Denial(DenialReason.PRICE_REQUIRED, {})
    return checks.check_price(price, terms)


def _check_stop_terms(command: SubmitOrder, terms: checks.InstrumentTerms) -> Denial | None:
    """The stop price, and that the order may wait for it (E6)."""
    price, time_in_force = command.stop_price, command.time_in_force
    is_trailing = command.type is OrderType.TRAILING_STOP
    if not is_trailing and (command.trail_price is not None or command.trail_percent is not None):
        return Denial(DenialReason.TRAIL_NOT_ALLOWED, {})
    if not command.type.is_stop:
        return None if price is None else Denial(DenialReason.STOP_PRICE_NOT_ALLOWED, {})
    if price is None and not is_trailing:
        return Denial(DenialReason.STOP_PRICE_REQUIRED, {})
    if time_in_force not in {TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD}:
        return Denial(DenialReason.TIF_NOT_ALLOWED, {"time_in_force": time_in_force.value.lower()})
    if is_trailing:
        return check_trail_terms(command, terms)
    assert price is not None
    return checks.check_stop_price(price, terms)


def draft_order(
    account: Account, instrument: Instrument, command: SubmitOrder, now_ns: int
) -> OrderState:
    """The order in ticks and lots; not yet known to anyone."""
    quantity_units = decimal_to_units(command.quantity)
    assert quantity_units is not None
    limit_price = _ticks(command.limit_price, instrument)
    stop_price = _ticks(command.stop_price, instrument)
    if command.type is OrderType.STOP and command.side is Side.BUY:
        assert stop_price is not None
        limit_price = protected_price(stop_price, instrument.tick_units)
    order = OrderState(
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
        stop_price=stop_price,
        fee_rate=account.tier.taker,
        strategy=command.strategy,
        post_only=command.post_only,
        reduce_only=command.reduce_only,
        stp_mode=command.stp_mode or account.stp_mode,
        is_opening=_is_opening(account, instrument, command.side),
        submitted_by_id=command.submitted_by_id,
        request_id=command.request_id,
        submitted_ns=now_ns,
        expires_ns=end_ns(command, instrument, now_ns),
        key_id=command.key_id,
        session_id=command.session_id,
    )
    if command.notional is not None:
        order.notional = decimal_to_units(command.notional)
    if command.type is OrderType.TRAILING_STOP:
        set_distance(order, command)
    if command.display_quantity is not None:
        display_units = decimal_to_units(command.display_quantity)
        assert display_units is not None
        order.display = display_units // instrument.lot_units
    return order


def _is_opening(account: Account, instrument: Instrument, side: Side) -> bool:
    """Whether the order opens (docs/fees-and-margin.md L4); in a cash account every buy does."""
    is_buy = side is Side.BUY
    if not account.is_margin:
        return is_buy
    quantity = account.position(instrument.id).quantity
    return quantity >= 0 if is_buy else quantity <= 0


def _ticks(price: Decimal | None, instrument: Instrument) -> int | None:
    if price is None:
        return None
    units = decimal_to_units(price)
    assert units is not None  # on the grid: checked before
    return units // instrument.tick_units
