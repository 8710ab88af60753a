"""Sources of ticks. An adapter is one module or directory that sees domain types only, and one
line in `FEEDS`.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import cast

from marketdata.domain.plan import FeedSetup
from marketdata.domain.ports import Feed, Historian

FeedFactory = Callable[[FeedSetup], Feed]
HistorianFactory = Callable[[FeedSetup], Historian]

FEEDS: dict[str, str] = {
    "replay": "marketdata.feeds.replay.feed.ReplayFeed",
    "simulated": "marketdata.feeds.simulated.SimulatedFeed",
    "alpaca": "marketdata.feeds.alpaca.client.AlpacaFeed",
    "ccxt": "marketdata.feeds.ccxt_exchange.client.CcxtFeed",
}
"""Adapter name to the class that takes a FeedSetup. Loaded when a feed of the adapter is made:
some bring libraries that take seconds and tens of megabytes.
"""

MARKETS: Mapping[str, Sequence[str]] = {
    "simulated": ("simulated",),
    "replay": ("replay",),
    "configured": tuple(FEEDS),
}
"""What PORTAL_MARKET names, and the adapters whose feeds run then."""

WITHOUT_CONNECTION = frozenset({"simulated", "replay"})
"""Adapters that are their own source: nothing to lose, and they may be held up (docs/feeds.md)."""


def feed_factory(adapter: str) -> FeedFactory:
    """The factory of `adapter`; KeyError for one that there is not."""
    module, _, name = FEEDS[adapter].rpartition(".")
    return cast(FeedFactory, getattr(import_module(module), name))


HISTORIANS: dict[str, str] = {
    "alpaca": "marketdata.feeds.alpaca.history.AlpacaHistorian",
    "ccxt": "marketdata.feeds.ccxt_exchange.history.CcxtHistorian",
}
"""Adapter name to the class that knows its source's past; made and loaded as those of FEEDS."""


def historian_factory(adapter: str) -> HistorianFactory:
    """The factory of the adapter's historian; KeyError when it has none."""
    module, _, name = HISTORIANS[adapter].rpartition(".")
    return cast(HistorianFactory, getattr(import_module(module), name))
