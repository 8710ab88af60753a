"""The heartbeat of every socket: is the engine alive, how old is the feed. Read once per
process.
"""

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from core.domain.clock import Clock, SystemClock, wire_time
from marketdata.domain.feed_states import age_ms
from marketdata.hub.ending import end_if_cancelled
from marketdata.hub.messages import Message

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1
HEARTBEAT_TOPIC = "heartbeat"
ENGINE_ALIVE_KEY = "engine:alive"
FEED_ALIVE_KEY = "feed:alive"
TIMEOUT_SECONDS = 1


class Pulse:
    """Asks Redis for the marks that engine and feed leave each second."""

    def __init__(self, url: str, prefix: str, clock: Clock | None = None) -> None:
        self._keys = [prefix + ENGINE_ALIVE_KEY, prefix + FEED_ALIVE_KEY]
        self._clock = clock or SystemClock()
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    async def beat(self) -> Message:
        """The heartbeat frame of this second. Without Redis nothing is live, and it says so."""
        engine = feed = None
        try:
            engine, feed = await self._redis.mget(self._keys)
        except (RedisError, OSError):
            end_if_cancelled()
            logger.debug("pulse_unknown")
        now_ns = self._clock.now_ns()
        frame = msgspec.json.encode(
            {
                "op": HEARTBEAT_TOPIC,
                "now": wire_time(now_ns),
                "engine": "down" if engine is None else "live",
                "feed_age_ms": None if feed is None else age_ms(int(feed), now_ns // 1_000_000),
            }
        )
        return Message(HEARTBEAT_TOPIC, "", 0, text=frame.decode(), data=b"", is_snapshot=False)

    async def close(self) -> None:
        await self._redis.aclose()
