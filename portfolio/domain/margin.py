"""What positions and opening orders of a margin account require: exact integers in units of 10^-8.

The rules are L1 to L6 of docs/fees-and-margin.md; requirements are rounded up, against the account.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

MULTIPLIERS: Final = (1, 2, 4)
SHORT_INITIAL_PERCENT: Final = 50
LONG_MAINTENANCE_PERCENT: Final = 25
SHORT_MAINTENANCE_PERCENT: Final = 30
WHOLE: Final = 100


class Exposure(NamedTuple):
    """One position: its signed value, and whether its instrument is marginable."""

    value: int
    is_marginable: bool


@dataclass(frozen=True, slots=True)
class MarginState:
    """An account's worth and what it must keep. `held` is what its open orders hold."""

    equity: int
    long_value: int
    short_value: int
    initial: int
    maintenance: int
    held: int
    multiplier: int

    @property
    def excess(self) -> int:
        return self.equity - self.initial - self.held

    @property
    def buying_power(self) -> int:
        return max(self.excess, 0) * self.multiplier


def margin_state(
    *, cash: int, held: int, multiplier: int, exposures: Iterable[Exposure]
) -> MarginState:
    """The account's margin with these positions (L2, L3)."""
    long_value = short_value = initial = maintenance = 0
    for value, is_marginable in exposures:
        if value > 0:
            long_value += value
        else:
            short_value += value
        initial += share_of(
            abs(value),
            initial_percent(multiplier, is_marginable=is_marginable, is_short=value < 0),
        )
        maintenance += share_of(
            abs(value), maintenance_percent(is_marginable=is_marginable, is_short=value < 0)
        )
    return MarginState(
        equity=cash + long_value + short_value,
        long_value=long_value,
        short_value=short_value,
        initial=initial,
        maintenance=maintenance,
        held=held,
        multiplier=multiplier,
    )


def initial_percent(multiplier: int, *, is_marginable: bool, is_short: bool) -> int:
    """How much of its value a position requires when it is opened."""
    if not is_marginable:
        return WHOLE
    percent = WHOLE // multiplier
    return max(percent, SHORT_INITIAL_PERCENT) if is_short else percent


def maintenance_percent(*, is_marginable: bool, is_short: bool) -> int:
    """How much of its value a position requires to be kept."""
    if not is_marginable:
        return WHOLE
    return SHORT_MAINTENANCE_PERCENT if is_short else LONG_MAINTENANCE_PERCENT


def share_of(value: int, percent: int) -> int:
    """`percent` of `value`, rounded up to the unit."""
    return -(-value * percent // WHOLE)


def called_from(cushion: int, held: int, percent: int) -> int | None:
    """The last price, in ticks, that does not call the account: the lowest for what is held long,
    the highest for what is held short. None: it is called at no price.

    `held` is what one tick of price is worth to the position, signed; `cushion` by how much all
    else that the account has exceeds what all else requires.
    """
    if held > 0:
        kept = held * (WHOLE - percent)
        return max(-(cushion * WHOLE // kept), 0) or None if kept and cushion < 0 else None
    return max(cushion, 0) * WHOLE // (-held * (WHOLE + percent))


MARGIN_CALL_SECONDS: Final = 3_600
"""How long a called account has until its positions are closed by force (L9)."""

FLOOR_PERCENT: Final = 50
"""Below this share of the maintenance requirement nobody waits (L11)."""

CLOSE_TO_PERCENT: Final = 110
"""What equity is to be of the requirement that forced closing leaves (L12)."""


class Call(NamedTuple):
    """A margin call: since when, until when, and why positions are being closed by force."""

    called_ns: int
    deadline_ns: int
    forced: str = ""


def is_below_floor(margin: MarginState) -> bool:
    return margin.equity * WHOLE < margin.maintenance * FLOOR_PERCENT


def lots_to_close(margin: MarginState, held: int, requirement: int) -> int:
    """How many of `held` lots, which require so much, must go (L12)."""
    left = max(margin.equity, 0) * WHOLE // CLOSE_TO_PERCENT
    excess = margin.maintenance - left
    return min(held, max(-(-excess * held // requirement), 0)) if requirement else 0
