"""One month of a market's calendar as a page shows it: weeks of days, each open, closed or unknown.

Pure. The sessions are those that are stored; a day outside of what they cover is not guessed.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEK = 7


class DayKind(StrEnum):
    OPEN = "open"
    EARLY = "early"
    """Open, and over before the usual hour."""
    LATE = "late"
    """Open, and begins after the usual hour."""
    CLOSED = "closed"
    """A day of the week on which this market never trades."""
    HOLIDAY = "holiday"
    """Closed on a day of the week on which it trades."""
    UNKNOWN = "unknown"
    """Nobody has said yet, or no more."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One day's session, in UTC."""

    day: date
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A day as it stands in the month; `hours` where it is open."""

    day: date
    kind: DayKind
    hours: Hours | None
    is_today: bool
    is_in_month: bool


class Sessions:
    """What is known of a calendar: its sessions, and what is usual among them."""

    def __init__(self, known: Sequence[Hours], zone: ZoneInfo) -> None:
        self.known = sorted(known, key=lambda hours: hours.day)
        self.zone = zone
        self._by_day: Mapping[date, Hours] = {hours.day: hours for hours in self.known}
        opens = Counter(self._local(hours.opens_at) for hours in self.known)
        closes = Counter(self._local(hours.closes_at) for hours in self.known)
        self.usual_open = _commonest(opens)
        self.usual_close = _commonest(closes)
        self._trading_weekdays = _usual_weekdays(self.known)

    @property
    def first(self) -> date | None:
        return self.known[0].day if self.known else None

    @property
    def last(self) -> date | None:
        return self.known[-1].day if self.known else None

    def kind_of(self, day: date) -> DayKind:
        """What the day is; UNKNOWN before the first and after the last known session."""
        hours = self._by_day.get(day)
        if hours is not None:
            return self._open_kind(hours)
        if self.first is None or self.last is None or not self.first <= day <= self.last:
            return DayKind.UNKNOWN
        is_usual = day.weekday() in self._trading_weekdays
        return DayKind.HOLIDAY if is_usual else DayKind.CLOSED

    def hours_of(self, day: date) -> Hours | None:
        return self._by_day.get(day)

    def holidays(self, start: date, most: int) -> list[date]:
        """The next days from `start` on which the market is closed although it usually trades."""
        return self._next(start, most, {DayKind.HOLIDAY})

    def short_days(self, start: date, most: int) -> list[date]:
        """The next days from `start` that begin late or are over early."""
        return self._next(start, most, {DayKind.EARLY, DayKind.LATE})

    def coming(self, now: datetime, most: int) -> list[Hours]:
        """The running session, if one runs, and those that follow."""
        return [hours for hours in self.known if hours.closes_at > now][:most]

    def _next(self, start: date, most: int, kinds: Collection[DayKind]) -> list[date]:
        found: list[date] = []
        day = max(start, self.first) if self.first else start
        while self.last is not None and day <= self.last and len(found) < most:
            if self.kind_of(day) in kinds:
                found.append(day)
            day += timedelta(days=1)
        return found

    def _open_kind(self, hours: Hours) -> DayKind:
        if self.usual_close is not None and self._local(hours.closes_at) < self.usual_close:
            return DayKind.EARLY
        if self.usual_open is not None and self._local(hours.opens_at) > self.usual_open:
            return DayKind.LATE
        return DayKind.OPEN

    def _local(self, moment: datetime) -> time:
        return moment.astimezone(self.zone).time()


def month_grid(month: date, sessions: Sessions, today: date) -> list[list[Day]]:
    """The weeks of the month, Monday first, filled up with its neighbours' days."""
    first = month.replace(day=1)
    day = first - timedelta(days=first.weekday())
    weeks: list[list[Day]] = []
    while day <= first or day.month == first.month:
        week = []
        for _ in range(WEEK):
            week.append(
                Day(
                    day=day,
                    kind=sessions.kind_of(day),
                    hours=sessions.hours_of(day),
                    is_today=day == today,
                    is_in_month=(day.year, day.month) == (first.year, first.month),
                )
            )
            day += timedelta(days=1)
        weeks.append(week)
    return weeks


def month_after(month: date, months: int) -> date:
    """The first day of the month that many months later; before the year 1 it stays."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _commonest(times: Counter[time]) -> time | None:
    return times.most_common(1)[0][0] if times else None


def _usual_weekdays(known: Sequence[Hours]) -> frozenset[int]:
    """The days of the week of which at least half, in what is known, are open."""
    if not known:
        return frozenset()
    opened = Counter(hours.day.weekday() for hours in known)
    weeks = ((known[-1].day - known[0].day).days + WEEK) // WEEK
    return frozenset(day for day, count in opened.items() if count * 2 >= weeks)
