"""Depth as changes: what turns one ladder of prices into the next, and a checksum that tells
whether a reader has come to the same one.

Prices and sizes stay the text that travels, so that both sides of the wire sum up the same bytes.
docs/live-protocol.md states the rules; static/src/core/ladders.ts is the same for pages.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from zlib import crc32

import msgspec

TextLevel = tuple[str, str]
"""A price and the size that stands at it."""

Change = tuple[str, str, str]
"""BID or ASK, a price, and the size that stands there from now on: GONE when nothing does."""

BID, ASK = "b", "a"
GONE = "0"
MOST_LEVELS = 50
"""Levels of each side in a depth topic."""


class LadderData(msgspec.Struct, frozen=True):
    """`data` of a depth topic's whole state. Both sides best first."""

    bids: list[TextLevel]
    asks: list[TextLevel]
    t: str


class DeltaData(msgspec.Struct, frozen=True):
    """`data` of a depth topic's event: what changed since the state numbered `base`."""

    base: int
    changes: list[Change]
    checksum: int
    t: str


def checksum(bids: Iterable[TextLevel], asks: Iterable[TextLevel]) -> int:
    """CRC-32 (that of zip and PNG) of `price:size,price:size|price:size`: bids, a bar, asks, each
    best first, as ASCII.
    """
    sides = (",".join([f"{price}:{size}" for price, size in side]) for side in (bids, asks))
    return crc32("|".join(sides).encode("ascii"))


def changes_between(old: LadderData, new: LadderData) -> list[Change]:
    """What turns `old` into `new`: bids first, prices that are gone before those that are there."""
    changes: list[Change] = []
    for side, before, after in ((BID, old.bids, new.bids), (ASK, old.asks, new.asks)):
        was, now = dict(before), dict(after)
        changes += [(side, price, GONE) for price in was if price not in now]
        changes += [(side, price, size) for price, size in after if was.get(price) != size]
    return changes


def merged(deltas: Sequence[DeltaData]) -> DeltaData:
    """One delta that does what `deltas` do one after the other; each begins where the one before
    it ended.
    """
    last: dict[tuple[str, str], str] = {}
    for delta in deltas:
        for side, price, size in delta.changes:
            last[side, price] = size
    changes = [(side, price, size) for (side, price), size in last.items()]
    return DeltaData(deltas[0].base, changes, deltas[-1].checksum, deltas[-1].t)


def applied(ladder: LadderData, delta: DeltaData) -> LadderData | None:
    """The ladder after the delta; None when its checksum says that it is not the publisher's."""
    sides = {BID: dict(ladder.bids), ASK: dict(ladder.asks)}
    for side, price, size in delta.changes:
        if size == GONE:
            sides[side].pop(price, None)
        else:
            sides[side][price] = size
    bids = sorted(sides[BID].items(), key=_price, reverse=True)
    asks = sorted(sides[ASK].items(), key=_price)
    if checksum(bids, asks) != delta.checksum:
        return None
    return LadderData(bids, asks, delta.t)


def _price(level: TextLevel) -> Decimal:
    return Decimal(level[0])
