"""The newest quotes, trades and bars, read from the live cache in Redis.

Losing it loses no fact: everything here is published again within a second of the feed's next tick.
"""

from collections.abc import Sequence
from functools import cache
from typing import Generic, TypeVar, cast

import msgspec
import structlog
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from core.cache import IN_REDIS, count
from core.domain.cache_counts import CacheCounts
from core.domain.clock import SystemClock
from core.domain.errors import ErrorReason, Refusal
from marketdata.domain.dialect import BarWire, BookWire, QuoteWire, TradeWire
from marketdata.domain.feed_states import age_ms
from marketdata.domain.topics import (
    LIVE_BAR_TIMEFRAME,
    bar_topic,
    book_topic,
    quote_topic,
    trade_topic,
)

logger = structlog.get_logger(__name__)
Data = TypeVar("Data")

TIMEOUT_SECONDS = 2
LATEST = CacheCounts()
count("latest", IN_REDIS, LATEST)


class LiveDataUnavailableError(Refusal):
    """Redis is away: nobody here knows the newest prices."""

    def __init__(self) -> None:
        super().__init__(
            status=503,
            code=50310000,
            reason=ErrorReason.UNAVAILABLE,
            message="Live market data is not available at the moment.",
        )


@cache
def live_redis() -> Redis:
    """This process's client of the live cache. Every call may raise RedisError."""
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


class _Frame(msgspec.Struct, Generic[Data]):
    data: Data


_quotes = msgspec.json.Decoder(_Frame[QuoteWire])
_trades = msgspec.json.Decoder(_Frame[TradeWire])
_bars = msgspec.json.Decoder(_Frame[BarWire])
_books = msgspec.json.Decoder(_Frame[BookWire])


def _decoded(
    symbols: Sequence[str],
    frames: Sequence[bytes | None],
    decoder: msgspec.json.Decoder[_Frame[Data]],
) -> dict[str, Data]:
    known = {
        symbol: decoder.decode(frame).data
        for symbol, frame in zip(symbols, frames, strict=True)
        if frame
    }
    LATEST.hits += len(known)
    LATEST.misses += len(symbols) - len(known)
    return known


def latest_quotes(symbols: Sequence[str]) -> dict[str, QuoteWire]:
    """The newest quote of each symbol that has one, in one round trip."""
    return _decoded(symbols, _latest([quote_topic(symbol) for symbol in symbols]), _quotes)


def latest_trades(symbols: Sequence[str]) -> dict[str, TradeWire]:
    """The newest trade of each symbol that has one, in one round trip."""
    return _decoded(symbols, _latest([trade_topic(symbol) for symbol in symbols]), _trades)


def latest_bars(symbols: Sequence[str], timeframe: str = LIVE_BAR_TIMEFRAME) -> dict[str, BarWire]:
    """The newest one-minute bar (or `1Sec`, or the running `1Day`) of each symbol that has one, in
    one round trip.
    """
    return _decoded(symbols, _latest([bar_topic(symbol, timeframe) for symbol in symbols]), _bars)


def latest_books(symbols: Sequence[str]) -> dict[str, BookWire]:
    """The newest depth of each symbol that has one: the street's and the portal's resting
    orders.
    """
    return _decoded(symbols, _latest([book_topic(symbol) for symbol in symbols]), _books)


def recent_trades(symbol: str) -> list[TradeWire]:
    """The last trades, newest first (the publisher keeps 50)."""
    try:
        frames = live_redis().lrange(f"{settings.REDIS_PREFIX}recent:{trade_topic(symbol)}", 0, -1)
    except RedisError as error:
        logger.warning("live_cache_unavailable", error=str(error))
        raise LiveDataUnavailableError from error
    return [_trades.decode(frame).data for frame in frames]


def feed_age_seconds() -> int | None:
    """Whole seconds since the feed was last known to run; None when nobody knows."""
    try:
        alive = live_redis().get(f"{settings.REDIS_PREFIX}feed:alive")
    except RedisError:
        return None
    if alive is None:
        return None
    age = age_ms(int(alive), SystemClock().now_ns() // 1_000_000)
    return None if age is None else age // 1_000


def _latest(topics: Sequence[str]) -> list[bytes | None]:
    if not topics:
        return []
    try:
        frames = live_redis().mget([f"{settings.REDIS_PREFIX}latest:{topic}" for topic in topics])
    except RedisError as error:
        logger.warning("live_cache_unavailable", error=str(error))
        raise LiveDataUnavailableError from error
    return cast(list[bytes | None], frames)  # our client does not decode
