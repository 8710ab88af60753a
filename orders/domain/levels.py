"""The prices of an order with exits on one scale, with what the position would have made at each.

Pure: orders/services/previews.py asks for a ticket, orders/views/order_page.py for a group; what
they draw is measured here, templates and scripts only place it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from core.domain.units import UNITS_PER_ONE
from orders.domain.order_class import Leg
from portfolio.domain.fees import fee_of

MARKET: Final = "MARKET"
MARK: Final = "MARK"
STOP: Final = "STOP"
PADDING: Final = 12
LABEL_GAP: Final = 20
"""Labels stand at least so far apart, however close their prices are."""

_UNIT: Final = Decimal(1) / UNITS_PER_ONE


@dataclass(frozen=True, slots=True)
class Position:
    """What an entry opens, or an exit finds: its price, its quantity (negative: short), and the
    fees it has paid.
    """

    price: Decimal
    quantity: Decimal
    fee: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Level:
    """One price: an order's part in its group, MARKET, or of a trailing stop MARK or STOP. `gain`
    is after fees; None where nothing is closed.
    """

    kind: str
    price: Decimal
    gain: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A level on the scale: the height of its price and of its label, from the top."""

    level: Level
    y: int
    label_y: int


@dataclass(frozen=True, slots=True)
class Zone:
    """What lies between the entry and an exit."""

    kind: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Scale:
    """Levels from the highest price to the lowest."""

    height: int
    levels: Sequence[Placed]
    zones: Sequence[Zone]


def exit_level(leg: Leg, price: Decimal, position: Position | None, rate: int) -> Level:
    """An exit at `price`, which pays a fee of `rate`."""
    if position is None:
        return Level(leg.value, price)
    paid = _fee(price * abs(position.quantity), rate) + position.fee
    return Level(leg.value, price, (price - position.price) * position.quantity - paid)


def _fee(value: Decimal, rate: int) -> Decimal:
    units = int(value.quantize(_UNIT, ROUND_HALF_UP) * UNITS_PER_ONE)
    return Decimal(fee_of(units, rate)) / UNITS_PER_ONE


def reward_to_risk(levels: Sequence[Level]) -> Decimal | None:
    """How many times what may be lost may be won; None without both."""
    gains = {level.kind: level.gain for level in levels}
    reward, risk = gains.get(Leg.TAKE_PROFIT), gains.get(Leg.STOP_LOSS)
    if reward is None or risk is None or risk >= 0 or reward <= 0:
        return None
    return (reward / -risk).quantize(Decimal("0.1"), ROUND_HALF_UP)


def draw(levels: Sequence[Level]) -> Scale | None:
    """The scale of `levels`; None when there are not two prices to compare."""
    ordered = sorted(levels, key=lambda level: level.price, reverse=True)
    if len({level.price for level in ordered}) < 2:
        return None
    height = LABEL_GAP * len(ordered) + LABEL_GAP
    top, span = ordered[0].price, ordered[0].price - ordered[-1].price
    room = height - 2 * PADDING
    places = [PADDING + int(room * (top - level.price) / span) for level in ordered]
    labels = _apart(places, height - PADDING)
    placed = [Placed(*item) for item in zip(ordered, places, labels, strict=True)]
    return Scale(height=height, levels=placed, zones=_zones(placed))


def _apart(places: Sequence[int], bottom: int) -> list[int]:
    """The same places in the same order, moved as far as it takes for each label to be read."""
    spread: list[int] = []
    for place in places:
        spread.append(max(place, spread[-1] + LABEL_GAP) if spread else place)
    limit = bottom
    for number in range(len(spread) - 1, -1, -1):
        spread[number] = min(spread[number], limit)
        limit = spread[number] - LABEL_GAP
    return spread


def _zones(placed: Sequence[Placed]) -> list[Zone]:
    by_kind = {item.level.kind: item.y for item in placed}
    entry = by_kind.get(Leg.ENTRY)
    if entry is None:
        return []
    return [
        Zone(kind, min(entry, by_kind[kind]), abs(entry - by_kind[kind]))
        for kind in (Leg.TAKE_PROFIT, Leg.STOP_LOSS)
        if kind in by_kind
    ]
