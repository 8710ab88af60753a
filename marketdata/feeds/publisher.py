"""Puts live messages into Redis: published for who listens now, kept for who comes later.

Keys (all begin with the portal's prefix): `latest:{topic}` the newest frame,
`recent:trade:{symbol}` the last trades, newest first, `feed:alive` the millisecond at which the
feed was last known to run.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

RECENT_TRADES = 50
FEED_ALIVE_KEY = "feed:alive"
TIMEOUT_SECONDS = 2


class Kind(Enum):
    STATE = auto()
    LOG = auto()
    NOTE = auto()
    """A key that is only stored, never published."""


class Publication(NamedTuple):
    topic: str
    frame: bytes
    kind: Kind


class RedisPublisher:
    """Writes batches of publications, one round trip each."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        # No hidden retries: the link that calls us waits and tries again, and says so in the log.
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    async def deliver(self, batch: Sequence[Publication]) -> None:
        """Store and publish `batch`; raises RedisError when Redis is away (part of it may have been
        published).
        """
        pipeline = self._redis.pipeline(transaction=False)
        for topic, frame, kind in batch:
            if kind is Kind.NOTE:
                pipeline.set(self._prefix + topic, frame)
                continue
            pipeline.set(f"{self._prefix}latest:{topic}", frame)
            if kind is Kind.LOG:
                recent = f"{self._prefix}recent:{topic}"
                pipeline.lpush(recent, frame)
                pipeline.ltrim(recent, 0, RECENT_TRADES - 1)
            pipeline.publish(self._prefix + topic, frame)
        await pipeline.execute()

    async def close(self) -> None:
        await self._redis.aclose()
