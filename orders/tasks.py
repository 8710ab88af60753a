"""Background work of orders: switches of trading states that were scheduled."""

from datetime import timedelta

from celery import shared_task

from core.domain.clock import SystemClock
from core.services.periodic import claim_run
from orders.services.trading_states import make_due_switches

SWITCH_PERIOD = timedelta(seconds=10)


@shared_task(name="orders.make_due_switches")
def make_due_switches_now() -> None:
    now = SystemClock().now()
    if claim_run("make_due_switches", period=SWITCH_PERIOD, now=now):
        make_due_switches(now)
