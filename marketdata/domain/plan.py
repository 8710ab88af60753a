"""What a feed is told about an instrument that follows it."""

from dataclasses import dataclass
from decimal import Decimal

from marketdata.domain.values import Grid


@dataclass(frozen=True, slots=True)
class FeedInstrument:
    """`last_price` is where the market was left; `reference_price` is what a simulation keeps near
    to.
    """

    grid: Grid
    last_price: Decimal
    reference_price: Decimal
