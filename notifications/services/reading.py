"""Marks notifications read, each person their own."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from notifications.models import Notification
from notifications.selectors import notifications_visible_to
from notifications.services import announcing


def mark_read(*, viewer: User, notification_id: int, now: datetime) -> Notification:
    """Mark one of the viewer's notifications read and give it; Notification.DoesNotExist
    otherwise.
    """
    own = notifications_visible_to(viewer).filter(pk=notification_id)
    if own.filter(read_at__isnull=True).update(read_at=now):
        transaction.on_commit(lambda: announcing.send_state(viewer))
    return own.get()


def mark_all_read(*, viewer: User, now: datetime) -> int:
    """Mark everything the viewer has not read; how many there were."""
    unread = notifications_visible_to(viewer).filter(read_at__isnull=True)
    count = unread.order_by().update(read_at=now)
    if count:
        transaction.on_commit(lambda: announcing.send_state(viewer))
    return count
