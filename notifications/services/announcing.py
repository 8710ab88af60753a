"""Carries what was committed to open pages and to the worker, as fast as Redis allows.

Neither is needed for certainty: the bell is drawn from the database with each page, and the sweep
finds every delivery that is due. So a Redis that is away costs a log line.
"""

import asyncio
import json
from collections.abc import Sequence

import structlog
from asgiref.sync import async_to_sync
from celery import current_app
from channels.layers import get_channel_layer
from django.conf import settings
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from accounts.models import User
from core.task_context import REQUEST_ID_HEADER
from marketdata.domain.frames import event_frame
from notifications.models import Notification
from notifications.selectors import as_json, numbered_state, state_topic

DELIVER_TASK = "notifications.deliver"
PING_TIMEOUT_SECONDS = 1
FRAMES_TIMEOUT_SECONDS = 2
ENQUEUED_EXPIRES_SECONDS = 600
"""A task left lying longer than this is dropped: the sweep has long taken over."""

logger = structlog.get_logger(__name__)


def announce(notifications: Sequence[Notification], deliveries: Sequence[tuple[int, str]]) -> None:
    """Ring the bells of open pages and ask the workers to send, unless Redis is away.

    Asked first because Celery's Redis client would try for six seconds, which the relay has not.
    """
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PING_TIMEOUT_SECONDS,
            socket_connect_timeout=PING_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as redis:
            redis.ping()
    except (RedisError, OSError) as error:
        logger.warning("announcement_left_to_sweep", count=len(notifications), error=str(error))
        return
    send_frames(notifications)
    told = {notification.user_id: notification.user for notification in notifications}
    for user in told.values():
        send_state(user)
    enqueue_deliveries(deliveries)


def send_frames(notifications: Sequence[Notification]) -> None:
    """Send each notification to its person's open sockets (group `user.{id}`)."""
    try:
        async_to_sync(_send_frames)(notifications)
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("bell_not_rung", count=len(notifications), error=str(error))


def send_state(user: User) -> None:
    """Tell whoever follows the person's notifications how they stand now."""
    state = numbered_state(user)
    topic = state_topic(user.username)
    frame = event_frame(topic, epoch=state.epoch, seq=state.seq, data=state.data)
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=PING_TIMEOUT_SECONDS,
            socket_connect_timeout=PING_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as redis:
            redis.publish(settings.REDIS_PREFIX + topic, frame)
    except (RedisError, OSError) as error:
        logger.warning("notifications_state_untold", error=str(error))


def enqueue_deliveries(
    deliveries: Sequence[tuple[int, str]], expires_seconds: float = ENQUEUED_EXPIRES_SECONDS
) -> None:
    """Ask a worker to send each delivery (its id and the request id it came from) now."""
    for delivery_id, request_id in deliveries:
        try:
            current_app.send_task(
                DELIVER_TASK,
                args=[delivery_id],
                headers={REQUEST_ID_HEADER: request_id},
                expires=expires_seconds,
                retry=False,
            )
        except (OperationalError, RedisError, OSError) as error:
            logger.warning("deliveries_left_to_sweep", first=delivery_id, error=str(error))
            return


async def _send_frames(notifications: Sequence[Notification]) -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(FRAMES_TIMEOUT_SECONDS):
        for notification in notifications:
            frame = {
                "op": "event",
                "topic": "user",
                "data": {"kind": "notification", "notification": as_json(notification)},
            }
            await layer.group_send(
                f"user.{notification.user_id}",
                {"type": "user.message", "frame": json.dumps(frame, separators=(",", ":"))},
            )
