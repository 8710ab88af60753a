"""Housekeeping across the apps, run by tradeportal.schedule. Each job is safe to run again."""

from datetime import timedelta
from uuid import uuid4

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from celery import shared_task
from django.conf import settings
from django.core.management import call_command

from core.domain.audit_chain import sealing_key
from core.domain.clock import SystemClock
from core.models import ConsumedEvent, IdempotencyRecord
from core.services.audit_sealing import seal_audit_trail
from core.services.periodic import claim_run
from orders.services.sessions import fill_sessions
from tradeportal.schedule import DAY

SEALING_PERIOD = timedelta(seconds=10)
SIGN_IN_RECORDS_KEPT = timedelta(days=30)
IDEMPOTENCY_RECORDS_KEPT = timedelta(hours=24)
CONSUMED_EVENTS_KEPT = timedelta(days=30)


@shared_task(name="tradeportal.seal_audit_trail")
def seal_audit_trail_now() -> None:
    if claim_run("seal_audit_trail", period=SEALING_PERIOD, now=SystemClock().now()):
        seal_audit_trail(sealing_key(settings.SECRET_KEY))


@shared_task(name="tradeportal.fill_sessions")
def fill_trading_sessions() -> None:
    now = SystemClock().now()
    if claim_run("fill_sessions", period=DAY, now=now):
        fill_sessions(now=now, request_id=uuid4().hex)


@shared_task(name="tradeportal.clear_expired_sessions")
def clear_expired_sessions() -> None:
    if claim_run("clear_expired_sessions", period=DAY, now=SystemClock().now()):
        call_command("clearsessions")


@shared_task(name="tradeportal.prune_sign_in_attempts")
def prune_sign_in_attempts() -> None:
    now = SystemClock().now()
    if not claim_run("prune_sign_in_attempts", period=DAY, now=now):
        return
    for records in (AccessAttempt, AccessFailureLog, AccessLog):
        records.objects.filter(attempt_time__lt=now - SIGN_IN_RECORDS_KEPT).delete()


@shared_task(name="tradeportal.prune_idempotency_records")
def prune_idempotency_records() -> None:
    now = SystemClock().now()
    if claim_run("prune_idempotency_records", period=DAY, now=now):
        IdempotencyRecord.objects.filter(created_at__lt=now - IDEMPOTENCY_RECORDS_KEPT).delete()


@shared_task(name="tradeportal.prune_consumed_events")
def prune_consumed_events() -> None:
    now = SystemClock().now()
    if claim_run("prune_consumed_events", period=DAY, now=now):
        ConsumedEvent.objects.filter(consumed_at__lt=now - CONSUMED_EVENTS_KEPT).delete()
