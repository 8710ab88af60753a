"""Joins the trades of the store with those of the live cache, which the store may not have yet.

Pure. The cache must be read before the store: what it has dropped since is stored then.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from marketdata.domain.dialect import TradeWire

STORE_LAG: Final = timedelta(seconds=60)
"""Longer than the store is ever behind while it works; who is further behind does not store now."""


def joined(stored: Sequence[TradeWire], recent: Sequence[TradeWire]) -> list[TradeWire]:
    """Both in the order of time and number, each trade once; `stored` wins."""
    both = {(trade.t, trade.id): trade for trade in (*recent, *stored)}
    return [both[key] for key in sorted(both)]


def has_hole(last_stored: datetime | None, oldest_recent: datetime) -> bool:
    """Whether trades may be missing between the store and a full cache: the store works, but has
    not come as far as the cache reaches back.
    """
    if last_stored is None or last_stored >= oldest_recent:
        return False
    return oldest_recent - last_stored <= STORE_LAG
