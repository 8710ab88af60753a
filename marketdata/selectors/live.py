"""The newest quotes, trades and bars, read from the live cache in Redis.

Losing it loses no fact: everything here is published again within a second of the feed's next tick.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import NamedTuple, TypeVar

import msgspec
import structlog
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from core.domain.clock import SystemClock
from core.domain.errors import ErrorReason, Refusal
from marketdata.domain.topics import bar_topic, book_topic, quote_topic, trade_topic

logger = structlog.get_logger(__name__)
Data = TypeVar("Data")

TIMEOUT_SECONDS = 2


class QuoteView(msgspec.Struct, frozen=True):
    """The best prices of an instrument and when they were told."""

    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    t: datetime


class TradeView(msgspec.Struct, frozen=True):
    id: int
    price: Decimal
    size: Decimal
    side: str
    t: datetime


class LiveBar(msgspec.Struct, frozen=True):
    """The newest one-minute bar; open unless `closed`."""

    t: datetime
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 - the wire's name
    c: Decimal
    v: Decimal
    n: int
    vw: Decimal | None
    closed: bool


class BookLevel(NamedTuple):
    price: Decimal
    size: Decimal


class BookView(msgspec.Struct, frozen=True):
    bids: list[BookLevel]
    asks: list[BookLevel]
    t: datetime


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
def _redis() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )


class _QuoteFrame(msgspec.Struct):
    data: QuoteView


class _TradeFrame(msgspec.Struct):
    data: TradeView


class _BarFrame(msgspec.Struct):
    data: LiveBar


class _BookFrame(msgspec.Struct):
    data: BookView


def latest_quotes(symbols: Sequence[str]) -> dict[str, QuoteView]:
    """The newest quote of each symbol that has one, in one round trip."""
    frames = _latest([quote_topic(symbol) for symbol in symbols])
    return {
        symbol: msgspec.json.decode(frame, type=_QuoteFrame).data
        for symbol, frame in zip(symbols, frames, strict=True)
        if frame
    }


def latest_trades(symbols: Sequence[str]) -> dict[str, TradeView]:
    """The newest trade of each symbol that has one, in one round trip."""
    frames = _latest([trade_topic(symbol) for symbol in symbols])
    return {
        symbol: msgspec.json.decode(frame, type=_TradeFrame).data
        for symbol, frame in zip(symbols, frames, strict=True)
        if frame
    }


def latest_bars(symbols: Sequence[str]) -> dict[str, LiveBar]:
    """The newest one-minute bar of each symbol that has one, in one round trip."""
    frames = _latest([bar_topic(symbol) for symbol in symbols])
    return {
        symbol: msgspec.json.decode(frame, type=_BarFrame).data
        for symbol, frame in zip(symbols, frames, strict=True)
        if frame
    }


def latest_books(symbols: Sequence[str]) -> dict[str, BookView]:
    """The newest depth of each symbol that has one: the street's and the portal's resting
    orders.
    """
    frames = _latest([book_topic(symbol) for symbol in symbols])
    return {
        symbol: msgspec.json.decode(frame, type=_BookFrame).data
        for symbol, frame in zip(symbols, frames, strict=True)
        if frame
    }


def recent_trades(symbol: str) -> list[TradeView]:
    """The last trades, newest first (the publisher keeps 50)."""
    try:
        frames = _redis().lrange(f"{settings.REDIS_PREFIX}recent:{trade_topic(symbol)}", 0, -1)
    except RedisError as error:
        logger.warning("live_cache_unavailable", error=str(error))
        raise LiveDataUnavailableError from error
    return [msgspec.json.decode(frame, type=_TradeFrame).data for frame in frames]


def feed_age_seconds() -> int | None:
    """Whole seconds since the feed was last known to run; None when nobody knows."""
    try:
        alive = _redis().get(f"{settings.REDIS_PREFIX}feed:alive")
    except RedisError:
        return None
    if alive is None:
        return None
    return max(0, (SystemClock().now_ns() // 1_000_000 - int(alive)) // 1_000)


def _latest(topics: Sequence[str]) -> list[bytes | None]:
    if not topics:
        return []
    try:
        frames: list[bytes | None] = _redis().mget(
            [f"{settings.REDIS_PREFIX}latest:{topic}" for topic in topics]
        )
    except RedisError as error:
        logger.warning("live_cache_unavailable", error=str(error))
        raise LiveDataUnavailableError from error
    return frames
