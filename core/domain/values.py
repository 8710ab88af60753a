"""Money, Price and Quantity: immutable values that cannot be mixed up, and the fixed-point units of
the engine.

Used at the rims (forms, API, admin, services). The engine itself counts in ticks, lots and units
(integers).
"""

from dataclasses import dataclass
from decimal import Decimal

UNITS_PER_ONE = 10**8
"""The engine's money is a whole number of units of 10^-8 of the currency; so are stored prices and
quantities.
"""

UNIT = Decimal(1) / UNITS_PER_ONE


class UnitsError(ValueError):
    """A decimal is not a whole number of units, ticks or lots; nothing is ever rounded silently."""


def to_units(value: Decimal) -> int:
    """`value` as a whole number of 10^-8 units; UnitsError when it is finer than that."""
    return steps_of(value, UNIT)


def from_units(units: int) -> Decimal:
    return Decimal(units) * UNIT


def steps_of(value: Decimal, step: Decimal) -> int:
    """How many whole `step`s make `value` exactly; UnitsError when they do not."""
    steps = value / step
    whole = int(steps)
    if whole * step != value:
        raise UnitsError(f"{value} is not a whole number of {step}")
    return whole


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
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)


def notional(price: Price, quantity: Quantity, currency: str) -> Money:
    """Price × quantity, exact."""
    return Money(price.value * quantity.value, currency)
