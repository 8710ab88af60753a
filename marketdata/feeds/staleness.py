"""Which quotes nobody vouches for any more: too old, left by an earlier process, or at its end.

Asked by the feed process with every quote and once a second; what it names is published as stale.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.values import Quote
from marketdata.feeds.items import STALE_NS

REPEAT_NS: Final = 10 * NANOSECONDS_PER_SECOND
"""A mark is said again after so long: a Redis that starts anew may have lost its last second."""


class Staleness:
    """The newest quote of each instrument, and which of them are marked as stale."""

    def __init__(self) -> None:
        self.quotes: dict[str, Quote] = {}
        self._marked_ns: dict[str, int] = {}

    def find(self, left: Mapping[str, Quote]) -> None:
        """Watch over what an earlier process has left, too."""
        self.quotes = {**left, **self.quotes}

    def is_stale(self, quote: Quote, now_ns: int) -> bool:
        """Whether `quote`, which is published now, is stale; remembers that it was said."""
        if now_ns - quote.t_ns > STALE_NS:
            self._marked_ns[quote.symbol] = now_ns
            return True
        self._marked_ns.pop(quote.symbol, None)
        return False

    def due(self, now_ns: int) -> Iterable[tuple[Quote, bool]]:
        """The quotes that must be said to be stale now, and whether each is so for the first time.
        A time ahead of the clock is no fresher than one behind it.
        """
        for symbol, quote in self.quotes.items():
            if abs(now_ns - quote.t_ns) <= STALE_NS:
                continue
            marked_ns = self._marked_ns.get(symbol)
            if marked_ns is None or abs(now_ns - marked_ns) >= REPEAT_NS:
                self._marked_ns[symbol] = now_ns
                yield quote, marked_ns is None
