"""What a person may read of notifications: their own, and nobody else's."""

from typing import TypedDict

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
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
