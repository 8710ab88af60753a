"""Pre-trade checks: may this order pass? Pure functions over integers, asked by the engine in one
order.

What a client sent is a Decimal; money is in units of 10^-8 of the currency (core.domain.units).
Each check returns a Denial or None and changes nothing (SEC 15c3-5 (c)(1)).
"""

from dataclasses import dataclass
from decimal import Decimal

from core.domain.decimals import to_wire
from core.domain.units import decimal_to_units, units_to_wire
from risk.domain.limits import (
    MAX_CASH_UNITS,
    MAX_NOTIONAL_UNITS,
    MAX_OPEN_ORDERS_PER_ACCOUNT,
    MAX_PRICE,
    MAX_QUANTITY,
)
from risk.domain.reasons import Denial, DenialReason


@dataclass(frozen=True, slots=True)
class InstrumentTerms:
    """What the checks need to know of an instrument."""

    symbol: str
    currency: str
    tick_units: int
    lot_units: int
    min_notional_units: int


def check_quantity(quantity: Decimal, terms: InstrumentTerms) -> Denial | None:
    """Above zero, within the maximum, a whole number of lots."""
    if not 0 < quantity <= MAX_QUANTITY:
        return Denial(DenialReason.QUANTITY_OUT_OF_RANGE, {"maximum": to_wire(MAX_QUANTITY)})
    units = decimal_to_units(quantity)
    if units is None or units % terms.lot_units:
        return Denial(
            DenialReason.QUANTITY_OFF_LOT,
            {
                "quantity": to_wire(quantity),
                "lot_size": units_to_wire(terms.lot_units),
                "symbol": terms.symbol,
            },
        )
    return None


def check_price(price: Decimal, terms: InstrumentTerms) -> Denial | None:
    """Above zero, within the maximum, a whole number of ticks: nothing is rounded silently."""
    if not _is_in_range(price):
        return Denial(DenialReason.PRICE_OUT_OF_RANGE, {"maximum": to_wire(MAX_PRICE)})
    if not _is_on_tick(price, terms):
        return Denial(DenialReason.PRICE_OFF_TICK, _off_tick("limit_price", price, terms))
    return None


def check_stop_price(price: Decimal, terms: InstrumentTerms) -> Denial | None:
    """The same of a stop price."""
    if not _is_in_range(price):
        return Denial(DenialReason.STOP_PRICE_OUT_OF_RANGE, {"maximum": to_wire(MAX_PRICE)})
    if not _is_on_tick(price, terms):
        return Denial(DenialReason.STOP_PRICE_OFF_TICK, _off_tick("stop_price", price, terms))
    return None


def _is_in_range(price: Decimal) -> bool:
    return 0 < price <= MAX_PRICE


def _is_on_tick(price: Decimal, terms: InstrumentTerms) -> bool:
    units = decimal_to_units(price)
    return units is not None and units % terms.tick_units == 0


def _off_tick(field: str, price: Decimal, terms: InstrumentTerms) -> dict[str, str]:
    return {
        field: to_wire(price),
        "tick_size": units_to_wire(terms.tick_units),
        "symbol": terms.symbol,
    }


def check_largest_notional(notional_units: int) -> Denial | None:
    """Within the portal's maximum value."""
    if notional_units > MAX_NOTIONAL_UNITS:
        return Denial(
            DenialReason.NOTIONAL_ABOVE_MAXIMUM,
            {
                "notional": units_to_wire(notional_units),
                "maximum": units_to_wire(MAX_NOTIONAL_UNITS),
            },
        )
    return None


def check_notional(notional_units: int, terms: InstrumentTerms) -> Denial | None:
    """Within the instrument's minimum and the portal's maximum value."""
    denial = check_largest_notional(notional_units)
    if denial is not None:
        return denial
    if notional_units < terms.min_notional_units:
        return Denial(
            DenialReason.NOTIONAL_BELOW_MINIMUM,
            {
                "notional": units_to_wire(notional_units),
                "minimum": units_to_wire(terms.min_notional_units),
            },
        )
    return None


def check_open_orders(open_orders: int) -> Denial | None:
    """One more order fits under the account's maximum."""
    if open_orders >= MAX_OPEN_ORDERS_PER_ACCOUNT:
        return Denial(DenialReason.OPEN_ORDERS_EXCEEDED, {"open_orders": str(open_orders)})
    return None


def check_funds(required_units: int, free_units: int, currency: str) -> Denial | None:
    """The free balance covers the whole cost; exactly enough is enough."""
    if required_units > free_units:
        return Denial(
            DenialReason.FUNDS_INSUFFICIENT,
            {
                "required": units_to_wire(required_units),
                "available": units_to_wire(free_units),
                "currency": currency,
            },
        )
    return None


def check_position(
    requested_units: int, quantity_units: int, locked_units: int, symbol: str
) -> Denial | None:
    """The free position covers the quantity; selling short is not offered."""
    available = max(quantity_units - locked_units, 0)
    if requested_units > available:
        return Denial(
            DenialReason.POSITION_INSUFFICIENT,
            {
                "requested": units_to_wire(requested_units),
                "available": units_to_wire(available),
                "existing_qty": units_to_wire(quantity_units),
                "held_for_orders": units_to_wire(locked_units),
                "symbol": symbol,
            },
        )
    return None


def check_cash_amount(amount: Decimal) -> Denial | None:
    """A deposit or adjustment: not zero, no finer than a unit, within the portal's maximum."""
    units = decimal_to_units(amount)
    if not units or abs(units) > MAX_CASH_UNITS:
        return Denial(DenialReason.AMOUNT_INVALID, {"maximum": units_to_wire(MAX_CASH_UNITS)})
    return None
