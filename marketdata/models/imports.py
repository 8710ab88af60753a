"""The work of filling the store from files and providers, and what is still missing in it."""

import uuid

from django.conf import settings
from django.db import models

from marketdata.models.feeds import Feed
from marketdata.models.reference import Instrument


class ImportJob(models.Model):
    """One import or backfill, with how far it is. `position` says where it goes on; what it has
    stored before that is there for good, and storing it again changes nothing.
    """

    class Kind(models.TextChoices):
        BARS = "BARS"
        TICKS = "TICKS"
        BACKFILL = "BACKFILL"

    class State(models.TextChoices):
        QUEUED = "QUEUED"
        RUNNING = "RUNNING"
        DONE = "DONE"
        FAILED = "FAILED"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE)
    feed = models.ForeignKey(Feed, on_delete=models.PROTECT)
    timeframe = models.CharField(max_length=8, blank=True)
    digest = models.CharField(
        max_length=64, help_text="of what is asked for: the same again resumes this job"
    )
    source = models.TextField(help_text="the files or the provider's window, in words")
    steps = models.PositiveIntegerField(default=0)
    steps_done = models.PositiveIntegerField(default=0)
    rows_stored = models.BigIntegerField(default=0)
    rows_refused = models.BigIntegerField(default=0)
    position = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="import_job_once"),
            models.CheckConstraint(
                condition=models.Q(steps_done__lte=models.F("steps")), name="import_job_steps"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Hole(models.Model):
    """A stretch of a session for which no bars are stored although its market was open."""

    id = models.BigAutoField(primary_key=True)
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="holes")
    timeframe = models.CharField(max_length=8)
    start = models.DateTimeField()
    end = models.DateTimeField()
    found_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["instrument", "timeframe", "start"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "timeframe", "start"], name="hole_once"),
            models.CheckConstraint(condition=models.Q(start__lt=models.F("end")), name="hole_span"),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.timeframe} from {self.start:%Y-%m-%d %H:%M}"
