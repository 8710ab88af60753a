"""Prices and sizes as the store has them: whole numbers of 10^-8 in 64 bits, never rounded.

Feeds convert what they store with it; what does not fit is refused with a reason.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.domain.units import decimal_to_units, units_to_decimal

E8: Final = 10**8
LARGEST_E8: Final = 2**63 - 1
"""Of a PostgreSQL bigint; about 92 billion."""


class StoreReason(StrEnum):
    """Why a number or a row is not stored."""

    NOT_A_NUMBER = "NOT_A_NUMBER"
    TOO_FINE = "TOO_FINE"
    TOO_LARGE = "TOO_LARGE"


class NotStorableError(ValueError):
    """A number does not fit into the store; `reason` is its code."""

    def __init__(self, reason: StoreReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def to_e8(value: Decimal) -> int:
    """`value` in whole units of 10^-8, exactly. Raises NotStorableError when it is no number, finer
    than 10^-8 or beyond 64 bits.
    """
    if not value.is_finite():
        raise NotStorableError(StoreReason.NOT_A_NUMBER, f"{value} is no number; leave the row out")
    units = decimal_to_units(value)
    if units is None:
        raise NotStorableError(
            StoreReason.TOO_FINE, f"{value} is finer than 0.00000001; round it where it is made"
        )
    return checked_e8(units)


def checked_e8(units: int) -> int:
    """`units` themselves; NotStorableError when they are beyond 64 bits."""
    if not -LARGEST_E8 <= units <= LARGEST_E8:
        raise NotStorableError(
            StoreReason.TOO_LARGE,
            f"{units_to_decimal(units)} is larger than the store holds (92,233,720,368)",
        )
    return units


def from_e8(units: int) -> Decimal:
    """The decimal that `units` of 10^-8 are, exactly."""
    return units_to_decimal(units)
