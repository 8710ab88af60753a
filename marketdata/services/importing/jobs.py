"""The row of ImportJob that says what an import is asked for and how far it is."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from marketdata.cache import forget_bars
from marketdata.domain.row_checks import Tally
from marketdata.models import Feed, ImportJob, Instrument

ERROR_LENGTH = 1_000
"""Of the message that is kept; the log has the whole of it."""


class ImportBusyError(Exception):
    """Another process works at the same job at this moment."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What is asked for. `steps` names each step; the same names and choices are the same job."""

    kind: ImportJob.Kind
    instrument: Instrument
    feed: Feed
    source: str
    steps: Sequence[str]
    timeframe: str = ""
    choices: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        asked = [
            *(self.kind.value, self.instrument.symbol, self.feed.name, self.timeframe),
            *(self.source, [*self.steps], self.choices),
        ]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class ImportResult:
    """What this run has done: rows read, newly stored, refused by reason, and crossed quotes."""

    job_id: str
    steps: int
    steps_done: int = 0
    stored: int = 0
    tally: Tally = field(default_factory=Tally)
    holes: int = 0

    def add(self, stored: int, tally: Tally) -> None:
        self.steps_done += 1
        self.stored += stored
        self.tally.rows += tally.rows
        self.tally.crossed += tally.crossed
        self.tally.refused.update(tally.refused)


Progress = Callable[[ImportResult, int], None]
"""Is told of the result so far, and of how many rows of the current step are stored."""


@transaction.atomic
def open_job(spec: JobSpec, now: datetime) -> ImportJob:
    """The job of what is asked for: a new one, the one that was cut off where it goes on, or one
    that is done and begins anew. Waits for a step of it that another process is at.
    """
    ImportJob.objects.get_or_create(
        digest=spec.digest,
        defaults={
            "kind": spec.kind,
            "instrument": spec.instrument,
            "feed": spec.feed,
            "timeframe": spec.timeframe,
            "source": spec.source,
            "steps": len(spec.steps),
            "started_at": now,
            "updated_at": now,
        },
    )
    job = ImportJob.objects.select_for_update().get(digest=spec.digest)
    if job.state == ImportJob.State.DONE:
        job.steps_done = job.rows_stored = job.rows_refused = 0
        job.position, job.started_at = {}, now
    job.state = ImportJob.State.RUNNING if job.steps else ImportJob.State.DONE
    job.error, job.updated_at = "", now
    job.save()
    return job


def lock_step(job: ImportJob) -> None:
    """Hold the job for the step it stands at; first in the step's transaction."""
    held = ImportJob.objects.select_for_update().get(pk=job.pk)
    if held.steps_done != job.steps_done:
        raise ImportBusyError(
            "another process is importing the same; wait for it or ask for something else"
        )


def finish_step(job: ImportJob, stored: int, refused: int, now: datetime) -> None:
    """Count a step as done, in the transaction that has stored its rows."""
    job.steps_done += 1
    job.rows_stored += stored
    job.rows_refused += refused
    job.position = {"step": job.steps_done}
    job.updated_at = now
    if job.steps_done == job.steps:
        job.state = ImportJob.State.DONE
    job.save(
        update_fields=[
            *("steps_done", "rows_stored", "rows_refused", "position", "updated_at", "state")
        ]
    )
    forget_bars(job.instrument_id)


@transaction.atomic
def fail_job(job: ImportJob, error: Exception, now: datetime) -> None:
    """Say why the job stands still; asked for again, it tries the same step again."""
    ImportJob.objects.filter(pk=job.pk).update(
        state=ImportJob.State.FAILED, error=str(error)[:ERROR_LENGTH], updated_at=now
    )
