"""Are these the options of a feed? Asked when it is configured, where its libraries are not to be
loaded.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from core.domain.clock import Clock
from marketdata.domain.plan import OF_EVERY_FEED, FeedSetup
from marketdata.feeds import feed_factory

LIGHT_READERS: dict[str, str] = {
    "alpaca": "marketdata.feeds.alpaca.options",
    "ccxt": "marketdata.feeds.ccxt_exchange.options",
    "replay": "marketdata.feeds.replay.options",
}
"""Adapters whose options are read apart from their clients: these would load a whole library, or
look for days of instruments that a feed without routes does not have.
"""
WITH_KEYS = frozenset({"alpaca", "ccxt"})
"""Adapters that sign in with a key and a secret."""


def check_options(adapter: str, options: Mapping[str, Any], clock: Clock) -> None:  # Any: JSON
    """FeedOptionError naming the option that is not the adapter's, or not what it may be."""
    theirs = {name: value for name, value in options.items() if name not in OF_EVERY_FEED}
    if adapter in LIGHT_READERS:
        import_module(LIGHT_READERS[adapter]).read_options(theirs)
    else:
        feed_factory(adapter)(FeedSetup("check", clock, (), theirs))
