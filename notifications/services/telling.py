"""Tells an account's people what happened: a notification each, a delivery each, once per event.

Called by the handlers inside the relay's transaction. What leaves the database waits for its
commit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.domain import roles
from accounts.models import User
from accounts.selectors import users_who_may
from core.models import AuditEntry
from notifications.domain.account_events import AccountEvent
from notifications.domain.messages import (
    AccountLabel,
    Message,
    is_by_operator,
    is_worth_telling,
    message_for,
)
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


# A person's newest stand together in one index; so many are enough to know whether there is room.
_RECENT = """
    SELECT person.id, count(*), bool_or(newest.kind = %s)
    FROM unnest(%s::bigint[]) AS person (id), LATERAL (
        SELECT created_at, kind FROM notifications_notification
        WHERE user_id = person.id ORDER BY id DESC LIMIT %s
    ) AS newest
    WHERE newest.created_at > %s GROUP BY person.id
"""


class Recent(NamedTuple):
    """How many notifications a person got within FLOOD_WINDOW, and whether a summary was one."""

    notifications: int
    is_summarised: bool


NOTHING_RECENT = Recent(0, is_summarised=False)


@dataclass(frozen=True, slots=True)
class News:
    """An event of the log with its payload read."""

    event_id: int
    event: AccountEvent


def tell(news: Sequence[News], now: datetime) -> None:
    """Make the notifications and deliveries that `news` calls for, and announce them after
    commit.
    """
    news = [item for item in news if is_worth_telling(item.event)]
    accounts = _accounts({item.event.account_id for item in news})
    by_person = _by_person(news, accounts)
    recent = _recent_by_person([user.pk for user in by_person], now)
    told: list[Notification] = []
    for user, items in by_person.items():
        told += _notifications_for(user, items, recent.get(user.pk, NOTHING_RECENT), accounts, now)
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
    inboxes = {
        public_id: [people.setdefault(user, []) for user in _people_of(account) if user.is_active]
        for public_id, account in accounts.items()
    }
    for item in news:
        for inbox in inboxes[item.event.account_id]:
            inbox.append(item)
    return people


def _people_of(account: TradingAccount) -> Iterable[User]:
    """Owner and members; of the house, who switches trading (docs/risk.md W7)."""
    if account.kind == TradingAccount.Kind.HOUSE:
        return users_who_may(roles.MANAGE_TRADING_STATES)
    members: set[User] = set(account.members.all())
    return members | ({account.owner} if account.owner else set())


def _recent_by_person(users: Sequence[int], now: datetime) -> dict[int, Recent]:
    """What each of `users` was told within the window; who was told nothing is left out."""
    if not users:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_RECENT, [SUMMARY_KIND, list(users), FLOOD_LIMIT + 1, now - FLOOD_WINDOW])
        return {user: Recent(number, summarised) for user, number, summarised in cursor.fetchall()}


def _notifications_for(
    user: User,
    news: Sequence[News],
    recent: Recent,
    accounts: Mapping[UUID, TradingAccount],
    now: datetime,
) -> list[Notification]:
    """One per item in order, as far as the flood guard allows, then at most one summary."""
    room = max(FLOOD_LIMIT - recent.notifications, 0)
    result: list[Notification] = []
    for item in news[:room]:
        label = _label(accounts[item.event.account_id])
        message = message_for(item.event, label, _why(item.event))
        result.append(_notification(user, item, item.event.event, message, now))
    left_out = news[room:]
    if left_out and not recent.is_summarised:
        result.append(_notification(user, left_out[0], SUMMARY_KIND, SUMMARY, now))
    NOTIFICATIONS_SUPPRESSED.inc(len(left_out))
    return result


def _why(event: AccountEvent) -> str:
    """The reason that an operator gave for canceling the order: its audit entry is of the same
    commit (docs/matching.md C4).
    """
    if not is_by_operator(event):
        return ""
    assert event.order is not None
    assert event.occurred_at is not None  # the engine writes it
    entry = AuditEntry.objects.filter(
        occurred_at=event.occurred_at, target=f"order:{event.order.id}"
    ).first()
    return entry.reason if entry else ""


def _notification(
    user: User, item: News, kind: str, message: Message, now: datetime
) -> Notification:
    return Notification(
        user=user,
        event_id=item.event_id,
        kind=kind,
        title=message.title[:200],
        body=message.body[:1000],
        url=message.url[:200],
        created_at=now,
    )


def _label(account: TradingAccount) -> AccountLabel:
    return AccountLabel(
        name=account.name,
        venue=account.venue_kind,
        is_simulated=settings.MARKET == "simulated",
    )
