"""A stored bar as it is read: by pages, the API, charts and whatever computes on bars."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class BarView(NamedTuple):
    """One bar; `start` is inclusive, UTC. `vwap` is None where the source has not told it."""

    start: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trade_count: int
    vwap: Decimal | None
