"""The times of files into microseconds since 1970, UTC: whole columns at once.

A local time that happens twice or never (when clocks change) is refused, not guessed.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from marketdata.domain.e8_arrays import Bools, Ints

MICROSECOND: Final = timedelta(microseconds=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_YEAR_US: Final = 253_402_300_800_000_000
"""The year 10000: beyond it no datetime can tell the time."""


class TimeKind(StrEnum):
    """How a column tells time. Any other word is a format of strptime."""

    MS_OF_DAY = "ms-of-day"
    ISO = "iso"
    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"


US_PER: Final = {TimeKind.SECONDS: 1_000_000, TimeKind.MILLISECONDS: 1_000}


class TimeFormat(NamedTuple):
    """`kind` is a TimeKind or a format of strptime; `zone` is where local times are local."""

    kind: str = TimeKind.ISO
    zone: str = "UTC"


class Moments(NamedTuple):
    """Microseconds since 1970 and which rows have no readable time (theirs is 0)."""

    us: Ints
    unreadable: Bools


def moments_of(column: Any, how: TimeFormat, day: date | None) -> Moments:  # Any: an Arrow array
    """The column's moments; `day` is the local day that MS_OF_DAY counts from."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_timestamp(column.type):
        return _of_stamps(pd.Series(column.to_pandas()), how.zone)
    if how.kind == TimeKind.ISO or how.kind not in set(TimeKind):
        return _of_texts(column, how)
    whole, unreadable = _whole(column)
    if how.kind == TimeKind.MS_OF_DAY:
        if day is None:
            raise ValueError("times of a day need the day; name it with --day")
        return _of_day(whole, unreadable, day, how.zone)
    us = (
        whole // 1000
        if how.kind == TimeKind.NANOSECONDS
        else whole * US_PER.get(TimeKind(how.kind), 1)
    )
    return _checked(us, unreadable)


def _whole(column: Any) -> tuple[Ints, Bools]:  # Any: an Arrow array
    if pa.types.is_integer(column.type) and not column.null_count:
        values: Ints = column.to_numpy(zero_copy_only=False).astype(np.int64)
        return values, np.zeros(len(values), dtype=np.bool_)
    numbers = pd.to_numeric(pd.Series(column.to_pylist(), dtype="object"), errors="coerce")
    unreadable = (numbers.isna() | (numbers % 1 != 0)).to_numpy(dtype=np.bool_)
    return numbers.where(~unreadable, 0).astype(np.int64).to_numpy(), unreadable


def _of_day(ms: Ints, unreadable: Bools, day: date, zone: str) -> Moments:
    """Wall clock times of one local day: on most days one offset holds for all of it."""
    here = ZoneInfo(zone)
    midnight = datetime.combine(day, time(), here)
    tomorrow = datetime.combine(day + timedelta(days=1), time(), here)
    if midnight.utcoffset() == tomorrow.utcoffset():
        return _checked((midnight - EPOCH) // MICROSECOND + ms * 1000, unreadable)
    wall = pd.Series(pd.Timestamp(day) + pd.to_timedelta(ms, unit="ms"))
    found = _of_stamps(wall, zone)
    return Moments(found.us, found.unreadable | unreadable)


def _of_texts(column: Any, how: TimeFormat) -> Moments:  # Any: an Arrow array
    texts = pd.Series(column.to_pandas()).astype("string")
    written = "ISO8601" if how.kind == TimeKind.ISO else how.kind
    if how.kind == TimeKind.ISO and how.zone == "UTC":
        return _of_stamps(pd.to_datetime(texts, format=written, errors="coerce", utc=True), "UTC")
    return _of_stamps(pd.to_datetime(texts, format=written, errors="coerce"), how.zone)


def _of_stamps(stamps: Any, zone: str) -> Moments:  # Any: a pandas Series of datetimes
    if stamps.dt.tz is None:
        stamps = stamps.dt.tz_localize(ZoneInfo(zone), ambiguous="NaT", nonexistent="NaT")
    unreadable = stamps.isna().to_numpy(dtype=np.bool_)
    utc = stamps.dt.tz_convert("UTC").dt.tz_localize(None)
    us: Ints = utc.to_numpy().astype("datetime64[us]").astype(np.int64)
    return Moments(np.where(unreadable, 0, us), unreadable)


def _checked(us: Ints, unreadable: NDArray[np.bool_]) -> Moments:
    unreadable = unreadable | (us < -LARGEST_YEAR_US) | (us >= LARGEST_YEAR_US)
    return Moments(np.where(unreadable, 0, us), unreadable)
