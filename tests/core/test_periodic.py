"""A scheduled job runs once a period, however many schedulers ask for it."""

from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.models import Session

from accounts.models import User
from core.domain.clock import SystemClock
from core.models import ConsumedEvent, IdempotencyRecord
from core.services.periodic import claim_run
from tradeportal import tasks
from tradeportal.celery import app
from tradeportal.schedule import JOBS

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def test_of_two_schedulers_one_runs_the_job(now: datetime) -> None:
    first = claim_run("job", period=MINUTE, now=now)
    second = claim_run("job", period=MINUTE, now=now + timedelta(seconds=1))

    assert (first, second) == (True, False)


def test_the_next_period_runs_even_if_it_comes_a_little_early(now: datetime) -> None:
    claim_run("job", period=MINUTE, now=now)

    assert claim_run("job", period=MINUTE, now=now + timedelta(seconds=59))


def test_jobs_do_not_share_their_periods(now: datetime) -> None:
    claim_run("job", period=MINUTE, now=now)

    assert claim_run("other job", period=MINUTE, now=now)


def test_a_clock_set_back_does_not_stop_the_job(now: datetime) -> None:
    claim_run("job", period=MINUTE, now=now + timedelta(days=400))

    assert claim_run("job", period=MINUTE, now=now)


def test_every_scheduled_job_exists_and_has_a_queue() -> None:
    app.loader.import_default_modules()  # as a worker does when it starts
    queues = {queue.name for queue in app.conf.task_queues}

    for job in JOBS:
        assert job.task in app.tasks
        assert app.amqp.router.route({}, job.task)["queue"].name in queues
        assert job.reason


def test_housekeeping_removes_the_old_and_keeps_the_new(alice: User) -> None:
    now = SystemClock().now()
    old, new = now - timedelta(days=40), now - timedelta(minutes=1)
    for moment, key in ((old, "old"), (new, "new")):
        IdempotencyRecord.objects.create(user=alice, key=key, request_hash="h", created_at=moment)
        Session.objects.create(session_key=key, session_data="", expire_date=moment + 2 * MINUTE)
    ConsumedEvent.objects.create(event_id=1, handler="h", consumed_at=old)
    ConsumedEvent.objects.create(event_id=2, handler="h", consumed_at=new)

    for _ in range(2):
        tasks.clear_expired_sessions()
        tasks.prune_idempotency_records()
        tasks.prune_consumed_events()
        tasks.prune_sign_in_attempts()

    assert list(IdempotencyRecord.objects.values_list("key", flat=True)) == ["new"]
    assert list(Session.objects.values_list("session_key", flat=True)) == ["new"]
    assert list(ConsumedEvent.objects.values_list("event_id", flat=True)) == [2]
