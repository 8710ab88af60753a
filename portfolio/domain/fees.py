"""What a fill costs: rates of a tier and the fee they make, exact integers.

The rules are H1 to H5 of docs/fees-and-margin.md.

A rate is a fraction in units of 10^-8, so that a basis point with four decimals is a whole number.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.domain.units import UNITS_PER_ONE

RATE_PER_BPS: Final = 10_000
MAX_FEE_BPS: Final = 1_000
"""Ten percent: whatever is above it is a slipped digit."""


@dataclass(slots=True, eq=False)
class FeeTier:
    """What the accounts of a tier pay; one object that all of them share, so a change reaches all.

    `maker` and `taker` are rates.
    """

    code: str
    name: str
    maker: int
    taker: int


NO_FEES: Final = FeeTier("", "No fees", 0, 0)
"""What an account without a tier has. Never changed."""


def bps_to_rate(bps: Decimal) -> int | None:
    """`bps` as a rate, or None when it is out of range or finer than four decimals."""
    if not 0 <= bps <= MAX_FEE_BPS:
        return None
    scaled = bps * RATE_PER_BPS
    rate = int(scaled)
    return rate if rate == scaled else None


def fee_of(notional: int, rate: int) -> int:
    """The fee on `notional` units, rounded down to the unit (H2)."""
    return notional * rate // UNITS_PER_ONE
