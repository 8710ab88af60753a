"""The street: the liquidity of the feed that an instrument follows, as one replaceable quote (rules
S1 to S3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from orders.domain.values import Side

STREET_TTL_NS = 5_000_000_000
"""A quote older than this counts as empty: a silent feed is not a market (S3)."""

MAX_STREET_LEVELS = 10


@dataclass(frozen=True, slots=True)
class StreetQuote:
    """Levels `(price in ticks, quantity in lots)`, best first. `applied_ns` is the time of the
    batch that brought them into the book; their age counts from it.
    """

    bids: Sequence[tuple[int, int]]
    asks: Sequence[tuple[int, int]]
    applied_ns: int


class StreetFill(NamedTuple):
    """A resting order traded with the street: at its own price, leaving `leaves`."""

    order_id: UUID
    price: int
    quantity: int
    leaves: int


def is_sound(quote: StreetQuote) -> bool:
    """Whether the quote is strictly ordered, positive and not crossed (S1)."""
    return (
        _is_ordered(quote.bids, -1)
        and _is_ordered(quote.asks, 1)
        and not (quote.bids and quote.asks and quote.bids[0][0] >= quote.asks[0][0])
    )


def _is_ordered(levels: Sequence[tuple[int, int]], direction: int) -> bool:
    previous: int | None = None
    for price, quantity in levels:
        if price <= 0 or quantity <= 0:
            return False
        if previous is not None and (price - previous) * direction <= 0:
            return False
        previous = price
    return len(levels) <= MAX_STREET_LEVELS


class Street:
    """What is left of the last quote: price → quantity by side, best first, used up levels gone."""

    __slots__ = ("_levels", "ends_ns")

    def __init__(self) -> None:
        self._levels: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self.ends_ns = -1
        """The last instant at which it counts (S3): whoever compares this first need not ask a
        street that is silent, or that there never was.
        """

    def replace(self, quote: StreetQuote) -> None:
        self._levels = {Side.BUY: dict(quote.bids), Side.SELL: dict(quote.asks)}
        self.ends_ns = quote.applied_ns + STREET_TTL_NS

    def levels(self, side: Side, now_ns: int) -> dict[int, int]:
        """Price → quantity left, best first; empty once the quote has expired (S3)."""
        return {} if now_ns > self.ends_ns else self._levels[side]

    def best(self, side: Side, now_ns: int) -> int | None:
        return None if now_ns > self.ends_ns else next(iter(self._levels[side]), None)

    def quantity(self, side: Side, price: int, now_ns: int) -> int:
        return self.levels(side, now_ns).get(price, 0)

    def remove(self, side: Side, price: int, quantity: int) -> None:
        """Take `quantity` from the level; what was taken stays gone until the next quote (S2)."""
        levels = self._levels[side]
        left = levels[price] - quantity
        if left:
            levels[price] = left
        else:
            del levels[price]
