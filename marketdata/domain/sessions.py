"""The trading sessions of a venue's calendar: is it open now, and when does its day end?

Pure; times in nanoseconds. The engine decides by these and never asks a library: the rules, K1 on,
stand in docs/market-states.md. A venue that never closes (ALWAYS) has no calendar at all.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, NamedTuple

ALWAYS: Final = "ALWAYS"


class Session(NamedTuple):
    """One day's session: open from `opens_ns` on, no more at `closes_ns`."""

    day: date
    opens_ns: int
    closes_ns: int


class MarketHours(NamedTuple):
    """Whether a market is in session; while it is not, when it opens (None: nobody knows, K1)."""

    is_open: bool = True
    opens_at: datetime | None = None
    calendar: str = ALWAYS


NEVER_CLOSED: Final = MarketHours()


class Calendar:
    """The sessions that are known, one a day, in time order."""

    __slots__ = ("_closes", "_days", "code", "sessions")

    def __init__(self, code: str, sessions: Iterable[Session] = ()) -> None:
        self.code = code
        self._days: dict[date, Session] = {}
        self.change(sessions, ())

    def change(self, sessions: Iterable[Session], removed: Iterable[date]) -> None:
        """Take sessions in, each in the place of its day's, and forget the days in `removed`."""
        for day in removed:
            self._days.pop(day, None)
        self._days.update((session.day, session) for session in sessions)
        self.sessions = sorted(self._days.values(), key=lambda session: session.opens_ns)
        self._closes = [session.closes_ns for session in self.sessions]

    def coming(self, now_ns: int) -> Session | None:
        """The running session, or else the next; None when neither is known."""
        number = bisect_right(self._closes, now_ns)
        return self.sessions[number] if number < len(self.sessions) else None

    def is_open(self, now_ns: int) -> bool:
        session = self.coming(now_ns)
        return session is not None and session.opens_ns <= now_ns
