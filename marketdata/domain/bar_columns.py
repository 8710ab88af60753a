"""Blocks of a file into columns of bars, checked row by row; days are put where they begin."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from marketdata.domain.e8_arrays import Ints
from marketdata.domain.file_tables import Block, ColumnMapping
from marketdata.domain.file_times import EPOCH, MICROSECOND
from marketdata.domain.row_checks import RowCheck, Tally
from marketdata.domain.row_refusals import RowRefusal

PRICES: Final = ("open", "high", "low", "close")
DAY: Final = "1Day"
STARTS_US: Final = {"1Min": 60_000_000, "1Hour": 900_000_000}
"""What the start of a bar is a multiple of; an hour may begin at any quarter (zones are so)."""


class BarColumns(NamedTuple):
    """Bars as columns of one length, numbers in 10^-8; `vwap_e8` is 0 where it is not known."""

    start_us: Ints
    open_e8: Ints
    high_e8: Ints
    low_e8: Ints
    close_e8: Ints
    volume_e8: Ints
    trade_count: Ints
    vwap_e8: Ints


class BarPlace(NamedTuple):
    """How long the bars are, and the time zone whose midnights begin their days."""

    timeframe: str
    venue_zone: str


def bars_of(
    blocks: Iterable[Block],
    mapping: ColumnMapping,
    place: BarPlace,
    day: date | None,
    tally: Tally,
) -> Iterator[BarColumns]:
    """The bars of each block that are to be stored; `tally` grows as they are read.

    A day bar begins at the venue's midnight of its date, whatever its time. Of bars with one start
    the last of the file is meant.
    """
    for block in blocks:
        check = RowCheck(block, mapping, day)
        prices = [check.numbers(name, mapping.price_shift) for name in PRICES]
        volume = check.numbers("volume", mapping.size_shift)
        vwap = check.numbers("vwap", mapping.price_shift)
        count = check.numbers("trade_count", 8)
        opened, high, low, close = prices
        for price in prices:
            check.refuse(price <= 0, RowRefusal.PRICE_NOT_POSITIVE)
        check.refuse(volume < 0, RowRefusal.SIZE_NEGATIVE)
        check.refuse(
            (low > np.minimum(opened, close)) | (high < np.maximum(opened, close)),
            RowRefusal.NOT_ENCLOSED,
        )
        if place.timeframe == DAY:
            starts = _midnights(check.at_us, mapping.time.zone, place.venue_zone)
        else:
            starts = check.at_us
            check.refuse(starts % STARTS_US[place.timeframe] != 0, RowRefusal.OFF_GRID)
        kept = check.kept(tally)
        yield BarColumns(*(column[kept] for column in (starts, *prices, volume, count, vwap)))


def _midnights(at_us: Ints, file_zone: str, venue_zone: str) -> Ints:
    """The venue's midnight of each moment's date; dates are told in the file's zone."""
    there, here = ZoneInfo(file_zone), ZoneInfo(venue_zone)
    starts = []
    for us in at_us.tolist():
        day = datetime.fromtimestamp(us // 1_000_000, UTC).astimezone(there).date()
        starts.append((datetime.combine(day, time(), here) - EPOCH) // MICROSECOND)
    return np.array(starts, dtype=np.int64)
