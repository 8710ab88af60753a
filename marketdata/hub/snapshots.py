"""Where a subscription starts: the newest state of a topic, from Redis or from the app that owns
it.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from marketdata.domain.frames import envelope_decoder

TIMEOUT_SECONDS = 2


class Snapshot(NamedTuple):
    """Everything up to event (epoch, seq), as `data`."""

    epoch: str
    seq: int
    data: object


class TopicProvider(Protocol):
    """The owner of a kind of private topics (setting LIVE_TOPIC_PROVIDERS)."""

    async def may_subscribe(self, user: object, topic: str) -> bool: ...

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        """(epoch, seq, data) that contains every event up to seq, read after the call began."""
        ...


class Snapshots:
    """Reads the snapshot of any topic. Raises RedisError, OSError or the provider's error."""

    def __init__(self, url: str, prefix: str, providers: Mapping[str, TopicProvider]) -> None:
        self._prefix = prefix
        self._providers = providers
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )

    async def read(self, topic: str) -> Snapshot:
        kind = topic.partition(":")[0]
        provider = self._providers.get(kind)
        if provider is not None:
            return Snapshot(*await provider.snapshot(topic))
        if kind == "trade":
            return await self._recent(topic)
        frame = await self._redis.get(f"{self._prefix}latest:{topic}")
        if frame is None:
            return Snapshot("", 0, None)
        envelope = envelope_decoder.decode(frame)
        return Snapshot(envelope.epoch, envelope.seq, envelope.data)

    async def close(self) -> None:
        await self._redis.aclose()

    async def _recent(self, topic: str) -> Snapshot:
        frames = await self._redis.lrange(f"{self._prefix}recent:{topic}", 0, -1)
        envelopes = [envelope_decoder.decode(frame) for frame in frames]
        data = {"trades": [envelope.data for envelope in envelopes]}
        if not envelopes:
            return Snapshot("", 0, data)
        return Snapshot(envelopes[0].epoch, envelopes[0].seq, data)
