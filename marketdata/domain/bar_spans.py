"""When a bar of a timeframe is over: history must not take an open one for a closed one."""

from datetime import datetime

from core.domain.clock import from_ns
from marketdata.domain.bars import Bar
from marketdata.domain.timeframes import Timeframe, Unit


def is_over(bar: Bar, timeframe: Timeframe, now: datetime) -> bool:
    """Whether the bar's whole interval lies behind `now`."""
    return end_of(from_ns(bar.start_ns), timeframe) <= now


def end_of(start: datetime, timeframe: Timeframe) -> datetime:
    """The instant at which the next bar begins; months by the calendar, in `start`'s zone."""
    if timeframe.unit is Unit.MONTH:
        months = start.month - 1 + timeframe.amount
        return start.replace(day=1, year=start.year + months // 12, month=months % 12 + 1)
    return start + timeframe.length
