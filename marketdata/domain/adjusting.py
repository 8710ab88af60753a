"""Factors on whole columns of bars: for imports that store adjusted prices by choice."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from marketdata.domain.bar_columns import BarColumns
from marketdata.domain.e8_arrays import Ints
from marketdata.domain.factors import Adjustment, Factor, spans_of
from marketdata.domain.file_times import EPOCH, MICROSECOND

PRICES: Final = ("open_e8", "high_e8", "low_e8", "close_e8", "vwap_e8")


def adjusted_columns(
    bars: BarColumns, factors: Iterable[Factor], mode: Adjustment, zone: str
) -> BarColumns:
    """The bars with `mode` applied, rounded half up to 10^-8; days are told in `zone`."""
    columns = dict(bars._asdict())
    for span in spans_of(factors, mode):
        rows = bars.start_us < day_end_us(span.until, zone)
        if span.after is not None:
            rows &= bars.start_us >= day_end_us(span.after, zone)
        for name in PRICES:
            columns[name] = np.where(rows, _times(columns[name], span.price), columns[name])
        volume = _times(bars.volume_e8, Decimal(1), span.volume)
        columns["volume_e8"] = np.where(rows, volume, columns["volume_e8"])
    return BarColumns(**columns)


def day_end_us(day: date, zone: str) -> int:
    """The midnight that ends `day` in `zone`, in microseconds since 1970."""
    midnight = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return (midnight.astimezone(UTC) - EPOCH) // MICROSECOND


def _times(values: Ints, factor: Decimal, divisor: Decimal = Decimal(1)) -> Any:  # Any: numpy
    above, below = factor.as_integer_ratio()
    over, under = divisor.as_integer_ratio()
    above, below = above * under, below * over
    exact = (values.astype(object) * (2 * above) + below) // (2 * below)
    return exact.astype(np.int64)
