"""Imports trades and quotes from files, each file wholly or not at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from core.domain.clock import Clock, from_ns
from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.lean import SourceFile
from marketdata.domain.row_checks import Tally
from marketdata.domain.sessions import ALWAYS
from marketdata.domain.tick_bars import joined, minutes_of
from marketdata.domain.tick_columns import QuoteColumns, TradeColumns, quotes_of, trades_of
from marketdata.models import Feed, ImportJob, Instrument
from marketdata.services.exchange_hours import exchange_sessions
from marketdata.services.importing.ahead import one_ahead
from marketdata.services.importing.bar_rows import store_bars
from marketdata.services.importing.contents import blocks_of, readable
from marketdata.services.importing.copying import store_columns
from marketdata.services.importing.jobs import (
    ImportResult,
    JobSpec,
    Progress,
    fail_job,
    finish_step,
    lock_step,
    open_job,
)
from marketdata.services.importing.spans import clear_span, span_of, table_of
from marketdata.services.partitions import ensure_days


@dataclass(frozen=True, slots=True)
class TickImport:
    """What to import into what, and the feed it is said to come from."""

    instrument: Instrument
    feed: Feed
    files: Sequence[SourceFile]
    source: str
    draws_bars: bool = False
    """Whether the trades' minutes are stored as bars too. A file then begins and ends with whole
    minutes; bars that are there stay, unless it `replaces`.
    """
    replaces: bool = False
    """Whether what other feeds have stored within a file's time is removed; otherwise such a file
    is refused.
    """


def import_ticks(asked: TickImport, clock: Clock, progress: Progress) -> ImportResult:
    """Store the trades and quotes of the files; what is there already stays as it is.

    A number is the row's in its file, so the same file again stores nothing. Raises FileFormatError
    and OSError for a file that cannot be read, DayTakenError for one whose time another feed has
    filled (the job is then FAILED and goes on from there), and ImportBusyError.
    """
    spec = JobSpec(
        kind=ImportJob.Kind.TICKS,
        instrument=asked.instrument,
        feed=asked.feed,
        source=asked.source,
        steps=[str(file.path) for file in asked.files],
        choices={"bars": str(asked.draws_bars)} | ({"replace": "True"} if asked.replaces else {}),
    )
    job = open_job(spec, clock.now())
    result = ImportResult(str(job.pk), job.steps, job.steps_done)
    for file in asked.files[job.steps_done :]:
        try:
            _import_file(job, asked, file, clock, lambda rows: progress(result, rows), result)
        except (FileFormatError, OSError) as error:
            fail_job(job, error, clock.now())
            raise
        progress(result, 0)
    return result


def _import_file(
    job: ImportJob,
    asked: TickImport,
    file: SourceFile,
    clock: Clock,
    tell: Callable[[int], None],
    result: ImportResult,
) -> None:
    tally = Tally()
    stored = 0
    drawn: list[TradeColumns] = []
    instrument_id, feed = asked.instrument.pk, asked.feed
    span = span_of(file)
    if span is not None:
        ensure_days(table_of(file.kind), span.days, is_kept=True)
    with transaction.atomic(), closing(one_ahead(_columns(file, tally))) as blocks:
        lock_step(job)
        if span is not None:
            clear_span(file.kind, instrument_id, feed, span, replaces=asked.replaces)
        for columns in blocks:
            stored += store_columns(instrument_id, feed.pk, columns)
            if asked.draws_bars and isinstance(columns, TradeColumns):
                drawn.append(columns)
            tell(stored)
        if drawn:
            _draw(asked, joined(drawn))
        finish_step(job, stored, tally.refused.total(), clock.now())
    result.add(stored, tally)


def _draw(asked: TickImport, trades: TradeColumns) -> None:
    """Store the trades' minutes; sessions end by the venue's calendar."""
    if not len(trades.at_us):
        return
    venue = asked.instrument.venue
    closes: list[int] = []
    if venue.calendar != ALWAYS:
        first, last = (from_ns(int(us) * 1000) for us in (trades.at_us.min(), trades.at_us.max()))
        days = timedelta(days=1)
        sessions = exchange_sessions(venue.calendar, (first - days).date(), (last + days).date())
        closes = [session.closes_ns // 1000 for session in sessions]
    store_bars(
        minutes_of(trades, closes),
        instrument_id=asked.instrument.pk,
        timeframe="1Min",
        source=asked.feed.name,
        replaces=asked.replaces,
    )


def _columns(file: SourceFile, tally: Tally) -> Iterator[TradeColumns | QuoteColumns]:
    parse = trades_of if file.kind == "trade" else quotes_of
    found: Iterator[TradeColumns | QuoteColumns] = parse(
        blocks_of(file), file.mapping, file.day, tally
    )
    yield from readable(file, found)
