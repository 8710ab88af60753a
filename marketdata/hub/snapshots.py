"""Where a subscription starts: the newest state of a topic, or what a reader missed of it, from
Redis or from the app that owns it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from marketdata.domain.frames import envelope_decoder
from marketdata.domain.live_requests import Position
from marketdata.hub.messages import Message, event_message, read_event

TIMEOUT_SECONDS = 2
RESUME_LIMIT = 256
"""Missed events that are told one by one; who missed more is better served with a snapshot."""


class Snapshot(NamedTuple):
    """Everything up to event (epoch, seq), as `data`."""

    epoch: str
    seq: int
    data: object
    at: int | None = None


class TopicProvider(Protocol):
    """The owner of a kind of private topics (setting LIVE_TOPIC_PROVIDERS)."""

    async def may_subscribe(self, user: object, topic: str) -> bool: ...

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        """(epoch, seq, data) that contains every event up to seq, read after the call began."""
        ...


@runtime_checkable
class RememberingProvider(Protocol):
    """A provider that knows the events of its topics again."""

    async def missed(self, topic: str, since: Position, limit: int) -> list[bytes] | None:
        """The data of every event after `since`, read after the call began; None when it cannot be
        told, or when there are more than `limit`.
        """
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
        return Snapshot(envelope.epoch, envelope.seq, envelope.data, envelope.at)

    async def missed(self, topic: str, since: Position) -> list[Message] | None:
        """Every event of a log topic after `since`, in order; None when they cannot be told."""
        kind = topic.partition(":")[0]
        provider = self._providers.get(kind)
        if isinstance(provider, RememberingProvider):
            told = await provider.missed(topic, since, RESUME_LIMIT)
            if told is None:
                return None
            return [
                event_message(topic, since.epoch, since.seq + number, data)
                for number, data in enumerate(told, start=1)
            ]
        if provider is None and kind == "trade":
            frames = await self._redis.lrange(f"{self._prefix}recent:{topic}", 0, -1)
            events = [read_event(frame) for frame in reversed(frames) if isinstance(frame, bytes)]
            return events_since(once_each(events), since)
        return None

    async def close(self) -> None:
        await self._redis.aclose()

    async def _recent(self, topic: str) -> Snapshot:
        frames = await self._redis.lrange(f"{self._prefix}recent:{topic}", 0, -1)
        envelopes = once_each([envelope_decoder.decode(frame) for frame in frames])
        data = {"trades": [envelope.data for envelope in envelopes]}
        if not envelopes:
            return Snapshot("", 0, data)
        return Snapshot(envelopes[0].epoch, envelopes[0].seq, data)


class Numbered(Protocol):
    epoch: str
    seq: int


Event = TypeVar("Event", bound=Numbered)


def once_each(events: Iterable[Event]) -> list[Event]:
    """Each (epoch, seq) once: a delivery whose answer was lost is repeated."""
    return [*{(event.epoch, event.seq): event for event in events}.values()]


def events_since(events: Sequence[Message], since: Position) -> list[Message] | None:
    """What of `events`, the newest of a topic in their order, comes after `since`; None when it
    does not reach back so far without a gap.
    """
    if not events or events[-1].epoch != since.epoch or events[-1].seq < since.seq:
        return None
    missed: list[Message] = []
    wanted = events[-1].seq
    for event in reversed(events):
        if wanted == since.seq:
            break
        if event.epoch != since.epoch or event.seq != wanted:
            return None
        missed.append(event)
        wanted = event.base
    return missed[::-1] if wanted == since.seq else None
