"""Bar lengths as clients spell them (`1Sec 1Min 5Min 15Min 1Hour 1Day 1Week 1Month`, and ccxt's
`1min 1H 1D 1W 1M`), how long they are, and where their bars begin.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

_PATTERN = re.compile(r"([1-9][0-9]?)([A-Za-z]{1,6})", re.ASCII)


class Unit(StrEnum):
    SECOND = "Sec"
    MINUTE = "Min"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


LENGTHS: Final[Mapping[Unit, timedelta]] = {
    Unit.SECOND: timedelta(seconds=1),
    Unit.MINUTE: timedelta(minutes=1),
    Unit.HOUR: timedelta(hours=1),
    Unit.DAY: timedelta(days=1),
    Unit.WEEK: timedelta(weeks=1),
    Unit.MONTH: timedelta(days=31),
}
"""A month is as long as the longest."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPELLINGS = {
    "sec": Unit.SECOND,
    "second": Unit.SECOND,
    "s": Unit.SECOND,
    "min": Unit.MINUTE,
    "minute": Unit.MINUTE,
    "t": Unit.MINUTE,
    "hour": Unit.HOUR,
    "h": Unit.HOUR,
    "day": Unit.DAY,
    "d": Unit.DAY,
    "week": Unit.WEEK,
    "w": Unit.WEEK,
    "month": Unit.MONTH,
}
_ALLOWED_AMOUNTS = {
    Unit.SECOND: range(1, 60),
    Unit.MINUTE: range(1, 60),
    Unit.HOUR: range(1, 24),
    Unit.DAY: (1,),
    Unit.WEEK: (1,),
    Unit.MONTH: (1, 2, 3, 4, 6, 12),
}


@dataclass(frozen=True, slots=True)
class Timeframe:
    amount: int
    unit: Unit

    @property
    def is_from_days(self) -> bool:
        """Made of daily bars; otherwise of one-second or one-minute bars."""
        return self.unit in {Unit.DAY, Unit.WEEK, Unit.MONTH}

    @property
    def length(self) -> timedelta:
        """How long a bar is, at the longest."""
        return LENGTHS[self.unit] * self.amount

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"


def day_start(moment: datetime, zone: str) -> datetime:
    """The midnight of `zone` that began the day of `moment`, in UTC."""
    here = ZoneInfo(zone)
    return datetime.combine(moment.astimezone(here).date(), time(), here).astimezone(UTC)


def bar_start(moment: datetime, timeframe: Timeframe, zone: str) -> datetime:
    """Where the bar begins that `moment` lies in, in UTC: days, weeks (on Monday) and months
    (within their year) at midnight of `zone`, shorter ones counted from 1970, UTC. The database
    finds the same (marketdata/selectors/stored_bars.py).
    """
    if not timeframe.is_from_days:
        return moment.astimezone(UTC) - (moment - _EPOCH) % timeframe.length
    here = ZoneInfo(zone)
    day = moment.astimezone(here).date()
    if timeframe.unit is Unit.WEEK:
        day -= timedelta(days=day.weekday())
    elif timeframe.unit is Unit.MONTH:
        day = day.replace(day=1, month=day.month - (day.month - 1) % timeframe.amount)
    return datetime.combine(day, time(), here).astimezone(UTC)


def parse_timeframe(text: str) -> Timeframe | None:
    """The timeframe that `text` spells; None when there is no such one. A bare `M` is a month, `m`
    is no unit.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    amount, spelling = int(match.group(1)), match.group(2)
    unit = Unit.MONTH if spelling == "M" else _SPELLINGS.get(spelling.lower())
    if unit is None or amount not in _ALLOWED_AMOUNTS[unit]:
        return None
    return Timeframe(amount, unit)
