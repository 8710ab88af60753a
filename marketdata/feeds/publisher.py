"""Puts live messages into Redis: published for who listens now, kept for who comes later.

Keys (all begin with the portal's prefix): `latest:{topic}` the newest frame,
`recent:trade:{symbol}` the last trades, newest first, `feed:alive` the millisecond at which the
feed process was last known to run, `feed:status:{name}` how one source is (docs/feeds.md),
`feed:followed` which source each instrument follows.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from marketdata.domain.bars import Bar
from marketdata.domain.frames import bar_data, event_frame, quote_data, read_quote, trade_data
from marketdata.domain.topics import quote_topic
from marketdata.domain.values import Quote, Trade

RECENT_TRADES = 50
FEED_ALIVE_KEY = "feed:alive"
FEED_STATUS_KEY = "feed:status:"
FEED_FOLLOWED_KEY = "feed:followed"
FEED_CONTROL_KEY = "feed:control:"
TIMEOUT_SECONDS = 2
SCAN_COUNT = 1_000


class Kind(Enum):
    STATE = auto()
    LOG = auto()
    PRINT = auto()
    """A trade that moves no price: told and kept among the recent, but never the newest price."""
    NOTE = auto()
    """A key that is only stored, never published."""


class LiveBar(NamedTuple):
    """A bar and the feed that its newest trade came from."""

    bar: Bar
    feed: str


class StaleQuote(NamedTuple):
    """The newest quote of an instrument of which no feed has told for too long."""

    quote: Quote


Message = Quote | Trade | LiveBar | StaleQuote | bytes


class Publication(NamedTuple):
    """One message of a topic; written as text when it is delivered, for most quotes of a fast
    market are replaced by newer ones before that.
    """

    topic: str
    message: Message
    kind: Kind
    epoch: str = ""
    seq: int = 0
    at_us: int | None = None
    """When the source's message was received, by our clock; None of what no message caused."""

    @property
    def frame(self) -> bytes:
        if isinstance(self.message, bytes):
            return self.message
        data = _data_of(self.message)
        return event_frame(self.topic, epoch=self.epoch, seq=self.seq, data=data, at=self.at_us)


def _data_of(message: Quote | Trade | LiveBar | StaleQuote) -> object:
    if isinstance(message, Quote):
        return quote_data(message)
    if isinstance(message, Trade):
        return trade_data(message)
    if isinstance(message, LiveBar):
        return bar_data(message.bar, message.feed)
    return quote_data(message.quote, is_stale=True)


class RedisPublisher:
    """Writes batches of publications, one round trip each."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._newest_bars: dict[str, int] = {}
        """By topic: the start of the newest bar that was kept."""
        # No hidden retries: the link that calls us waits and tries again, and says so in the log.
        self._redis: Redis = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    async def deliver(self, batch: Sequence[Publication]) -> None:
        """Store and publish `batch`, all or nothing; raises RedisError when Redis is away (then all
        of it may have been published, if only the answer was lost).
        """
        pipeline = self._redis.pipeline(transaction=True)
        recent: dict[str, list[bytes]] = {}
        for publication in batch:
            topic, kind, frame = publication.topic, publication.kind, publication.frame
            if kind is Kind.NOTE:
                pipeline.set(self._prefix + topic, frame)
                continue
            if kind is not Kind.PRINT and not self._is_of_the_past(publication):
                pipeline.set(f"{self._prefix}latest:{topic}", frame)
            if kind is not Kind.STATE:
                recent.setdefault(topic, []).append(frame)
            pipeline.publish(self._prefix + topic, frame)
        for topic, frames in recent.items():
            key = f"{self._prefix}recent:{topic}"
            pipeline.lpush(key, *frames[-RECENT_TRADES:])
            pipeline.ltrim(key, 0, RECENT_TRADES - 1)
        await pipeline.execute()

    def _is_of_the_past(self, publication: Publication) -> bool:
        """An amended bar is told, but the newest bar of its topic is a later one."""
        if not isinstance(publication.message, LiveBar):
            return False
        topic, start_ns = publication.topic, publication.message.bar.start_ns
        if start_ns < self._newest_bars.get(topic, start_ns):
            return True
        self._newest_bars[topic] = start_ns
        return False

    async def left_quotes(self) -> dict[str, Quote] | None:
        """The newest quote of every instrument that has one, whichever process published it; None
        when Redis is away. What cannot be read is left out.
        """
        begin = f"{self._prefix}latest:{quote_topic('')}"
        left: dict[str, Quote] = {}
        try:
            keys = [key async for key in self._redis.scan_iter(f"{begin}*", count=SCAN_COUNT)]
            frames = await self._redis.mget(keys) if keys else []
        except (RedisError, OSError):
            return None
        for key, frame in zip(keys, frames, strict=True):
            symbol = key.decode().removeprefix(begin)
            quote = read_quote(symbol, frame) if isinstance(frame, bytes) else None
            if quote is not None:
                left[symbol] = quote
        return left

    async def control(self, feed: str) -> bytes | None:
        """What operators ask of a feed (`feed:control:{name}`); None for nothing, or when Redis is
        away.
        """
        try:
            asked = await self._redis.get(f"{self._prefix}{FEED_CONTROL_KEY}{feed}")
        except (RedisError, OSError):
            return None
        return asked if isinstance(asked, bytes) else None

    async def close(self) -> None:
        await self._redis.aclose()
