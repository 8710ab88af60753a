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
    """Levels `(price in ticks, quantity in lots)`, best first. `t_ns` is when they held: the
    source's time, or that of the batch that brings them when that is earlier (S3).
    """

    bids: Sequence[tuple[int, int]]
    asks: Sequence[tuple[int, int]]
    t_ns: int


class StreetFill(NamedTuple):
    """A resting order traded with the street: at its own price, leaving `leaves`."""

    order_id: UUID
    price: int
    quantity: int
    leaves: int


def displayed(quote: StreetQuote) -> StreetQuote | None:
    """What the street shows of the quote: all of it, or of a locked one what does not lock. None
    when it is refused: not strictly ordered, not positive, or crossed (S1).
    """
    bids, asks = quote.bids, quote.asks
    if not (_is_ordered(bids, -1) and _is_ordered(asks, 1)):
        return None
    if not bids or not asks or bids[0][0] < asks[0][0]:
        return quote
    if bids[0][0] > asks[0][0]:
        return None
    return StreetQuote(bids[1:], asks[1:], quote.t_ns)


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
        self.ends_ns = quote.t_ns + STREET_TTL_NS

    def empty(self) -> None:
        """Show nothing: a quote was refused. It counts as none, so the end is that of before."""
        self._levels = {Side.BUY: {}, Side.SELL: {}}

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
