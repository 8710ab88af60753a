"""Imports bars from files, each file wholly or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.db import connection, transaction

from core.batch_sql import EPOCH_SQL, ints
from core.domain.clock import Clock
from marketdata.domain.adjusting import adjusted_columns
from marketdata.domain.bar_columns import BarColumns, BarPlace, bars_of
from marketdata.domain.factors import Adjustment, Factor
from marketdata.domain.file_tables import FileFormatError
from marketdata.domain.lean import SourceFile
from marketdata.domain.row_checks import Tally
from marketdata.models import Feed, ImportJob, Instrument
from marketdata.services.importing.ahead import one_ahead
from marketdata.services.importing.contents import blocks_of
from marketdata.services.importing.jobs import (
    ImportResult,
    JobSpec,
    fail_job,
    finish_step,
    lock_step,
    open_job,
)
from marketdata.services.importing.ticks import Progress

_ITEM: Final = (
    "unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
    " %s::bigint[], %s::bigint[])"
    " AS item (start, open, high, low, close, volume, trade_count, vwap)"
)
_INSERT: Final = f"""
    INSERT INTO marketdata_bar AS bar (instrument_id, timeframe, start, open, high, low, close,
                                       volume, trade_count, vwap, source)
    SELECT %s, %s, {EPOCH_SQL.format("item.start")}, open * 0.00000001, high * 0.00000001,
           low * 0.00000001, close * 0.00000001, volume * 0.00000001, trade_count,
           nullif(vwap, 0) * 0.00000001, %s
    FROM {_ITEM}
    ON CONFLICT (instrument_id, timeframe, start)
"""  # noqa: S608  # names of ours
_CHANGING: Final = ("open", "high", "low", "close", "volume", "trade_count", "vwap", "source")
_REPLACE: Final = (
    "DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CHANGING)
    + " WHERE ("
    + ", ".join(f"bar.{name}" for name in _CHANGING)
    + ") IS DISTINCT FROM ("
    + ", ".join(f"excluded.{name}" for name in _CHANGING)
    + ")"
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


def store_bars(
    columns: BarColumns, *, instrument_id: int, timeframe: str, source: str, replaces: bool
) -> int:
    """Store bars and return how many are new, or (with `replaces`) new or other than before. Of
    several with one start the last is meant.
    """
    if not len(columns.start_us):
        return 0
    _, last = np.unique(columns.start_us[::-1], return_index=True)
    rows = len(columns.start_us) - 1 - last
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT + (_REPLACE if replaces else "DO NOTHING"),
            [instrument_id, timeframe, source, *(ints(item[rows].tolist()) for item in columns)],
        )
        return int(cursor.rowcount)


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
    if asked.adjustment is Adjustment.RAW:
        return found
    zone = asked.instrument.venue.time_zone
    return (adjusted_columns(bars, asked.factors, asked.adjustment, zone) for bars in found)
