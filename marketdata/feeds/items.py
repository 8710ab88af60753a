"""What lies in the links of the feed process on its way to the engine and to the tick store."""

from typing import Final, NamedTuple

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.bars import Bar
from marketdata.domain.values import Aggressor, Quote, Tick

NANOSECONDS_PER_MICROSECOND: Final = 1_000
STALE_NS: Final = 5 * NANOSECONDS_PER_SECOND
"""A price older than this is not the market's: it is published as stale, and the engine, whose
street ends after as long (docs/matching.md S3), is not told it.
"""


class NumberedTick(NamedTuple):
    """A tick on its way to the engine, with its number in the live stream. `t_ns` is when it held
    by the machine's clock, at most the moment at which it was taken: the engine knows no other
    clock, and a replay in its own time has one. `side` is the trade's aggressor, told or inferred.
    """

    seq: int
    tick: Tick
    t_ns: int
    side: Aggressor | None = None


class StoredItem(NamedTuple):
    """A tick or a one-second bar on its way to the store, and the row of the feed that told it."""

    feed_id: int
    told: Tick | Bar
    number: int = 0
    """Of a quote: its place among those of its microsecond, given once, so that a delivery that is
    repeated stores nothing twice.
    """


class QuoteNumbers:
    """Numbers the quotes of each instrument within a microsecond, from 0."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}

    def number(self, quote: Quote) -> int:
        micros = quote.t_ns // NANOSECONDS_PER_MICROSECOND
        newest, number = self._newest.get(quote.symbol, (0, 0))
        number = number + 1 if micros == newest else 0
        self._newest[quote.symbol] = (micros, number)
        return number
