"""What a day's bar takes: the UTC day of a venue that never closes, or the session of one with
hours.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from core.domain.clock import NANOSECONDS_PER_SECOND, to_ns
from marketdata.domain.bars import DAY_NS, Period, floor_ns
from marketdata.domain.sessions import Session

CLOSING_PATIENCE_NS: Final = 1800 * NANOSECONDS_PER_SECOND
"""How long after a session's end its closing print may come: auctions of a busy day are printed
minutes later.
"""


class TradingDays(Protocol):
    """The days of one venue."""

    def period_of(self, t_ns: int) -> Period | None:
        """The day whose bar takes a trade of `t_ns`; None outside of all sessions."""
        ...

    def closing_ns(self, t_ns: int) -> int | None:
        """The last nanosecond of the session that a closing print of `t_ns` belongs to, if `t_ns`
        lies after a session's end, by no more than CLOSING_PATIENCE_NS; else None.
        """
        ...


def ended_session(days: TradingDays, now_ns: int) -> Period | None:
    """The session that ended by `now_ns` and may still be told its closing print; else None."""
    closing_ns = days.closing_ns(now_ns)
    return None if closing_ns is None else days.period_of(closing_ns)


class UtcDays:
    """Days from midnight to midnight UTC."""

    def period_of(self, t_ns: int) -> Period:
        start_ns = floor_ns(t_ns, DAY_NS)
        return Period(start_ns, start_ns, start_ns + DAY_NS)

    def closing_ns(self, t_ns: int) -> None:
        return None


class SessionDays:
    """Days of a venue with hours: named by the midnight of their date at the venue, from the open
    (inclusive) to the close.
    """

    def __init__(self, sessions: Sequence[Session], time_zone: str) -> None:
        """`sessions` in time order."""
        zone = ZoneInfo(time_zone)
        self._opens = [session.opens_ns for session in sessions]
        self._periods = [
            Period(
                to_ns(datetime(session.day.year, session.day.month, session.day.day, tzinfo=zone)),
                session.opens_ns,
                session.closes_ns,
            )
            for session in sessions
        ]

    def period_of(self, t_ns: int) -> Period | None:
        period = self._begun(t_ns)
        return period if period is not None and t_ns < period.ends_ns else None

    def closing_ns(self, t_ns: int) -> int | None:
        period = self._begun(t_ns)
        if period is None or not 0 <= t_ns - period.ends_ns <= CLOSING_PATIENCE_NS:
            return None
        return period.ends_ns - 1

    def _begun(self, t_ns: int) -> Period | None:
        """The newest session that had begun at `t_ns`."""
        number = bisect_right(self._opens, t_ns)
        return self._periods[number - 1] if number else None
