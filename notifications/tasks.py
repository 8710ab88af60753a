"""Background work of notifications; the queue is named in tradeportal.celery."""

import secrets
from datetime import timedelta

from celery import shared_task

from core.domain.clock import SystemClock
from core.services.periodic import claim_run
from notifications.domain.retries import MAX_JITTER_PERCENT
from notifications.services import delivering
from notifications.services.announcing import DELIVER_TASK

SWEEP_PERIOD = timedelta(seconds=30)


@shared_task(name=DELIVER_TASK)
def deliver(delivery_id: int) -> None:
    delivering.send_delivery(
        delivery_id, clock=SystemClock(), jitter=lambda: secrets.randbelow(MAX_JITTER_PERCENT + 1)
    )


@shared_task(name="notifications.sweep_deliveries")
def sweep_deliveries() -> None:
    now = SystemClock().now()
    if claim_run("sweep_deliveries", period=SWEEP_PERIOD, now=now):
        delivering.sweep_deliveries(now)
