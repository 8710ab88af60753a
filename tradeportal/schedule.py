"""Every job that runs by the clock, with the reason for its period. Read by Celery beat.

A job that is late by its period is dropped (`expires`): after an hour without workers each job runs
once, not sixty times. Two beats are harmless: each job claims its run (core.services.periodic).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery.schedules import BaseSchedule, crontab, schedule

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Job:
    task: str
    when: BaseSchedule
    period: timedelta
    reason: str


JOBS = (
    Job(
        "notifications.sweep_deliveries",
        schedule(timedelta(seconds=30)),
        timedelta(seconds=30),
        "the first retry is due after a minute, and what Redis lost must not wait much longer",
    ),
    Job(
        "orders.make_due_switches",
        schedule(timedelta(seconds=10)),
        timedelta(seconds=10),
        "a scheduled halt is about minutes, and its day is planned to the quarter hour",
    ),
    Job(
        "orders.tell_market_plans",
        schedule(timedelta(seconds=10)),
        timedelta(seconds=10),
        "the engine decides by its own time; it must only have heard of a plan before",
    ),
    Job(
        "tradeportal.seal_audit_trail",
        schedule(timedelta(seconds=10)),
        timedelta(seconds=10),
        "until an entry is sealed it can be changed unseen; a look that finds nothing costs little",
    ),
    Job(
        "portfolio.sample_equity",
        schedule(timedelta(minutes=5)),
        timedelta(minutes=5),
        "the finest timeframe of the portfolio history",
    ),
    Job(
        "portfolio.thin_out_equity_samples",
        crontab(hour="3", minute="50"),
        DAY,
        "samples older than a month are kept once a day",
    ),
    Job(
        "marketdata.keep_tick_days",
        crontab(hour="0", minute="20"),
        DAY,
        "a day of ticks is one partition: made a week ahead, dropped whole when its time is over",
    ),
    Job(
        "marketdata.check_holes",
        crontab(hour="4", minute="10"),
        DAY,
        "the markets of the day before have closed, and nobody waits; imports look themselves",
    ),
    Job(
        "tradeportal.fill_sessions",
        crontab(hour="2", minute="30"),
        DAY,
        "trading days are told more than a year ahead; a holiday that is proclaimed takes a day",
    ),
    Job(
        "tradeportal.clear_expired_sessions",
        crontab(hour="3", minute="10"),
        DAY,
        "sessions end by themselves; only their rows stay, and they grow by sign-ins a day",
    ),
    Job(
        "tradeportal.prune_sign_in_attempts",
        crontab(hour="3", minute="20"),
        DAY,
        "addresses of failed sign-ins are personal data: kept a month, counted in days",
    ),
    Job(
        "tradeportal.prune_idempotency_records",
        crontab(hour="3", minute="30"),
        DAY,
        "an answer is replayed for 24 hours; once a day keeps at most two days of them",
    ),
    Job(
        "tradeportal.prune_consumed_events",
        crontab(hour="3", minute="40"),
        DAY,
        "marks guard against a repeated event, which is a matter of minutes; a month is kept",
    ),
)


def beat_schedule() -> dict[str, dict[str, Any]]:  # Any: Celery's own shape
    """JOBS as Celery's `beat_schedule` setting."""
    return {
        job.task: {
            "task": job.task,
            "schedule": job.when,
            "options": {"expires": job.period.total_seconds()},
        }
        for job in JOBS
    }
