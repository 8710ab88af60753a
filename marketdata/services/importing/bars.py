"""Imports bars from files, each file wholly or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from django.db import transaction

from core.domain.clock import Clock
from marketdata.domain.adjusting import adjusted_columns
from marketdata.domain.bar_columns import BarColumns, BarPlace, bars_of
from marketdata.domain.factors import Adjustment, Factor
from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.lean import SourceFile
from marketdata.domain.row_checks import Tally
from marketdata.models import Feed, ImportJob, Instrument
from marketdata.services.importing.ahead import one_ahead
from marketdata.services.importing.bar_rows import store_bars
from marketdata.services.importing.contents import blocks_of, readable
from marketdata.services.importing.jobs import (
    ImportResult,
    JobSpec,
    Progress,
    fail_job,
    finish_step,
    lock_step,
    open_job,
)


@dataclass(frozen=True, slots=True)
class BarImport:
    """What to import into what. `adjustment` is applied to the file's prices with `factors` before
    they are stored; usually they are stored RAW and adjusted when they are read.
    """

    instrument: Instrument
    feed: Feed
    timeframe: str
    files: Sequence[SourceFile]
    source: str
    replaces: bool = False
    adjustment: Adjustment = Adjustment.RAW
    factors: Sequence[Factor] = ()

    @property
    def place(self) -> BarPlace:
        return BarPlace(self.timeframe, self.instrument.venue.time_zone)


def import_bars(asked: BarImport, clock: Clock, progress: Progress) -> ImportResult:
    """Store the bars of the files; those that are there already stay, unless `replaces`.

    Raises FileFormatError and OSError for a file that cannot be read (the job is then FAILED and
    goes on from there), and ImportBusyError.
    """
    spec = JobSpec(
        kind=ImportJob.Kind.BARS,
        instrument=asked.instrument,
        feed=asked.feed,
        source=asked.source,
        steps=[str(file.path) for file in asked.files],
        timeframe=asked.timeframe,
        choices={"adjust": asked.adjustment, "replace": str(asked.replaces)},
    )
    job = open_job(spec, clock.now())
    result = ImportResult(str(job.pk), job.steps, job.steps_done)
    for file in asked.files[job.steps_done :]:
        try:
            _import_file(job, asked, file, clock, result)
        except (FileFormatError, OSError) as error:
            fail_job(job, error, clock.now())
            raise
        progress(result, 0)
    return result


def _import_file(
    job: ImportJob, asked: BarImport, file: SourceFile, clock: Clock, result: ImportResult
) -> None:
    tally = Tally()
    stored = 0
    with transaction.atomic(), closing(one_ahead(_columns(asked, file, tally))) as blocks:
        lock_step(job)
        for columns in blocks:
            stored += store_bars(
                columns,
                instrument_id=asked.instrument.pk,
                timeframe=asked.timeframe,
                source=asked.feed.name,
                replaces=asked.replaces,
            )
        finish_step(job, stored, tally.refused.total(), clock.now())
    result.add(stored, tally)


def _columns(asked: BarImport, file: SourceFile, tally: Tally) -> Iterator[BarColumns]:
    found = bars_of(blocks_of(file), file.mapping, asked.place, file.day, tally)
    if asked.adjustment is not Adjustment.RAW:
        zone = asked.instrument.venue.time_zone
        found = (adjusted_columns(bars, asked.factors, asked.adjustment, zone) for bars in found)
    yield from readable(file, found)
