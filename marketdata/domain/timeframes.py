"""Bar lengths as clients spell them: `1Sec 1Min 5Min 15Min 1Hour 1Day 1Week 1Month`, and ccxt's
`1min 1H 1D 1W 1M`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_PATTERN = re.compile(r"([1-9][0-9]?)([A-Za-z]{1,6})", re.ASCII)


class Unit(StrEnum):
    SECOND = "Sec"
    MINUTE = "Min"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


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

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"


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
