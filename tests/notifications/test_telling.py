"""From an event in the log to the people of the account: once each, and nobody else."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from redis import Redis

from accounts.models import User
from core.domain.clock import FixedClock
from core.models import AuditEntry, Event, FailedEvent
from notifications.domain.account_events import read_account_event
from notifications.models import Delivery, Notification
from notifications.services import telling
from portfolio.models import TradingAccount
from tests.core.relaying import drain
from tests.notifications.conftest import order_view
from tradeportal.relay import Relay
from tradeportal.subscriptions import SUBSCRIPTIONS

AddEvent = Callable[..., Event]


@pytest.fixture
def run_relay(now: datetime) -> Callable[[], None]:
    def run() -> None:
        drain(Relay(subscriptions=SUBSCRIPTIONS, clock=FixedClock(now)))

    return run


@pytest.fixture(autouse=True)
def empty_queues() -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        for key in redis.scan_iter(f"{settings.REDIS_PREFIX}*"):
            redis.delete(key)


def queued(queue: str = "fast") -> list[dict[str, Any]]:
    key = f"{settings.REDIS_PREFIX}celery:{queue}"
    with Redis.from_url(settings.REDIS_URL) as redis:
        return [msgspec.json.decode(raw) for raw in redis.lrange(key, 0, -1)]


def test_a_fill_tells_owner_and_member_once_each_and_nobody_else(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User, bob: User, now: datetime
) -> None:
    event = add_event("OrderFilled", order_view())

    run_relay()
    run_relay()

    told = Notification.objects.order_by("user__username")
    assert [each.user for each in told] == [alice, bob]
    assert {(each.event_id, each.title, each.created_at, each.read_at) for each in told} == {
        (event.pk, "Bought 10 AAPL at 432.10", now, None)
    }
    mails = Delivery.objects.order_by("address").values_list("address", "transport", "state")
    assert list(mails) == [
        ("alice@example.com", "EMAIL", "PENDING"),
        ("bob@example.com", "EMAIL", "PENDING"),
    ]


def test_a_switch_is_told_to_the_account_s_people_and_the_house_s_to_who_watches(
    add_event: AddEvent,
    run_relay: Callable[[], None],
    account: TradingAccount,
    olga: User,
    make_user: Callable[..., User],
) -> None:
    house = TradingAccount.objects.create(
        name="House", kind="HOUSE", currency=account.currency, created_at=account.created_at
    )
    make_user("rita", role="risk_manager")
    make_user("sue", role="support")
    halted = {"scope": "This account", "state": "HALTED", "reason": "runaway", "orders": 3}
    add_event("TradingHalted", trading_state=halted)
    full = halted | {"scope": f"Account {account.public_id}"}
    add_event("TradingHalted", account_id=str(house.public_id), trading_state=full)

    run_relay()

    told = Notification.objects.order_by("event_id", "user__username")
    assert [(each.user.username, each.title) for each in told] == [
        ("alice", "This account: trading is halted"),
        ("bob", "This account: trading is halted"),
        ("olga", f"Account {account.public_id}: trading is halted"),
        ("rita", f"Account {account.public_id}: trading is halted"),
    ]


def test_who_wants_no_mail_gets_none(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User, bob: User
) -> None:
    User.objects.filter(pk=alice.pk).update(is_email_wanted=False)
    User.objects.filter(pk=bob.pk).update(email="")
    add_event("OrderFilled", order_view())

    run_relay()

    assert Notification.objects.count() == 2
    assert Delivery.objects.count() == 0


def test_a_disabled_person_is_told_nothing(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User, bob: User
) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    add_event("OrderFilled", order_view())

    run_relay()

    assert [each.user for each in Notification.objects.all()] == [alice]


def test_quiet_events_make_no_notification(
    add_event: AddEvent, run_relay: Callable[[], None]
) -> None:
    add_event("OrderAccepted", order_view(filled_quantity="0", average_price=None))
    add_event("OrderCanceled", order_view(filled_quantity="0", average_price=None))
    add_event("OrderPartiallyFilled", order_view(filled_quantity="1"))
    add_event("CashDeposited")

    run_relay()

    assert Notification.objects.count() == 0
    assert FailedEvent.objects.count() == 0


def test_after_the_commit_a_worker_is_asked_under_the_orders_request_id(
    add_event: AddEvent, run_relay: Callable[[], None]
) -> None:
    add_event("OrderFilled", order_view())

    run_relay()

    messages = queued()
    assert [each["headers"]["task"] for each in messages] == ["notifications.deliver"] * 2
    assert {each["headers"]["portal_request_id"] for each in messages} == {"request-7"}


def test_after_the_commit_the_bell_of_an_open_page_rings(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User
) -> None:
    layer = get_channel_layer()
    channel = "open-page"
    async_to_sync(layer.group_add)(f"user.{alice.pk}", channel)
    order = order_view()
    add_event("OrderFilled", order)

    run_relay()

    message = async_to_sync(layer.receive)(channel)
    frame = msgspec.json.decode(message["frame"])
    notification = Notification.objects.get(user=alice)
    assert message["type"] == "user.message"
    assert frame == {
        "op": "event",
        "topic": "user",
        "data": {
            "kind": "notification",
            "notification": {
                "id": notification.pk,
                "title": "Bought 10 AAPL at 432.10",
                "body": notification.body,
                "kind": "OrderFilled",
                "created_at": "2026-03-02T15:30:00.000Z",
                "read": False,
                "url": f"/orders/{order['id']}",
            },
        },
    }


def test_nothing_leaves_when_the_transaction_is_rolled_back(
    add_event: AddEvent, alice: User, now: datetime
) -> None:
    event = add_event("OrderFilled", order_view())
    news = telling.News(event.pk, read_account_event(json.dumps(event.payload)))

    with transaction.atomic():
        telling.tell([news], now)
        transaction.set_rollback(True)

    assert Notification.objects.count() == 0
    assert queued() == []


def test_redis_away_costs_no_notification(
    add_event: AddEvent, run_relay: Callable[[], None], settings: Any
) -> None:
    settings.REDIS_URL, kept = "redis://127.0.0.1:1/0", settings.REDIS_URL
    add_event("OrderFilled", order_view())
    add_event("OrderFilled", order_view())

    run_relay()

    settings.REDIS_URL = kept
    assert Notification.objects.count() == 4
    assert Delivery.objects.filter(state="PENDING").count() == 4
    assert queued() == []


def test_a_flood_ends_in_one_summary(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User
) -> None:
    for _ in range(telling.FLOOD_LIMIT + 5):
        add_event("OrderFilled", order_view())
    run_relay()
    for _ in range(5):
        add_event("OrderFilled", order_view())
    run_relay()

    kinds = list(Notification.objects.filter(user=alice).values_list("kind", flat=True))
    assert kinds.count("OrderFilled") == telling.FLOOD_LIMIT
    assert kinds.count("Summary") == 1
    assert len(kinds) == telling.FLOOD_LIMIT + 1


def test_a_minute_after_a_flood_people_are_told_again(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User, now: datetime
) -> None:
    for _ in range(telling.FLOOD_LIMIT + 5):
        add_event("OrderFilled", order_view())
    run_relay()
    add_event("OrderFilled", order_view())

    later = now + telling.FLOOD_WINDOW + timedelta(seconds=1)
    drain(Relay(subscriptions=SUBSCRIPTIONS, clock=FixedClock(later)))

    newest = Notification.objects.filter(user=alice).first()
    assert newest is not None
    assert (newest.kind, newest.created_at) == ("OrderFilled", later)


def test_a_payload_that_cannot_be_read_is_set_aside(
    add_event: AddEvent, run_relay: Callable[[], None]
) -> None:
    add_event("OrderFilled", {"symbol": "AAPL"})
    add_event("OrderFilled", order_view())

    run_relay()

    assert FailedEvent.objects.get().handler == "notifications.tell_account_people"
    assert Notification.objects.count() == 2


def test_an_operators_cancel_is_told_with_the_reason_of_its_audit_entry(
    add_event: AddEvent, run_relay: Callable[[], None], alice: User, olga: User, now: datetime
) -> None:
    order = order_view(
        status="CANCELED", reason="OPERATOR_REQUESTED", filled_quantity="0", average_price=None
    )
    AuditEntry.objects.create(
        actor=olga, action="OrderCanceledByOperator", target=f"order:{order['id']}",
        reason="a fat finger", occurred_at=now,
    )  # fmt: skip
    add_event("OrderCanceled", order)

    run_relay()

    notification = Notification.objects.get(user=alice)
    assert notification.title == "An operator canceled your order to buy 10 AAPL"
    assert "was canceled by an operator. Reason: a fat finger." in notification.body
    assert notification.url == f"/orders/{order['id']}"
