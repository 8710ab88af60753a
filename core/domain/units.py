"""Between decimals and the engine's integers: units of 10^-8, converted exactly and fast.

The engine builds tens of thousands of wire strings a second from integers, so this avoids Decimal.
"""

from decimal import Context, Decimal
from functools import lru_cache

UNITS_PER_ONE = 10**8
DECIMALS = 8
_WIDE = Context(prec=100)
"""So wide that nothing the portal takes in is rounded; the usual 28 digits would round silently."""


def sum_to_wire(units: int) -> str:
    """Plain decimal notation without trailing zeros: 1250000000 → "12.5"."""
    if units < 0:
        return f"-{sum_to_wire(-units)}"
    digits = str(units) if units >= UNITS_PER_ONE else f"{units:09d}"
    fraction = digits[-DECIMALS:].rstrip("0")
    return f"{digits[:-DECIMALS]}.{fraction}" if fraction else digits[:-DECIMALS]


units_to_wire = lru_cache(maxsize=16_384)(sum_to_wire)
"""The same of quantities and prices, which come again and again; a sum seldom does."""


def decimal_to_units(value: Decimal) -> int | None:
    """`value` in whole units, or None when it is finer than 10^-8."""
    scaled = value.scaleb(DECIMALS, _WIDE)
    units = int(scaled)
    return units if units == scaled else None


def units_to_decimal(units: int) -> Decimal:
    return Decimal(units).scaleb(-DECIMALS, _WIDE)


def divide_half_up(total: Decimal, quantity: Decimal) -> Decimal:
    """`total / quantity` for quantity > 0, rounded half up to 8 decimals: the rule for averages."""
    return units_to_decimal(average_units(_whole(total), _whole(quantity)))


def average_units(total_units: int, quantity_units: int) -> int:
    """The same in units: average price in 10^-8, half up."""
    return (2 * total_units * UNITS_PER_ONE + quantity_units) // (2 * quantity_units)


def _whole(value: Decimal) -> int:
    units = decimal_to_units(value)
    assert units is not None, f"{value} is finer than a stored number can be"
    return units
