"""Money, Price and Quantity: immutable values that cannot be mixed up.

Used at the rims (forms, API, admin, services). The engine itself counts in ticks, lots and units.
"""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation

UNITS_PER_ONE = 10**8
"""The engine's money, and every stored price and quantity, is a whole number of units of 10^-8."""

UNIT = Decimal(1) / UNITS_PER_ONE

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
"""Arithmetic that raises where the usual context (28 digits) would round."""


class UnitsError(ValueError):
    """A decimal is not a whole number of units, ticks or lots; nothing is ever rounded silently."""


def to_units(value: Decimal) -> int:
    """`value` as a whole number of 10^-8 units; UnitsError when it is finer than that."""
    return steps_of(value, UNIT)


def from_units(units: int) -> Decimal:
    return EXACT.multiply(Decimal(units), UNIT)


def steps_of(value: Decimal, step: Decimal) -> int:
    """How many whole `step`s make `value` exactly; UnitsError when they do not."""
    if not value.is_finite() or EXACT.remainder(value, step):
        raise UnitsError(f"{value} is not a whole number of {step}")
    return int(EXACT.divide_int(value, step))


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """A price on an instrument's grid. `ticks` is what the engine counts in."""

    value: Decimal
    tick_size: Decimal

    @property
    def ticks(self) -> int:
        return steps_of(self.value, self.tick_size)


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """A quantity on an instrument's grid. `lots` is what the engine counts in."""

    value: Decimal
    lot_size: Decimal

    @property
    def lots(self) -> int:
        return steps_of(self.value, self.lot_size)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. Adding two currencies is a mistake of the caller and raises."""

    amount: Decimal
    currency: str

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(EXACT.add(self.amount, other.amount), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(EXACT.subtract(self.amount, other.amount), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)


def notional(price: Price, quantity: Quantity, currency: str) -> Money:
    """Price × quantity, exact."""
    return Money(EXACT.multiply(price.value, quantity.value), currency)
