"""Names of the live topics, and what kind of stream each is.

A *state* topic sends the whole state each time: only its newest message matters. A *log* topic
sends facts: each matters, and a gap in `seq` means that the reader fetches a snapshot and goes on.
A *depth* topic is published as a state and sent as changes from one state to the next.
"""

from typing import NamedTuple

STATE_KINDS = frozenset({"quote", "book", "bar", "trails", "notifications"})
MARKET_KINDS = frozenset({"quote", "book", "bar", "trade", "depth"})
DEPTH_KIND = "depth"
BAR_KIND = "bar"
LIVE_BAR_TIMEFRAME = "1Min"
LIVE_BAR_TIMEFRAMES = frozenset({"1Sec", "1Min", "1Day"})
MAX_TOPIC_LENGTH = 80


class Topic(NamedTuple):
    kind: str
    key: str
    """Symbol for market topics, an account's public id for its own."""
    timeframe: str = ""
    """Of a bar topic: `1Sec`, `1Min` or `1Day`."""


def quote_topic(symbol: str) -> str:
    return f"quote:{symbol}"


def book_topic(symbol: str) -> str:
    return f"book:{symbol}"


def depth_topic(symbol: str) -> str:
    return f"depth:{symbol}"


def trade_topic(symbol: str) -> str:
    return f"trade:{symbol}"


def bar_topic(symbol: str, timeframe: str = LIVE_BAR_TIMEFRAME) -> str:
    return f"bar:{symbol}:{timeframe}"


def is_state_topic(topic: str) -> bool:
    return topic.partition(":")[0] in STATE_KINDS


def is_bar_topic(topic: str) -> bool:
    return topic.partition(":")[0] == BAR_KIND


def is_depth_topic(topic: str) -> bool:
    return topic.partition(":")[0] == DEPTH_KIND


def parse_topic(text: str) -> Topic | None:
    """The kind and key that a client's topic names; None when it is not shaped like a topic."""
    kind, colon, key = text.partition(":")
    if not colon or not key or len(text) > MAX_TOPIC_LENGTH:
        return None
    if kind == "bar":
        key, colon, timeframe = key.rpartition(":")
        return Topic(kind, key, timeframe) if key and timeframe in LIVE_BAR_TIMEFRAMES else None
    return Topic(kind, key) if kind and key else None
