"""Sends deliveries: claim by compare-and-set, hand over, note how it went.

PENDING → SENDING → SENT, or back to PENDING with a later `due_at`, or DEAD. While SENDING,
`due_at` is the end of the claim's lease: past it the sender counts as lost and the delivery is
claimed again. A sender lost between the server's yes and our commit therefore sends twice (see
transports.email).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import User
from core.domain.clock import Clock
from core.domain.origin import Origin
from core.services import audit
from notifications.domain.outgoing import OutgoingMessage, TransportError
from notifications.domain.retries import MAX_ATTEMPTS, retry_pause
from notifications.metrics import DELIVERIES
from notifications.models import Delivery
from notifications.services.announcing import enqueue_deliveries
from notifications.transports import TRANSPORTS

LEASE = timedelta(minutes=3)
"""Longer than a task may run (CELERY_TASK_TIME_LIMIT), so nobody claims what is still being
sent.
"""
MAX_SWEPT = 500
"""Deliveries one sweep hands to the workers: what they can send until the next."""
SWEPT_EXPIRES_SECONDS = 30
MAX_ERROR_LENGTH = 500

logger = structlog.get_logger(__name__)


class Outcome(StrEnum):
    SENT = "sent"
    RETRIED = "retried"
    DEAD = "dead"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    changes: dict[str, object]


def send_delivery(delivery_id: int, *, clock: Clock, jitter: Callable[[], int]) -> Outcome:
    """Send one delivery if it is due and unclaimed. `jitter` gives 0 to MAX_JITTER_PERCENT.

    Never raises for what a mail server answers: that is an outcome, and its error stands in the
    row.
    """
    delivery = _claim(delivery_id, clock.now())
    if delivery is None:
        return Outcome.NOT_DUE
    try:
        if delivery.attempts > MAX_ATTEMPTS:
            raise TransportError("every attempt lost its sender", is_permanent=True)
        TRANSPORTS[delivery.transport].send(_message(delivery))
    except TransportError as error:
        ending = _failed(delivery, error, clock.now(), jitter())
    else:
        ending = _Ending(
            Outcome.SENT, {"state": Delivery.State.SENT, "sent_at": clock.now(), "error": ""}
        )
    # The attempt number is the claim's token: a claim that was taken over changes nothing any more.
    Delivery.objects.filter(
        pk=delivery.pk, state=Delivery.State.SENDING, attempts=delivery.attempts
    ).update(**ending.changes)
    DELIVERIES.labels(delivery.transport, ending.outcome).inc()
    logger.info("delivery", delivery_id=delivery.pk, outcome=ending.outcome)
    return ending.outcome


def sweep_deliveries(now: datetime) -> int:
    """Hand every delivery that is due to the workers; how many. Finds what Redis or a worker
    lost.
    """
    due = Delivery.objects.filter(
        state__in=[Delivery.State.PENDING, Delivery.State.SENDING], due_at__lte=now
    ).order_by("due_at", "id")
    ids = list(due.values_list("id", flat=True)[:MAX_SWEPT])
    enqueue_deliveries([(each, "") for each in ids], SWEPT_EXPIRES_SECONDS)
    return len(ids)


def revive_delivery(*, delivery: Delivery, actor: User, origin: Origin) -> bool:
    """Give a dead delivery all its attempts again, from now; False when it is not dead. Audited."""
    with transaction.atomic():
        is_revived = Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.DEAD).update(
            state=Delivery.State.PENDING, attempts=0, due_at=origin.now
        )
        if not is_revived:
            return False
        audit.record(
            actor=actor,
            action="DeliveryRevived",
            target=f"delivery {delivery.pk}",
            origin=origin,
            facts={"transport": delivery.transport, "error": delivery.error},
        )
        transaction.on_commit(
            lambda: enqueue_deliveries([(delivery.pk, origin.request_id)]), robust=True
        )
    return True


def _claim(delivery_id: int, now: datetime) -> Delivery | None:
    claimed = Delivery.objects.filter(
        pk=delivery_id,
        state__in=[Delivery.State.PENDING, Delivery.State.SENDING],
        due_at__lte=now,
    ).update(state=Delivery.State.SENDING, attempts=F("attempts") + 1, due_at=now + LEASE)
    if not claimed:
        return None
    return Delivery.objects.select_related("notification").get(pk=delivery_id)


def _failed(
    delivery: Delivery, error: TransportError, now: datetime, jitter_percent: int
) -> _Ending:
    text = str(error)[:MAX_ERROR_LENGTH]
    pause = None if error.is_permanent else retry_pause(delivery.attempts, jitter_percent)
    if pause is None:
        logger.error("delivery_dead", delivery_id=delivery.pk, error=text)
        return _Ending(Outcome.DEAD, {"state": Delivery.State.DEAD, "error": text})
    return _Ending(
        Outcome.RETRIED,
        {"state": Delivery.State.PENDING, "due_at": now + pause, "error": text},
    )


def _message(delivery: Delivery) -> OutgoingMessage:
    notification = delivery.notification
    link = f"{settings.PUBLIC_URL.rstrip('/')}{notification.url}"
    return OutgoingMessage(
        # The second makes it unique across portals that share a mail domain.
        reference=f"delivery-{delivery.pk}.{notification.created_at:%Y%m%d%H%M%S%f}",
        address=delivery.address,
        subject=notification.title,
        text=f"{notification.body}\n\n{link}\n\nSent by Tradeportal at {settings.PUBLIC_URL}\n",
    )
