"""How far a trailing stop keeps from its mark, as it is written: whether it lies on the grid and
what stop price it gives (docs/matching.md G2, G5).

The engine asks this of every order and successor, a page of a change that is only thought of.
"""

from decimal import Decimal

from core.domain.decimals import to_wire
from core.domain.units import decimal_to_units, units_to_wire
from orders.domain.matching.trailing import PPM, UNITS_PER_PPM, Distance
from risk.domain.checks import InstrumentTerms
from risk.domain.limits import MAX_PRICE
from risk.domain.reasons import Denial, DenialReason


def read_distance(
    price: Decimal | None, percent: Decimal | None, terms: InstrumentTerms
) -> Distance | Denial:
    """One of the two: a price of whole ticks, or a percentage above 0 and below 100 with at most
    four decimals.
    """
    if (price is None) == (percent is None):
        return Denial(DenialReason.TRAIL_REQUIRED, {})
    if price is not None:
        units = decimal_to_units(price)
        if units is None or units % terms.tick_units or not 0 < price <= MAX_PRICE:
            facts = {"tick_size": units_to_wire(terms.tick_units), "symbol": terms.symbol}
            return Denial(DenialReason.TRAIL_PRICE_INVALID, facts)
        return Distance(units // terms.tick_units, 0)
    assert percent is not None
    units = decimal_to_units(percent)
    if units is None or units % UNITS_PER_PPM or not 0 < units // UNITS_PER_PPM < PPM:
        return Denial(DenialReason.TRAIL_PERCENT_INVALID, {})
    return Distance(0, units // UNITS_PER_PPM)


def check_stop(stop_price: int, terms: InstrumentTerms) -> Denial | None:
    """The stop price, in ticks, that a distance gives is a price."""
    shown = units_to_wire(stop_price * terms.tick_units)
    if stop_price > 0 and Decimal(shown) <= MAX_PRICE:
        return None
    return Denial(
        DenialReason.TRAIL_OUT_OF_RANGE,
        {"symbol": terms.symbol, "stop_price": shown, "maximum": to_wire(MAX_PRICE)},
    )
