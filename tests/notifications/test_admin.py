"""Operators see what was told and repair what died; they cannot write history."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import User
from core.models import AuditEntry, Event, FailedEvent
from notifications.models import Delivery, Notification

DELIVERIES = "/admin/notifications/delivery/"
FAILED_EVENTS = "/admin/core/failedevent/"


@pytest.fixture
def console(olga: User, now: datetime) -> Client:
    """Olga's browser, her second factor passed."""
    client = Client()
    device = TOTPDevice.objects.create(user=olga, name="phone", confirmed=True)
    client.force_login(olga, "accounts.services.authorization.RoleBackend")
    session = client.session
    session["otp_device_id"] = device.persistent_id
    session.save()
    return client


@pytest.fixture
def dead(alice: User, now: datetime) -> Delivery:
    notification = Notification.objects.create(
        user=alice, event_id=1, kind="OrderFilled", title="Bought", body="b", created_at=now
    )
    return Delivery.objects.create(
        notification=notification,
        transport="EMAIL",
        address="alice@example.com",
        state="DEAD",
        attempts=8,
        error="550 no such person",
        due_at=now,
    )


def test_an_operator_sends_a_dead_delivery_again(console: Client, dead: Delivery) -> None:
    page = console.get(DELIVERIES)
    answer = console.post(DELIVERIES, {"action": "retry", "_selected_action": [dead.pk]})

    dead.refresh_from_db()
    assert b"alice@example.com" in page.content
    assert answer.status_code == 302
    assert (dead.state, dead.attempts) == ("PENDING", 0)
    assert AuditEntry.objects.filter(action="DeliveryRevived").count() == 1


@pytest.mark.parametrize("path", ["add/", "{}/delete/"])
def test_nobody_writes_deliveries_by_hand(console: Client, dead: Delivery, path: str) -> None:
    answer = console.post(DELIVERIES + path.format(dead.pk), {"post": "yes"})

    assert answer.status_code == 403
    assert Delivery.objects.count() == 1


def test_changing_a_delivery_by_hand_is_refused(console: Client, dead: Delivery) -> None:
    answer = console.post(f"{DELIVERIES}{dead.pk}/change/", {"state": "SENT"})

    dead.refresh_from_db()
    assert answer.status_code == 403
    assert dead.state == "DEAD"


def test_a_trader_has_no_console(alice: User, dead: Delivery) -> None:
    client = Client()
    client.force_login(alice, "accounts.services.authorization.RoleBackend")

    answer = client.post(DELIVERIES, {"action": "retry", "_selected_action": [dead.pk]})

    dead.refresh_from_db()
    assert answer.status_code in {302, 403, 404}
    assert dead.state == "DEAD"


def test_an_operator_runs_a_failed_event_again(
    console: Client, make_user: Callable[..., User], now: datetime
) -> None:
    event = Event.objects.create(kind="OrderFilled", payload={}, occurred_at=now)
    failed = FailedEvent.objects.create(
        event=event,
        handler="notifications.tell_account_people",
        attempts=4,
        error="msgspec.ValidationError",
        failed_at=now,
    )

    page = console.get(FAILED_EVENTS)
    answer = console.post(FAILED_EVENTS, {"action": "run_again", "_selected_action": [failed.pk]})

    failed.refresh_from_db()
    assert b"tell_account_people" in page.content
    assert answer.status_code == 302
    assert (failed.attempts, failed.resolved_at) == (5, None)
    assert "event" in failed.error
    entry = AuditEntry.objects.get(action="FailedEventRunAgain")
    assert entry.facts == {"is_done": False}
