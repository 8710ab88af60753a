"""Orders that hide a part, or name a value instead of a quantity, for the random histories: with a
source of chance of their own, as the trailing stops.
"""

import random
from decimal import Decimal
from typing import Protocol

import msgspec

from orders.domain import commands
from orders.domain.values import OrderType, TimeInForce
from tests.simulation.plan_swarm import LIMITED

RESTING = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})


class Grid(Protocol):
    """What is needed of a listing."""

    @property
    def lot(self) -> Decimal: ...

    @property
    def tick(self) -> Decimal: ...


class DisplaySwarm:
    """One seed's orders that show only a part."""

    def __init__(self, seed: int, middle: int) -> None:
        self._middle = middle
        draw = self._random = random.Random(f"display {seed}")
        self.share = draw.choice((0.0, 0.0, 0.2, 0.7) if seed <= LIMITED else (0.7, 0.9))

    def draw(self, order: commands.SubmitOrder, listing: Grid) -> commands.SubmitOrder:
        """The order, now and then with a part of it shown only."""
        draw = self._random
        if draw.random() >= self.share:
            return order
        if order.type is OrderType.MARKET:
            return self._of_value(order, listing)
        is_plain = order.type is OrderType.LIMIT and order.time_in_force in RESTING
        if not is_plain and draw.random() > 0.05:
            return order
        lots = int(order.quantity / listing.lot)
        shown = draw.choice((lots, 1, 2, max(1, lots // 20), max(1, lots // 3), lots // 2))
        if draw.random() < 0.02:
            shown = draw.choice((0, -1, lots + 1))
        return msgspec.structs.replace(order, display_quantity=shown * listing.lot)

    def _of_value(self, order: commands.SubmitOrder, listing: Grid) -> commands.SubmitOrder:
        draw = self._random
        lots = Decimal(draw.randint(1, 300)) / 10
        value = (lots * self._middle * listing.tick * listing.lot).quantize(Decimal("0.00000001"))
        if draw.random() < 0.05:
            value = draw.choice((Decimal(0), Decimal("0.000000001"), Decimal(2_000_000_000)))
        quantity = order.quantity if draw.random() < 0.05 else Decimal(0)
        return msgspec.structs.replace(order, quantity=quantity, notional=value)
