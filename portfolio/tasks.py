"""Background work of portfolio, run by tradeportal.schedule."""

from datetime import timedelta

from celery import shared_task

from core.domain.clock import SystemClock
from core.services.periodic import claim_run
from portfolio.domain.history import SAMPLE_MINUTES
from portfolio.services.sampling import sample_equity, thin_out_samples

SAMPLE_PERIOD = timedelta(minutes=SAMPLE_MINUTES)


@shared_task(name="portfolio.sample_equity")
def take_equity_samples() -> None:
    now = SystemClock().now()
    if claim_run("sample_equity", period=SAMPLE_PERIOD, now=now):
        sample_equity(now)


@shared_task(name="portfolio.thin_out_equity_samples")
def thin_out_equity_samples() -> None:
    now = SystemClock().now()
    if claim_run("thin_out_equity_samples", period=timedelta(days=1), now=now):
        thin_out_samples(now)
