"""Looks for holes in the stored bars, writes them down and marks those that were filled since.

Looked at is what lies between an instrument's first and last stored bar of a timeframe, or until
the end of the window that is asked for: before the first, nobody has claimed to have anything.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Min

from core.domain.clock import from_ns, to_ns
from marketdata.domain.holes import (
    LEAST_MISSING,
    LENGTHS_NS,
    Stretch,
    missing_bars,
    missing_days,
    within,
)
from marketdata.domain.sessions import ALWAYS
from marketdata.models import Bar, Hole, Instrument, Venue
from marketdata.services.exchange_hours import exchange_sessions

LOOK_BACK: Final = timedelta(days=7)
"""How far the nightly look goes back: older holes were found by the nights before, or by imports.
"""
MOST_HOLES: Final = 10_000
"""Written down of one look; with more than that the data is rather not there than full of holes."""


def check_holes(
    instrument: Instrument,
    timeframe: str,
    now: datetime,
    window: tuple[datetime, datetime] | None = None,
) -> list[Stretch]:
    """The holes of the window (by default all that is stored), which are stored as rows of Hole;
    earlier ones that are none any more are marked as filled at `now`.
    """
    bars = Bar.objects.filter(instrument=instrument, timeframe=timeframe)
    ends = bars.aggregate(first=Min("start"), last=Max("start"))
    if ends["first"] is None:
        return []
    first, last = window or (ends["first"], ends["last"])
    first = max(first, ends["first"])
    looked_at = Stretch(to_ns(first), min(to_ns(last), to_ns(now)))
    stored = [
        to_ns(start)
        for start in bars.filter(start__gte=first - timedelta(days=1), start__lte=last)
        .order_by("start")
        .values_list("start", flat=True)
    ]
    if timeframe == Bar.Timeframe.DAY:
        days = [
            day
            for day in _days(instrument.venue, first, last)
            if day.start_ns >= looked_at.start_ns and day.end_ns <= to_ns(now)
        ]
        holes = within(missing_days(days, stored), looked_at)
    else:
        sessions = within(_sessions(instrument.venue, first, last), looked_at)
        holes = missing_bars(sessions, stored, LENGTHS_NS[timeframe], LEAST_MISSING[timeframe])
    _write(instrument, timeframe, looked_at, holes[:MOST_HOLES], now)
    return holes


def check_imported(instrument: Instrument, timeframe: str, now: datetime) -> int:
    """How many holes an import has left in all that is stored of the timeframe."""
    return len(check_holes(instrument, timeframe, now))


def check_recent(now: datetime) -> int:
    """Look for holes of the last week in every instrument that has bars; returns how many."""
    count = 0
    pairs = (
        Bar.objects.filter(start__gte=now - LOOK_BACK)
        .order_by("instrument_id", "timeframe")
        .values_list("instrument_id", "timeframe")
        .distinct()
    )
    instruments = {
        instrument.pk: instrument
        for instrument in Instrument.objects.select_related("venue").order_by("pk")
    }
    for instrument_id, timeframe in [*pairs]:
        window = (now - LOOK_BACK, now)
        count += len(check_holes(instruments[instrument_id], timeframe, now, window))
    return count


@transaction.atomic
def _write(
    instrument: Instrument,
    timeframe: str,
    looked_at: Stretch,
    holes: Iterable[Stretch],
    now: datetime,
) -> None:
    """One row a hole, known by its start. One that has shrunk at its end keeps its row; one whose
    beginning was filled ends there, and the rest is a new one.
    """
    known = {
        hole.start: hole
        for hole in Hole.objects.select_for_update().filter(
            instrument=instrument,
            timeframe=timeframe,
            start__gte=from_ns(looked_at.start_ns),
            start__lt=from_ns(looked_at.end_ns),
        )
    }
    for start, end in ((from_ns(hole.start_ns), from_ns(hole.end_ns)) for hole in holes):
        row = known.pop(start, None)
        if row is None:
            Hole.objects.create(
                instrument=instrument, timeframe=timeframe, start=start, end=end, found_at=now
            )
        elif row.end != end or row.filled_at is not None:
            Hole.objects.filter(pk=row.pk).update(end=end, filled_at=None)
    filled = [hole.pk for hole in known.values() if hole.filled_at is None]
    Hole.objects.filter(pk__in=filled).update(filled_at=now)


def _sessions(venue: Venue, first: datetime, last: datetime) -> Iterator[Stretch]:
    """When the venue was open from the day of `first` to that of `last`."""
    if venue.calendar == ALWAYS:
        yield Stretch(to_ns(first), to_ns(last))
        return
    day = timedelta(days=1)
    for session in exchange_sessions(venue.calendar, (first - day).date(), (last + day).date()):
        yield Stretch(session.opens_ns, session.closes_ns)


def _days(venue: Venue, first: datetime, last: datetime) -> Iterator[Stretch]:
    """The venue's trading days, each from its midnight to the next."""
    zone = ZoneInfo(venue.time_zone)
    if venue.calendar == ALWAYS:
        day, end = first.astimezone(zone).date(), last.astimezone(zone).date()
        dates = [day + timedelta(days=number) for number in range((end - day).days + 1)]
    else:
        days = timedelta(days=1)
        dates = [
            session.day
            for session in exchange_sessions(
                venue.calendar, (first - days).date(), (last + days).date()
            )
        ]
    for date in dates:
        start = to_ns(datetime.combine(date, time(), zone).astimezone(UTC))
        tomorrow = datetime.combine(date + timedelta(days=1), time(), zone)
        yield Stretch(start, to_ns(tomorrow.astimezone(UTC)))
