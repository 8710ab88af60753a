"""What a client asks of a live socket about topics, read from its frame.

The forms are those of docs/live-protocol.md; a position is what a reader has of a topic already.
"""

from typing import NamedTuple

from marketdata.domain.pacing import EACH, INTERVALS_MS, is_interval

MOST_EPOCH_LENGTH = 64
MOST_SEQ = 2**53 - 1
"""Beyond it a page's numbers are not exact."""


class Position(NamedTuple):
    """The last message that a reader has of a topic."""

    epoch: str
    seq: int


class Wish(NamedTuple):
    """How a socket wants a topic: each message or so often, and from where it goes on."""

    every_ms: int = EACH
    since: Position | None = None


class Subscribe(NamedTuple):
    """The topics that are asked for, each with where the reader stands in it."""

    topics: list[tuple[str, Position | None]]
    every_ms: int


class RequestError(ValueError):
    """The request cannot be read; the text says what to send instead."""


def read_subscribe(request: dict[str, object], most_topics: int) -> Subscribe:
    """A subscribe request; RequestError when it is none."""
    every_ms = request.get("every_ms", EACH)
    if type(every_ms) is not int or not is_interval(every_ms):
        allowed = ", ".join(str(interval) for interval in INTERVALS_MS)
        raise RequestError(f"every_ms may be 0 (each message) or one of {allowed}.")
    return Subscribe(_topics(request, most_topics), every_ms)


def read_unsubscribe(request: dict[str, object], most_topics: int) -> list[str]:
    """The names of an unsubscribe request; RequestError when it is none."""
    return [name for name, _ in _topics(request, most_topics)]


def _topics(request: dict[str, object], most: int) -> list[tuple[str, Position | None]]:
    topics = request.get("topics")
    if not isinstance(topics, list) or len(topics) > most:
        raise RequestError(f"Send at most {most} topics in a list.")
    return [_topic(each) for each in topics]


def _topic(item: object) -> tuple[str, Position | None]:
    match item:
        case str(name):
            return name, None
        case {"topic": str(name), "epoch": str(epoch), "seq": int(seq), **rest} if (
            not rest
            and type(seq) is int
            and len(epoch) <= MOST_EPOCH_LENGTH
            and 0 <= seq <= MOST_SEQ
        ):
            return name, Position(epoch, seq)
    raise RequestError('A topic is its name, or {"topic", "epoch", "seq"} to go on from there.')
