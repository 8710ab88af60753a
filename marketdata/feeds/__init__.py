"""Sources of ticks. An adapter is one module or directory that sees domain types only, and one
line in `FEEDS`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from marketdata.domain.plan import FeedSetup
from marketdata.domain.ports import Feed

FeedFactory = Callable[[FeedSetup], Feed]

FEEDS: dict[str, str] = {
    "simulated": "marketdata.feeds.simulated.SimulatedFeed",
}
"""Adapter name to the class that takes a FeedSetup. Loaded when a feed of the adapter is made:
some bring libraries that take seconds and tens of megabytes.
"""


def feed_factory(adapter: str) -> FeedFactory:
    """The factory of `adapter`; KeyError for one that there is not."""
    module, _, name = FEEDS[adapter].rpartition(".")
    return cast(FeedFactory, getattr(import_module(module), name))
