"""Fills the store with bars from a provider, window by window; each is one step of an ImportJob."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from core.domain.clock import Clock
from marketdata.domain.backfilling import checked_bars, windows_of
from marketdata.domain.bar_columns import BarPlace
from marketdata.domain.bars import Bar
from marketdata.domain.ports import FeedAwayError, Historian
from marketdata.domain.row_checks import Tally
from marketdata.domain.timeframes import Timeframe, parse_timeframe
from marketdata.models import Feed, Hole, ImportJob, Instrument
from marketdata.services.holes import check_imported
from marketdata.services.importing.bar_rows import store_bars
from marketdata.services.importing.jobs import (
    ImportResult,
    JobSpec,
    Progress,
    fail_job,
    finish_step,
    lock_step,
    open_job,
)

Window = tuple[datetime, datetime]

MOST_PAGES = 10_000
"""Of one window: a provider that never comes to an end is not followed for ever."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What to ask for: bars from `start` to before `end`, or only where holes are known."""

    instrument: Instrument
    feed: Feed
    timeframe: str
    start: datetime
    end: datetime
    holes_only: bool = False

    def windows(self) -> list[Window]:
        stretches = [(self.start, self.end)]
        if self.holes_only:
            holes = Hole.objects.filter(
                instrument=self.instrument,
                timeframe=self.timeframe,
                filled_at__isnull=True,
                start__lt=self.end,
                end__gt=self.start,
            )
            stretches = [
                (max(hole.start, self.start), min(hole.end, self.end))
                for hole in holes.order_by("start", "pk")
            ]
        return [
            window for start, end in stretches for window in windows_of(start, end, self.timeframe)
        ]


def backfill(
    asked: Backfill, historian: Historian, clock: Clock, progress: Progress
) -> ImportResult:
    """Store the bars of every window that are not there yet, and look for holes afterwards.

    Cut off or left alone by its source, it goes on with the same window when asked for the same
    again. Raises FeedAwayError (the job is then FAILED) and ImportBusyError.
    """
    windows = asked.windows()
    job = open_job(_spec(asked, windows), clock.now())
    timeframe = parse_timeframe(asked.timeframe)
    assert timeframe is not None  # one of Bar.Timeframe
    result = ImportResult(str(job.pk), job.steps, job.steps_done)
    for window in windows[job.steps_done :]:
        try:
            bars = asyncio.run(_fetch(historian, asked.instrument.symbol, timeframe, window))
        except FeedAwayError as error:
            fail_job(job, error, clock.now())
            raise
        _store(job, asked, bars, clock, result)
        progress(result, 0)
    result.holes = check_imported(asked.instrument, asked.timeframe, clock.now())
    return result


def _spec(asked: Backfill, windows: Sequence[Window]) -> JobSpec:
    return JobSpec(
        kind=ImportJob.Kind.BACKFILL,
        instrument=asked.instrument,
        feed=asked.feed,
        source=f"{asked.feed.name}, {asked.start:%Y-%m-%d %H:%M} to {asked.end:%Y-%m-%d %H:%M}"
        + (", holes only" if asked.holes_only else ""),
        steps=[f"{start.isoformat()}/{end.isoformat()}" for start, end in windows],
        timeframe=asked.timeframe,
    )


async def _fetch(
    historian: Historian, symbol: str, timeframe: Timeframe, window: Window
) -> list[Bar]:
    bars: list[Bar] = []
    pages = 0
    async for page in historian.bars(symbol, timeframe, *window):
        bars += page
        pages += 1
        if pages > MOST_PAGES:
            raise FeedAwayError(f"the source gives more than {MOST_PAGES:,} pages of one window")
    return bars


def _store(
    job: ImportJob, asked: Backfill, bars: Sequence[Bar], clock: Clock, result: ImportResult
) -> None:
    tally = Tally()
    place = BarPlace(asked.timeframe, asked.instrument.venue.time_zone)
    columns = checked_bars(bars, place, tally)
    with transaction.atomic():
        lock_step(job)
        stored = store_bars(
            columns,
            instrument_id=asked.instrument.pk,
            timeframe=asked.timeframe,
            source=asked.feed.name,
            replaces=False,
        )
        finish_step(job, stored, tally.refused.total(), clock.now())
    result.add(stored, tally)
