"""What a person may read of notifications: their own, and nobody else's."""

from typing import NamedTuple, TypedDict

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from core.domain.clock import SystemClock
from notifications.models import Notification


class NotificationJson(TypedDict):
    """A notification as pages and the live bell show it; `created_at` is RFC 3339 in UTC."""

    id: int
    title: str
    body: str
    kind: str
    created_at: str
    read: bool
    url: str


NEWEST = 10
"""Notifications that the live state tells: as many as a bell lists."""

EPOCH = "clock"


class NumberedState(NamedTuple):
    """A person's notifications as a live state. Its number is the instant, in microseconds, before
    which everything committed is in it: so the one with the higher number is the newer one.
    """

    epoch: str
    seq: int
    data: dict[str, object]


def state_topic(username: str) -> str:
    """The live topic of a person's notifications."""
    return f"notifications:{username}"


def numbered_state(user: User) -> NumberedState:
    """How many are unread, and the newest."""
    seq = SystemClock().now_ns() // 1000
    newest = [as_json(each) for each in notifications_visible_to(user)[:NEWEST]]
    return NumberedState(EPOCH, seq, {"unread": unread_count(user), "newest": newest})


def notifications_visible_to(viewer: User | AnonymousUser) -> QuerySet[Notification]:
    """The viewer's notifications, newest first."""
    if not isinstance(viewer, User):
        return Notification.objects.none()
    return Notification.objects.filter(user=viewer).order_by("-id")


def unread_count(viewer: User | AnonymousUser) -> int:
    return notifications_visible_to(viewer).filter(read_at__isnull=True).order_by().count()


def as_json(notification: Notification) -> NotificationJson:
    moment = notification.created_at.isoformat(timespec="milliseconds")
    return {
        "id": notification.pk,
        "title": notification.title,
        "body": notification.body,
        "kind": notification.kind,
        "created_at": moment.replace("+00:00", "Z"),
        "read": notification.read_at is not None,
        "url": notification.url,
    }
