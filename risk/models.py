"""Trading states of scopes, what waits for a second person, and switches that are scheduled.

Trading states are written by the engine's batch alone (risk.services.recording), and so is the
approval of a request: what it asked for and that it was approved are committed together.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from portfolio.models import TradingAccount
from risk.domain.states import TradingState as State

STATES = [(state.value, state.value) for state in State]


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


class ChangeRequest(models.Model):
    """What one person asked for and another may approve, until it expires (docs/risk.md W3)."""

    class Status(models.TextChoices):
        PENDING = "PENDING"
        APPROVED = "APPROVED"
        REJECTED = "REJECTED"

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=80)
    account = models.ForeignKey(TradingAccount, null=True, on_delete=models.PROTECT)
    state = models.CharField(max_length=16, choices=STATES)
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
        ]

    def __str__(self) -> str:
        return f"{self.scope} to {self.state}"


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
