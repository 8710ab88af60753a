"""Sources of ticks. An adapter is one module that sees domain types only, and one line in
`FEEDS`.
"""

from collections.abc import Callable, Sequence

from core.domain.clock import Clock
from marketdata.domain.plan import FeedInstrument
from marketdata.domain.ports import Feed
from marketdata.feeds.simulated import SimulatedFeed

FeedFactory = Callable[[Sequence[FeedInstrument], int, Clock], Feed]
"""Takes the instruments that follow the feed, the seed and a clock."""

FEEDS: dict[str, FeedFactory] = {
    "simulated": SimulatedFeed,
}
