"""Tells an account's people what happened: a notification each, a delivery each, once per event.

Called by the handlers inside the relay's transaction. What leaves the database waits for its
commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from notifications.domain.account_events import AccountEvent
from notifications.domain.messages import AccountLabel, Message, message_for
from notifications.metrics import NOTIFICATIONS, NOTIFICATIONS_SUPPRESSED
from notifications.models import Delivery, Notification
from notifications.services import announcing
from portfolio.models import TradingAccount

FLOOD_LIMIT = 60
"""Notifications a person gets within FLOOD_WINDOW; nobody reads more, and a mail server would not
take them. Then one summary, and silence until the window has room again: the blotter has them
all.
"""
FLOOD_WINDOW = timedelta(minutes=1)
SUMMARY_KIND = "Summary"
SUMMARY = Message(
    title="Your orders trade faster than we can tell you",
    body=(
        f"More than {FLOOD_LIMIT} notifications in a minute: further ones are left out for now."
        " The terminal shows every order and fill."
    ),
    url="/terminal",
)


@dataclass(frozen=True, slots=True)
class News:
    """An event of the log with its payload read."""

    event_id: int
    event: AccountEvent


def tell(news: Sequence[News], now: datetime) -> None:
    """Make the notifications and deliveries that `news` calls for, and announce them after
    commit.
    """
    accounts = _accounts({item.event.account_id for item in news})
    told: list[Notification] = []
    for user, items in _by_person(news, accounts).items():
        told += _notifications_for(user, items, accounts, now)
    if not told:
        return
    Notification.objects.bulk_create(told)
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            notification=notification,
            transport=Delivery.Transport.EMAIL,
            address=notification.user.email,
            due_at=now,
        )
        for notification in told
        if notification.user.email and notification.user.is_email_wanted
    )
    request_ids = {item.event_id: item.event.request_id for item in news}
    transaction.on_commit(lambda: _announce(told, deliveries, request_ids), robust=True)


def _announce(
    told: Sequence[Notification], deliveries: Sequence[Delivery], request_ids: Mapping[int, str]
) -> None:
    for notification in told:
        NOTIFICATIONS.labels(notification.kind).inc()
    announcing.announce(
        told, [(each.pk, request_ids[each.notification.event_id]) for each in deliveries]
    )


def _accounts(public_ids: set[UUID]) -> dict[UUID, TradingAccount]:
    rows = TradingAccount.objects.filter(public_id__in=public_ids)
    return {row.public_id: row for row in rows.select_related("owner").prefetch_related("members")}


def _by_person(
    news: Sequence[News], accounts: Mapping[UUID, TradingAccount]
) -> dict[User, list[News]]:
    people: dict[User, list[News]] = {}
    for item in news:
        account = accounts[item.event.account_id]
        for user in {account.owner, *account.members.all()}:
            if user is not None and user.is_active:
                people.setdefault(user, []).append(item)
    return people


def _notifications_for(
    user: User, news: Sequence[News], accounts: Mapping[UUID, TradingAccount], now: datetime
) -> list[Notification]:
    """One per item in order, as far as the flood guard allows, then at most one summary."""
    recent = list(
        Notification.objects.filter(user=user)
        .order_by("-id")
        .values_list("created_at", "kind")[: FLOOD_LIMIT + 1]
    )
    recent_kinds = [kind for created_at, kind in recent if created_at > now - FLOOD_WINDOW]
    room = FLOOD_LIMIT - len(recent_kinds)
    is_summarised = SUMMARY_KIND in recent_kinds
    result: list[Notification] = []
    for item in news:
        message = message_for(item.event, _label(accounts[item.event.account_id]))
        if message is None:
            continue
        kind = item.event.event
        if room <= 0:
            NOTIFICATIONS_SUPPRESSED.inc()
            if is_summarised:
                continue
            is_summarised, message, kind = True, SUMMARY, SUMMARY_KIND
        room -= 1
        result.append(
            Notification(
                user=user,
                event_id=item.event_id,
                kind=kind,
                title=message.title[:200],
                body=message.body[:1000],
                url=message.url[:200],
                created_at=now,
            )
        )
    return result


def _label(account: TradingAccount) -> AccountLabel:
    return AccountLabel(
        name=account.name,
        venue=account.venue_kind,
        is_simulated=settings.MARKET == "simulated",
    )
