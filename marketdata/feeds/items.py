"""What lies in the links of the feed process on its way to the engine and to the tick store."""

from typing import NamedTuple

from marketdata.domain.bars import Bar
from marketdata.domain.values import Aggressor, Tick


class NumberedTick(NamedTuple):
    """A tick on its way to the engine, with its number in the live stream. `side` is the trade's
    aggressor, told or inferred.
    """

    seq: int
    tick: Tick
    side: Aggressor | None = None


class StoredItem(NamedTuple):
    """A tick or a one-second bar on its way to the store, and the row of the feed that told it."""

    feed_id: int
    told: Tick | Bar
