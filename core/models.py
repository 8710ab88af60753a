"""Tables every app relies on: the event log (which is also the outbox), its readers, audit and
idempotency.
"""

from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL

from core.row_rules import row_rule


class TransactionIdField(models.BigIntegerField):  # type: ignore[type-arg]  # none at run time
    """PostgreSQL's xid8 of the writing transaction: what lets a reader follow the log without
    missing late commits. An int in Python; on the way in a string, since xid8 has no cast from
    bigint.
    """

    def db_type(self, connection: object) -> str:
        return "xid8"

    def from_db_value(self, value: str | None, *_: object) -> int | None:
        return None if value is None else int(value)

    def get_db_prep_value(
        self, value: object, connection: object, prepared: bool = False
    ) -> object:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return str(value)


class DocumentField(models.JSONField):
    """JSON that is kept as the text it was written as (PostgreSQL's json): what is read again is
    what was told, letter by letter, and nothing is spent on an order of keys that nobody asks for.
    """

    def db_type(self, connection: object) -> str:
        return "json"

    def from_db_value(self, value: object, *_: object) -> object:
        return value  # the driver has read it


class Event(models.Model):
    """A fact, appended in the transaction that made it true. Never updated; read in
    (transaction_id, id) order.

    Events of a trading account are numbered by `account_sequence` without gaps.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=64)
    version = models.PositiveSmallIntegerField(default=1)
    account_id = models.BigIntegerField(null=True)
    account_sequence = models.BigIntegerField(null=True)
    payload = DocumentField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=models.functions.Now())
    transaction_id = TransactionIdField(
        db_default=RawSQL("pg_current_xact_id()", []), editable=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "account_sequence"], name="event_account_sequence"
            ),
            row_rule(
                "event_sequence_with_account", "(account_id IS NULL) = (account_sequence IS NULL)"
            ),
        ]
        indexes = [models.Index(fields=["transaction_id", "id"], name="event_reading_order")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


ALL_READ = 2**63 - 1
"""The `event_id` of a reader that has read all of its transaction."""


class EventReader(models.Model):
    """How far one reader of the event log (the relay, a report) has come. Also how far the audit
    trail is sealed: `event_id` is then an entry's.
    """

    name = models.CharField(max_length=64, primary_key=True)
    transaction_id = TransactionIdField()
    event_id = models.BigIntegerField()
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.event_id}"


class ConsumedEvent(models.Model):
    """One handler has taken one event. Written in the handler's transaction, so each effect
    happens once.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.BigIntegerField()
    handler = models.CharField(max_length=128)
    consumed_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handler", "event_id"], name="consumed_once")
        ]

    def __str__(self) -> str:
        return f"{self.handler} took {self.event_id}"


class FailedEvent(models.Model):
    """An event that one handler could not take, set aside so that the reader could go on.

    Shown in the admin with its error; run again from there, which stamps `resolved_at`.
    """

    id = models.BigAutoField(primary_key=True)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="failures")
    handler = models.CharField(max_length=128)
    attempts = models.PositiveSmallIntegerField()
    error = models.TextField()
    failed_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["handler", "event"], name="failed_event_once")
        ]
        indexes = [
            models.Index(
                fields=["-id"],
                condition=models.Q(resolved_at__isnull=True),
                name="failed_event_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.handler} could not take {self.event_id}"


class PeriodicRun(models.Model):
    """When a scheduled job last began: what lets two schedulers run without doing a job twice."""

    name = models.CharField(max_length=64, primary_key=True)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.started_at}"


class AuditEntry(models.Model):
    """Who did what to what, from where and why. Appended by `core.services.audit`; a trigger
    refuses to change or delete what it says, and an AuditLink proves it.
    """

    id = models.BigAutoField(primary_key=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=True,
    )
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=128, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField()
    transaction_id = TransactionIdField(
        db_default=RawSQL("pg_current_xact_id()", []), editable=False
    )

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-occurred_at", "-id"], name="audit_newest"),
            models.Index(fields=["transaction_id", "id"], name="audit_reading_order"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}"


class AuditLink(models.Model):
    """The seal of one entry, and through the link before it of all that were sealed earlier.
    Positions have no gaps. Written by `core.services.audit_sealing`; a trigger refuses changes.
    """

    position = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="link")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [row_rule("audit_link_from_one", "position > 0")]

    def __str__(self) -> str:
        return f"{self.position}:{self.digest}"


class IdempotencyRecord(models.Model):
    """The stored answer to a request that carried an Idempotency-Key, kept per user until it
    expires.

    `drawn_id` is the id drawn for what the request makes, and `claimed_at` says since when somebody
    works on it: with both, who comes after a request that was cut off can finish it.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    response = models.JSONField(null=True)
    created_at = models.DateTimeField()
    drawn_id = models.UUIDField(null=True)
    claimed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=models.Q(drawn_id__isnull=True, claimed_at__isnull=True)
                | models.Q(drawn_id__isnull=False, claimed_at__isnull=False),
                name="idempotency_drawn_with_claim",
            ),
        ]

    def __str__(self) -> str:
        return self.key
