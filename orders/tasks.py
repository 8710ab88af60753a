"""Background work of orders: switches that were scheduled, and market states that were planned."""

from datetime import timedelta

from celery import shared_task

from core.domain.clock import SystemClock
from core.services.periodic import claim_run
from orders.services.market_plans import tell_market_plans
from orders.services.trading_states import make_due_switches

SWITCH_PERIOD = timedelta(seconds=10)
PLAN_PERIOD = timedelta(seconds=10)


@shared_task(name="orders.make_due_switches")
def make_due_switches_now() -> None:
    now = SystemClock().now()
    if claim_run("make_due_switches", period=SWITCH_PERIOD, now=now):
        make_due_switches(now)


@shared_task(name="orders.tell_market_plans")
def tell_market_plans_now() -> None:
    now = SystemClock().now()
    if claim_run("tell_market_plans", period=PLAN_PERIOD, now=now):
        tell_market_plans(now)
