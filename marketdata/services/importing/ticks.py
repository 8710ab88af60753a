"""Imports trades and quotes from files, each file wholly or not at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from django.db import transaction

from core.domain.clock import Clock
from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.lean import SourceFile
from marketdata.domain.row_checks import Tally
from marketdata.domain.tick_columns import QuoteColumns, TradeColumns, quotes_of, trades_of
from marketdata.models import Feed, ImportJob, Instrument
from marketdata.services.importing.ahead import one_ahead
from marketdata.services.importing.contents import blocks_of
from marketdata.services.importing.copying import store_columns
from marketdata.services.importing.jobs import (
    ImportResult,
    JobSpec,
    fail_job,
    finish_step,
    lock_step,
    open_job,
)

Progress = Callable[[ImportResult, int], None]
"""Is told of the result so far, and of how many rows of the current step are stored."""


@dataclass(frozen=True, slots=True)
class TickImport:
    """What to import into what, and the feed it is said to come from."""

    instrument: Instrument
    feed: Feed
    files: Sequence[SourceFile]
    source: str


def import_ticks(asked: TickImport, clock: Clock, progress: Progress) -> ImportResult:
    """Store the trades and quotes of the files; what is there already stays as it is.

    A number is the row's in its file, so the same file again stores nothing. Raises FileFormatError
    and OSError for a file that cannot be read (the job is then FAILED and goes on from there), and
    ImportBusyError.
    """
    spec = JobSpec(
        kind=ImportJob.Kind.TICKS,
        instrument=asked.instrument,
        feed=asked.feed,
        source=asked.source,
        steps=[str(file.path) for file in asked.files],
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
    with transaction.atomic(), closing(one_ahead(_columns(file, tally))) as blocks:
        lock_step(job)
        for columns in blocks:
            stored += store_columns(asked.instrument.pk, asked.feed.pk, columns)
            tell(stored)
        finish_step(job, stored, tally.refused.total(), clock.now())
    result.add(stored, tally)


def _columns(file: SourceFile, tally: Tally) -> Iterator[TradeColumns | QuoteColumns]:
    parse = trades_of if file.kind == "trade" else quotes_of
    yield from parse(blocks_of(file), file.mapping, file.day, tally)
