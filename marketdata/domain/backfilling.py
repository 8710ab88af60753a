"""How a long stretch of the past is asked for: in windows that are each one step, and which of a
provider's bars may be stored.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from core.domain.clock import from_ns
from marketdata.domain.bar_columns import DAY, STARTS_US, BarColumns, BarPlace
from marketdata.domain.bars import Bar
from marketdata.domain.e8 import NotStorableError, to_e8
from marketdata.domain.e8_arrays import REASONS
from marketdata.domain.row_checks import Tally
from marketdata.domain.row_refusals import RowRefusal

WINDOWS: Final = {
    "1Min": timedelta(days=7),
    "1Hour": timedelta(days=60),
    "1Day": timedelta(days=1_000),
}
"""About 10,000 bars of a market that never closes: a page of most providers, and little to fetch
again after a failure.
"""


def windows_of(
    start: datetime, end: datetime, timeframe: str
) -> Iterator[tuple[datetime, datetime]]:
    """From `start` to before `end` in windows of the timeframe's size; the last may be shorter."""
    while start < end:
        until = min(start + WINDOWS[timeframe], end)
        yield start, until
        start = until


def checked_bars(bars: Iterable[Bar], place: BarPlace, tally: Tally) -> BarColumns:
    """The provider's bars that may be stored, as columns; the others are counted in `tally`."""
    rows: list[tuple[int, ...]] = []
    for bar in bars:
        tally.rows += 1
        reason = _refusal(bar, place)
        if reason is None:
            try:
                rows.append(_row(bar))
            except NotStorableError as error:
                reason = REASONS[error.reason]
        if reason is not None:
            tally.refused[reason] += 1
    table = np.array(rows, dtype=np.int64).reshape(-1, len(BarColumns._fields))
    return BarColumns(*table.T)


def _row(bar: Bar) -> tuple[int, ...]:
    prices = (to_e8(price) for price in (bar.open, bar.high, bar.low, bar.close, bar.volume))
    vwap = 0 if bar.vwap is None else to_e8(round(bar.vwap, 8))
    return (bar.start_ns // 1000, *prices, bar.trade_count, vwap)


def _refusal(bar: Bar, place: BarPlace) -> RowRefusal | None:
    prices = (bar.open, bar.high, bar.low, bar.close)
    if not all(price.is_finite() and price > 0 for price in prices):
        return RowRefusal.PRICE_NOT_POSITIVE
    if not bar.volume >= 0:
        return RowRefusal.SIZE_NEGATIVE
    if bar.low > min(prices) or bar.high < max(prices):
        return RowRefusal.NOT_ENCLOSED
    if place.timeframe == DAY:
        here = from_ns(bar.start_ns).astimezone(ZoneInfo(place.venue_zone))
        return None if here.time() == time() else RowRefusal.OFF_GRID
    return RowRefusal.OFF_GRID if bar.start_ns // 1000 % STARTS_US[place.timeframe] else None
