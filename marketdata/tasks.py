"""Background work of market data: the days that the tick tables have, and holes in the bars."""

from datetime import timedelta

from celery import shared_task

from core.domain.clock import SystemClock
from core.services.periodic import claim_run
from marketdata.services.holes import check_recent
from marketdata.services.partitions import days_kept, drop_old_days, make_days_ahead

DAY = timedelta(days=1)


@shared_task(name="marketdata.keep_tick_days")
def keep_tick_days() -> None:
    now = SystemClock().now()
    if claim_run("keep_tick_days", period=DAY, now=now):
        make_days_ahead(now)
        drop_old_days(now, days_kept())


@shared_task(name="marketdata.check_holes")
def look_for_holes() -> None:
    now = SystemClock().now()
    if claim_run("check_holes", period=DAY, now=now):
        check_recent(now)
