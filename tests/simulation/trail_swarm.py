"""Trailing stops for the random histories, with a source of chance of their own, so that all else
in a seed's history is as it would be without them.
"""

import random
from decimal import Decimal
from typing import Protocol

import msgspec

from orders.domain import commands
from orders.domain.values import OrderType, TimeInForce

RESTING = (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC)
SPOILED: tuple[dict[str, object], ...] = (
    {"trail_price": None, "trail_percent": None},
    {"trail_price": Decimal(1), "trail_percent": Decimal(1)},
    {"trail_price": Decimal(0), "trail_percent": None},
    {"trail_price": Decimal("0.000000001"), "trail_percent": None},
    {"trail_price": Decimal(9_999_999), "trail_percent": None},
    {"trail_price": None, "trail_percent": Decimal(100)},
    {"trail_price": None, "trail_percent": Decimal("1.00001")},
    {"stop_price": Decimal(20)},
    {"limit_price": Decimal(20)},
    {"type": OrderType.MARKET},
    {"time_in_force": TimeInForce.IOC},
)


class Grid(Protocol):
    """What is needed of a listing."""

    @property
    def tick(self) -> Decimal: ...


class TrailSwarm:
    """One seed's trailing stops."""

    def __init__(self, seed: int, middle: int, ticks: int) -> None:
        draw = self._random = random.Random(f"trails {seed}")
        self.share = draw.choice((0.0, 0.0, 0.1, 0.4))
        self._spoiled_share = draw.choice((0.0, 0.1))
        self._middle = middle
        self._ticks = ticks

    def draw(self, order: commands.SubmitOrder, listing: Grid) -> commands.SubmitOrder:
        """The order, now and then as a trailing stop."""
        draw = self._random
        if draw.random() >= self.share:
            return order
        fields: dict[str, object] = {
            "type": OrderType.TRAILING_STOP,
            "time_in_force": draw.choice(RESTING),
            "limit_price": None,
            "stop_price": None,
            "post_only": False,
            "expires_ns": None,
            **self._distance(listing),
        }
        if draw.random() < self._spoiled_share:
            fields |= draw.choice(SPOILED)
        return msgspec.structs.replace(order, **fields)

    def _distance(self, listing: Grid) -> dict[str, object]:
        ticks = self._random.randint(1, max(1, self._ticks))
        if self._random.random() < 0.5:
            return {"trail_price": ticks * listing.tick}
        percent = Decimal(ticks * 100) / self._middle
        return {"trail_percent": percent.quantize(Decimal("0.0001"))}

    def change(self, command: commands.ReplaceOrder, listing: Grid) -> commands.ReplaceOrder:
        """The replace, now and then of a trail."""
        if self._random.random() >= self.share:
            return command
        (trail,) = self._distance(listing).values()
        return msgspec.structs.replace(command, trail=trail)
