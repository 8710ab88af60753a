"""Money, Price and Quantity: immutable values that cannot be mixed up, exact to the last digit.

For code outside of the engine that reckons with several currencies or grids. Nothing does so far:
an account holds one currency, so forms, API and services hand plain decimals on to the engine,
whose checks count in units (core.domain.units).
"""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation])
"""Arithmetic that raises where the usual context (28 digits) would round."""


class OffGridError(ValueError):
    """A decimal is not a whole number of ticks or lots; nothing is ever rounded silently."""


def steps_of(value: Decimal, step: Decimal) -> int:
    """How many whole `step`s make `value` exactly; OffGridError when they do not."""
    if not value.is_finite() or EXACT.remainder(value, step):
        raise OffGridError(f"{value} is not a whole number of {step}")
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
