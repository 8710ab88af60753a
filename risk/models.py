"""Trading states and limits of scopes, what waits for a second person, and switches that are
scheduled.

Trading states and limits are written by the engine's batch alone (risk.services.recording), and so
is the approval of a request: what it asked for and that it was approved are committed together.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.domain.decimals import to_wire
from marketdata.models import Instrument
from portfolio.models import TradingAccount
from risk.domain.limit_tree import LimitKind
from risk.domain.limit_words import WORDS
from risk.domain.states import TradingState as State

STATES = [(state.value, state.value) for state in State]
LIMIT_KINDS = [(kind.value, WORDS[kind].label) for kind in LimitKind]


class TradingState(models.Model):
    """The state of one scope since its last switch; a scope without a row is ACTIVE."""

    scope = models.CharField(max_length=80, primary_key=True)
    account = models.ForeignKey(TradingAccount, null=True, on_delete=models.PROTECT)
    """Of an account's scope and of its strategies'."""
    state = models.CharField(max_length=16, choices=STATES)
    version = models.BigIntegerField()
    is_clearing = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=64)
    changed_by_id = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["scope"]

    def __str__(self) -> str:
        return f"{self.scope} {self.state}"


class Limit(models.Model):
    """A limit of one scope since its last change; without a value it was taken away."""

    key = models.CharField(max_length=120, primary_key=True)
    """Scope, kind and instrument in one (risk.domain.limit_tree.LimitKey.text)."""
    scope = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=LIMIT_KINDS)
    instrument = models.ForeignKey(Instrument, null=True, on_delete=models.PROTECT)
    account = models.ForeignKey(TradingAccount, null=True, on_delete=models.PROTECT)
    """Of an account's scope and of its strategies'."""
    value = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    window_seconds = models.IntegerField(default=0)
    version = models.BigIntegerField()
    reason = models.CharField(max_length=500, blank=True)
    request_id = models.CharField(max_length=64)
    changed_by_id = models.BigIntegerField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["scope", "kind", "instrument_id"]
        constraints = [
            models.CheckConstraint(condition=Q(value=None) | Q(value__gte=0), name="limit_value")
        ]

    def __str__(self) -> str:
        return f"{self.key}: {'none' if self.value is None else to_wire(self.value)}"


class Watermark(models.Model):
    """What the losses of one account are measured from (docs/risk.md M12)."""

    account = models.OneToOneField(
        TradingAccount, primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    day = models.IntegerField()
    """Of the UTC calendar, counted from 1970-01-01."""
    opening = models.DecimalField(max_digits=38, decimal_places=8)
    highest = models.DecimalField(max_digits=38, decimal_places=8)
    stopped = models.CharField(max_length=16, choices=STATES)

    def __str__(self) -> str:
        return f"{self.account_id}: {self.opening} at the day's beginning"


class ChangeRequest(models.Model):
    """What one person asked for and another may approve, until it expires (docs/risk.md W3, M2):
    a looser trading state, or, with a `limit_kind`, a higher limit or none (no `value`).
    """

    class Status(models.TextChoices):
        PENDING = "PENDING"
        APPROVED = "APPROVED"
        REJECTED = "REJECTED"

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=80)
    account = models.ForeignKey(TradingAccount, null=True, on_delete=models.PROTECT)
    state = models.CharField(max_length=16, choices=STATES, blank=True)
    limit_kind = models.CharField(max_length=16, choices=LIMIT_KINDS, blank=True)
    instrument = models.ForeignKey(Instrument, null=True, on_delete=models.PROTECT)
    value = models.DecimalField(max_digits=20, decimal_places=8, null=True)
    window_seconds = models.IntegerField(default=0)
    version = models.BigIntegerField()
    reason = models.CharField(max_length=500)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="PENDING", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(status="PENDING") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="change_request_decided",
            ),
            models.CheckConstraint(
                condition=~Q(status="APPROVED") | ~Q(decided_by=F("asked_by")),
                name="change_request_two_persons",
            ),
            models.CheckConstraint(
                condition=Q(limit_kind="", value=None, instrument=None) & ~Q(state="")
                | (Q(state="") & ~Q(limit_kind="")),
                name="change_request_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} to {self.wanted}"

    @property
    def wanted(self) -> str:
        """What is asked for, in words: "ACTIVE", "ORDER_VALUE 5000 in instrument 3"."""
        if not self.limit_kind:
            return self.state
        value = "none" if self.value is None else to_wire(self.value)
        where = f" in instrument {self.instrument_id}" if self.instrument_id else ""
        within = f" in {self.window_seconds} s" if self.window_seconds else ""
        return f"{self.limit_kind} {value}{within}{where}"


class ScheduledSwitch(models.Model):
    """A switch to a stricter state that is made at its time (docs/risk.md W6)."""

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=80)
    state = models.CharField(
        max_length=16, choices=[pair for pair in STATES if pair[0] != "ACTIVE"]
    )
    reason = models.CharField(max_length=500)
    due_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-due_at", "-id"]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(done_at__isnull=True), name="scheduled_switch_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} to {self.state} at {self.due_at:%Y-%m-%d %H:%M}"
