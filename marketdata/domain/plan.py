"""What an adapter is told when the feed process makes it: whom to ask, what for, and by which
clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from core.domain.clock import Clock
from marketdata.domain.values import Grid


@dataclass(frozen=True, slots=True)
class FeedInstrument:
    """`last_price` is where the market was left; `reference_price` is what a simulation keeps near
    to. Both are None where nobody knows a price yet.
    """

    grid: Grid
    last_price: Decimal | None = None
    reference_price: Decimal | None = None
    symbol_there: str = ""
    """What the source calls it; empty: the same."""

    @property
    def name_there(self) -> str:
        return self.symbol_there or self.grid.symbol


class Credentials(NamedTuple):
    """How we sign in at a source. Never logged, never published."""

    key: str
    secret: str


OF_EVERY_FEED: Final = frozenset(
    {"silence_seconds", "chain_seconds", "keeps_quotes", "has_consecutive_ids"}
)
"""Options that the feed process reads itself; no adapter sees them."""


@dataclass(frozen=True, slots=True)
class FeedSetup:
    """One configured feed. `options` are the adapter's own, as they stand in the row of `Feed`:
    the adapter checks them and raises FeedOptionError naming the one at fault.
    """

    name: str
    clock: Clock
    instruments: Sequence[FeedInstrument]
    options: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON of an operator
    credentials: Credentials | None = field(default=None, repr=False)
    seed: int = 1


class FeedOptionError(ValueError):
    """An option of a feed is missing or wrong. The text names it and says what it may be."""
