"""Marks notifications read, each person their own."""

from datetime import datetime

from accounts.models import User
from notifications.models import Notification
from notifications.selectors import notifications_visible_to


def mark_read(*, viewer: User, notification_id: int, now: datetime) -> Notification:
    """Mark one of the viewer's notifications read and give it; Notification.DoesNotExist
    otherwise.
    """
    own = notifications_visible_to(viewer).filter(pk=notification_id)
    own.filter(read_at__isnull=True).update(read_at=now)
    return own.get()


def mark_all_read(*, viewer: User, now: datetime) -> int:
    """Mark everything the viewer has not read; how many there were."""
    return notifications_visible_to(viewer).filter(read_at__isnull=True).update(read_at=now)
