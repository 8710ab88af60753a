"""What one unit of a holding is worth, and since when that is known (docs/fees-and-margin.md L2).

Between the newest quote and trade of an instrument and every page and answer that values it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from marketdata.domain.dialect import QuoteWire, TradeWire, is_stale


@dataclass(frozen=True, slots=True)
class Mark:
    """`price` was the market's at `as_of`; `is_stale` when nothing fresh says that it still is."""

    price: Decimal
    as_of: datetime
    is_stale: bool = False


def mark_of(quote: QuoteWire | None, trade: TradeWire | None, now: datetime) -> Mark | None:
    """The middle of a fresh quote with both sides; else whichever is newer, the last trade or that
    old middle. One side alone is no mark. None where nothing is known.

    `trade` is the newest that moves the price.
    """
    middle = _middle(quote)
    if quote is not None and middle is not None and not is_stale(quote, now):
        return Mark(middle, quote.t)
    known = []
    if trade is not None:
        known.append(Mark(trade.price, trade.t, is_stale=is_stale(trade, now)))
    if quote is not None and middle is not None:
        known.append(Mark(middle, quote.t, is_stale=True))
    return max(known, key=lambda mark: mark.as_of, default=None)


def _middle(quote: QuoteWire | None) -> Decimal | None:
    """None unless both sides are quoted: an empty one is told as zero."""
    if quote is None or quote.bid <= 0 or quote.ask <= 0:
        return None
    return (quote.bid + quote.ask) / 2
