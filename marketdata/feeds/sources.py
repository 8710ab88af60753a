"""One source of the feed process: its adapter, what is checked of it and how it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.feed_states import FeedStatus
from marketdata.domain.ports import Feed
from marketdata.domain.tick_checks import TickChecks

SILENCE_SECONDS: Final = 30
"""After so long without a message a connection is given up and made anew, unless the feed's option
`silence_seconds` says otherwise: half-open connections look just like a quiet market.
"""
CHAIN_SECONDS: Final = 10
"""After so long without a tick of an instrument, the next source of it may take over."""


@dataclass(slots=True)
class Source:
    """A configured feed that runs. `silence_ns` 0: it is never given up, for there is no connection
    that could break.
    """

    name: str
    feed: Feed
    symbols: Sequence[str]
    feed_id: int = 0
    silence_ns: int = SILENCE_SECONDS * NANOSECONDS_PER_SECOND
    can_wait: bool = False
    """It may be held up when what it tells cannot be delivered as fast: a file, not a market."""
    keeps_quotes: bool = True
    checks: TickChecks = field(default_factory=TickChecks)
    status: FeedStatus = field(init=False)

    def __post_init__(self) -> None:
        self.status = FeedStatus(self.name)
