"""How good the market data is: each feed as its process tells it, holes, imports and backfills.

For the operators' page; a Redis that is away costs the live columns, never the page.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import structlog
from django.conf import settings
from django.db.models import Count, QuerySet
from redis.exceptions import RedisError

from marketdata.models import Feed, Hole, ImportJob
from marketdata.selectors.live import live_redis

logger = structlog.get_logger(__name__)

HOLE_LIMIT: Final = 100
JOB_LIMIT: Final = 50
STATUS_AGE_SECONDS: Final = 5
"""A status is told once a second; an older one is of a process that has gone."""
GONE: Final = "GONE"
"""No running process tells of the feed."""
OFF: Final = "OFF"
"""The feed is not enabled."""


class FeedStatus(msgspec.Struct):
    """What a feed process tells of one source, once a second (docs/feeds.md)."""

    feed: str
    state: str
    told_at: datetime
    error: str = ""
    last_message_at: datetime | None = None
    messages: int = 0
    rate: int = 0
    reconnects: int = 0
    gaps: int = 0
    refused: dict[str, int] = {}
    following: list[str] = []
    """The instruments that take their prices from it now."""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A configured feed with how it is; `age_seconds` is that of its newest message."""

    feed: Feed
    routes: int
    state: str
    status: FeedStatus | None
    age_seconds: int | None


_status = msgspec.json.Decoder(FeedStatus)


def feed_rows(now: datetime) -> list[FeedRow] | None:
    """Every feed that fetches prices, by name; None when nobody can tell how they are."""
    feeds = list(
        Feed.objects.exclude(adapter="import").annotate(count=Count("routes")).order_by("name")
    )
    keys = [f"{settings.REDIS_PREFIX}feed:status:{feed.name}" for feed in feeds]
    try:
        told = live_redis().mget(keys) if keys else []
    except RedisError as error:
        logger.warning("feed_status_unavailable", error=str(error))
        return None
    return [
        _row(feed, _status.decode(frame) if frame else None, now)
        for feed, frame in zip(feeds, told, strict=True)
    ]


def _row(feed: Feed, status: FeedStatus | None, now: datetime) -> FeedRow:
    if status is not None and (now - status.told_at).total_seconds() > STATUS_AGE_SECONDS:
        status = None
    state = GONE if status is None else status.state
    if not feed.is_enabled:
        state = OFF
    last = status.last_message_at if status else None
    age = None if last is None else max(0, int((now - last).total_seconds()))
    return FeedRow(feed, feed.count, state, status, age)  # type: ignore[attr-defined]  # annotated


def open_holes() -> QuerySet[Hole]:
    """The newest holes that nothing has filled, HOLE_LIMIT of them."""
    holes = Hole.objects.filter(filled_at=None).select_related("instrument")
    return holes.order_by("-start", "pk")[:HOLE_LIMIT]


def hole_count() -> int:
    return Hole.objects.filter(filled_at=None).count()


def newest_jobs() -> QuerySet[ImportJob]:
    """The newest imports and backfills, JOB_LIMIT of them."""
    jobs = ImportJob.objects.select_related("instrument", "feed", "started_by")
    return jobs.order_by("-started_at", "-pk")[:JOB_LIMIT]
