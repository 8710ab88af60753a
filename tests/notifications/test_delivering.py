"""A delivery is sent once, tried again as long as it may help, and dies where people can see it."""

import email
import email.policy
import threading
import time
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from redis import Redis

from accounts.models import User
from core.domain.clock import FixedClock
from core.domain.origin import Origin
from core.models import AuditEntry
from notifications.domain.retries import MAX_ATTEMPTS, PAUSES
from notifications.models import Delivery, Notification
from notifications.services.delivering import (
    LEASE,
    Outcome,
    revive_delivery,
    send_delivery,
    sweep_deliveries,
)
from tests.notifications.conftest import MailServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(transactional_db: None, alice: User, now: datetime) -> Delivery:
    notification = Notification.objects.create(
        user=alice,
        event_id=7,
        kind="OrderFilled",
        title="Bought 10 AAPL at 432.10",
        body="Account Demo (PAPER, SIMULATED market).",
        url="/terminal?symbol=AAPL",
        created_at=now,
    )
    return Delivery.objects.create(
        notification=notification, transport="EMAIL", address="alice@example.com", due_at=now
    )


def send(delivery: Delivery, now: datetime) -> Outcome:
    return send_delivery(delivery.pk, clock=FixedClock(now), jitter=lambda: 0)


def parsed(content: bytes | str | None) -> EmailMessage:
    assert isinstance(content, bytes)
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_mail_arrives_and_its_delivery_is_sent_once(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    first = send(delivery, now)
    second = send(delivery, now)

    delivery.refresh_from_db()
    [envelope] = mail_server.received
    mail = parsed(envelope.content)
    assert (first, second) == (Outcome.SENT, Outcome.NOT_DUE)
    assert (delivery.state, delivery.attempts, delivery.sent_at) == ("SENT", 1, now)
    assert envelope.rcpt_tos == ["alice@example.com"]
    assert mail["Subject"] == "Bought 10 AAPL at 432.10"
    assert mail["Message-ID"] == f"<delivery-{delivery.pk}.20260302153000000000@localhost>"
    assert "PAPER, SIMULATED market" in mail.get_content()
    assert f"{settings.PUBLIC_URL}/terminal?symbol=AAPL" in mail.get_content()


def test_a_passing_refusal_is_tried_again_after_a_minute(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    mail_server.answer = "451 try later"

    refused = send(delivery, now)
    too_early = send(delivery, now + timedelta(seconds=59))
    delivery.refresh_from_db()
    mail_server.answer = "250 OK"
    accepted = send(delivery, now + timedelta(seconds=60))

    assert (refused, too_early, accepted) == (Outcome.RETRIED, Outcome.NOT_DUE, Outcome.SENT)
    assert (delivery.state, delivery.due_at) == ("PENDING", now + PAUSES[0])
    assert delivery.error == "451 try later"
    assert len(mail_server.received) == 1


def test_a_refused_recipient_ends_the_delivery_at_once(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    mail_server.answer = "550 no such person"

    outcome = send(delivery, now)

    delivery.refresh_from_db()
    assert outcome is Outcome.DEAD
    assert (delivery.state, delivery.attempts) == ("DEAD", 1)
    assert delivery.error == "550 no such person"
    assert send(delivery, now + timedelta(days=2)) is Outcome.NOT_DUE


def test_a_refused_content_ends_the_delivery_at_once(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    mail_server.on_data = lambda: "554 we do not want this"

    assert send(delivery, now) is Outcome.DEAD


def test_a_server_that_is_away_is_tried_until_the_pauses_end(
    delivery: Delivery, now: datetime
) -> None:
    outcomes = []
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=1):
        moment = now
        for pause in [*PAUSES, timedelta()]:
            outcomes.append(send(delivery, moment))
            moment += pause

    delivery.refresh_from_db()
    assert outcomes == [Outcome.RETRIED] * len(PAUSES) + [Outcome.DEAD]
    assert (delivery.state, delivery.attempts) == ("DEAD", MAX_ATTEMPTS)
    assert "ConnectionRefusedError" in delivery.error


def test_a_slow_server_is_given_up_on_in_time(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    mail_server.on_data = lambda: time.sleep(3) or "250 taken"  # type: ignore[func-returns-value]

    with override_settings(EMAIL_TIMEOUT=1):
        began = time.monotonic()
        outcome = send(delivery, now)

    assert outcome is Outcome.RETRIED
    assert time.monotonic() - began < 20


def test_of_two_workers_one_sends(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    outcomes: list[Outcome] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        outcomes.append(send(delivery, now))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(outcomes) == [Outcome.NOT_DUE] * 3 + [Outcome.SENT]
    assert len(mail_server.received) == 1


def test_a_worker_lost_while_sending_is_taken_over_after_its_lease(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    Delivery.objects.update(state="SENDING", attempts=1, due_at=now + LEASE)

    within = send(delivery, now + LEASE - timedelta(seconds=1))
    after = send(delivery, now + LEASE)

    delivery.refresh_from_db()
    assert (within, after) == (Outcome.NOT_DUE, Outcome.SENT)
    assert delivery.attempts == 2


def test_a_delivery_that_loses_every_worker_dies(
    delivery: Delivery, mail_server: MailServer, now: datetime
) -> None:
    Delivery.objects.update(state="SENDING", attempts=MAX_ATTEMPTS)

    outcome = send(delivery, now)

    delivery.refresh_from_db()
    assert outcome is Outcome.DEAD
    assert delivery.error == "every attempt lost its sender"
    assert mail_server.received == []


def test_an_empty_redis_loses_no_delivery(delivery: Delivery, now: datetime) -> None:
    queue = f"{settings.REDIS_PREFIX}celery:fast"
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete(queue)

        swept = sweep_deliveries(now)

        assert swept == 1
        assert redis.llen(queue) == 1
        redis.delete(queue)


def test_the_sweep_leaves_what_is_not_due(delivery: Delivery, now: datetime) -> None:
    Delivery.objects.update(due_at=now + timedelta(seconds=1))
    assert sweep_deliveries(now) == 0
    Delivery.objects.update(due_at=now, state="DEAD")
    assert sweep_deliveries(now) == 0


def test_without_a_mail_server_mails_are_files(
    delivery: Delivery, now: datetime, tmp_path: Path, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "notifications.transports.mail_files.MailFileBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")

    assert send(delivery, now) is Outcome.SENT

    [file] = (tmp_path / "mail").iterdir()
    mail = parsed(file.read_bytes())
    assert mail["To"] == "alice@example.com"
    assert mail["Subject"] == "Bought 10 AAPL at 432.10"


def test_mails_go_to_the_data_directory_unless_told_otherwise() -> None:
    assert Path(settings.EMAIL_FILE_PATH) == settings.DATA_DIR / "mail"


def test_a_dead_delivery_can_be_revived_and_that_is_on_record(
    delivery: Delivery, mail_server: MailServer, olga: User, now: datetime
) -> None:
    Delivery.objects.update(state="DEAD", attempts=3, error="550 no such person")
    delivery.refresh_from_db()
    origin = Origin(now=now, address="192.0.2.7", request_id="r")

    revived = revive_delivery(delivery=delivery, actor=olga, origin=origin)
    repeated = revive_delivery(delivery=delivery, actor=olga, origin=origin)

    assert (revived, repeated) == (True, False)
    assert send(delivery, now) is Outcome.SENT
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == (olga, "DeliveryRevived")
    assert entry.facts == {"transport": "EMAIL", "error": "550 no such person"}
