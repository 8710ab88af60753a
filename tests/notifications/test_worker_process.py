"""A real worker, killed again and again while fills arrive: all are told once, nothing is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from core.domain.clock import FixedClock, SystemClock
from core.models import Event, FailedEvent
from notifications.models import Delivery, Notification
from notifications.services.delivering import LEASE, send_delivery
from tests.notifications.conftest import order_view

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

FILLS_A_ROUND = 20  # both rounds together stay below the flood guard
PATIENCE_SECONDS = 90
Worker = subprocess.Popen[bytes]


@pytest.fixture
def start_worker(transactional_db: None, tmp_path: Path) -> Iterator[Callable[[], Worker]]:
    database = connection.settings_dict
    user, password = quote(database["USER"]), quote(database["PASSWORD"])
    url = f"postgres://{user}:{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "PORTAL_REDIS_PREFIX": settings.REDIS_PREFIX,
        "PORTAL_DATA_DIR": str(tmp_path),
        "PORTAL_SERVICE": "worker",
        "PORTAL_LOG_LEVEL": "INFO",
        "PORTAL_SMTP_URL": "",
        "DJANGO_SETTINGS_MODULE": "tradeportal.settings.base",
    }
    command = [sys.executable, "-m", "celery", "-q", "-A", "tradeportal", "worker"]
    workers: list[Worker] = []

    def start() -> Worker:
        with (tmp_path / "worker.log").open("ab") as log:
            worker = subprocess.Popen(
                [*command, "--concurrency", "1", "--without-gossip", "--without-mingle"],
                env=environment,
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        if worker.poll() is None:
            kill(worker)


def kill(worker: Worker) -> None:
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(30)


def stop(worker: Worker, log: Path) -> int:
    """Ask the worker to finish; its exit status. A worker that does not is made to say where it
    is.
    """
    worker.send_signal(signal.SIGTERM)
    try:
        return worker.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired as error:
        worker.send_signal(signal.SIGUSR1)  # Celery then logs the stack of every thread
        time.sleep(2)
        raise AssertionError(log.read_text()[-8000:]) from error


def wait_for(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)


def test_a_worker_killed_while_fills_arrive_loses_and_repeats_nothing(
    start_worker: Callable[[], Worker],
    add_event: Callable[..., Event],
    tmp_path: Path,
    settings: Any,
) -> None:
    log = tmp_path / "worker.log"
    is_time_to_die = (
        lambda: Notification.objects.exists(),  # while the relay works
        lambda: Delivery.objects.filter(state="SENT").count() >= FILLS_A_ROUND,  # while mails leave
    )
    for condition in is_time_to_die:
        worker = start_worker()
        for _ in range(FILLS_A_ROUND):
            add_event("OrderFilled", order_view())
        wait_for(condition, log)
        kill(worker)

    seen = len(log.read_text())
    last = start_worker()
    wait_for(lambda: " ready." in log.read_text()[seen:], log)
    total = len(is_time_to_die) * FILLS_A_ROUND * 2
    wait_for(lambda: Notification.objects.count() == total, log)

    assert stop(last, log) == 0
    assert Notification.objects.values("user", "event_id").distinct().count() == total
    assert FailedEvent.objects.count() == 0
    assert Delivery.objects.count() == total
    # What the dead had in hand is sent once its lease has ended.
    settings.EMAIL_BACKEND = "notifications.transports.mail_files.MailFileBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    later = FixedClock(SystemClock().now() + LEASE + timedelta(seconds=1))
    for delivery in Delivery.objects.exclude(state="SENT"):
        send_delivery(delivery.pk, clock=later, jitter=lambda: 0)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"SENT"}
    assert len(list((tmp_path / "mail").glob("*.eml"))) == total
