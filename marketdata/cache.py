"""Windows of closed bars in Redis, shared by all gateways, and the word that bars have changed.

Between the chart service's own memory and the database: a gateway that has just started, and every
other gateway, finds what one of them has read (docs/caching.md).
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple, cast

import msgspec
import structlog
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.cache import IN_REDIS, count, forget_everywhere
from core.domain.cache_counts import CacheCounts
from marketdata.domain.bar_view import BarView

logger = structlog.get_logger(__name__)

CHART_BARS: Final = "chart-bars"
CHART_INDICATORS: Final = "chart-indicators"
INSTRUMENTS: Final = "instruments"
"""Names in core/cache.py."""

WINDOW_SECONDS: Final = 120
"""A window is named by its last closed bar: after the next one nobody asks for it again."""
TIMEOUT_SECONDS: Final = 1

COUNTS: Final = CacheCounts()
count("bars", IN_REDIS, COUNTS)


class _Window(msgspec.Struct, array_like=True):
    """Bars as they were when the instrument's bars had been changed `version` times."""

    version: int
    bars: list[BarView]


class WindowKey(NamedTuple):
    """Which window. The closed bar that ends it is told whole: a late trade makes it another."""

    instrument_id: int
    timeframe: str
    size: int
    last: BarView

    def __str__(self) -> str:
        values = "|".join(map(_written, self.last))
        return f"window:{self.instrument_id}:{self.timeframe}:{self.size}:{values}"


class Windows:
    """Read and kept with the number of changes so far: what was read before a change and kept after
    it is never found again. While Redis is away nothing is found and nothing kept.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix

    def read(self, key: WindowKey) -> tuple[list[BarView] | None, int | None]:
        """The window if it is there, and the number under which one that is read now may be kept;
        None when Redis is away.
        """
        try:
            version, frame = cast(  # our client does not decode
                list[bytes | None],
                self._redis.mget(self._version(key.instrument_id), self._name(key)),
            )
        except (RedisError, OSError) as error:
            logger.debug("bar_windows_away", error=str(error))
            return None, None
        now = int(version or 0)
        window = _decoder.decode(frame) if frame else None
        if window is None or window.version != now:
            COUNTS.misses += 1
            return None, now
        COUNTS.hits += 1
        return window.bars, now

    def keep(self, key: WindowKey, version: int | None, bars: Sequence[BarView]) -> None:
        """Keep what was read after `read` had told `version`."""
        if version is None:
            return
        frame = _encoder.encode(_Window(version, [*bars]))
        try:
            self._redis.set(self._name(key), frame, ex=WINDOW_SECONDS)
        except (RedisError, OSError) as error:
            logger.debug("bar_windows_away", error=str(error))

    def renew(self, instrument_id: int) -> None:
        """The instrument's stored bars have changed."""
        try:
            self._redis.incr(self._version(instrument_id))
        except (RedisError, OSError) as error:
            logger.warning("bar_windows_not_renewed", error=str(error))

    def _name(self, key: WindowKey) -> str:
        return f"{self._prefix}{key}"

    def _version(self, instrument_id: int) -> str:
        return f"{self._prefix}windows:{instrument_id}"


@cache
def windows() -> Windows:
    """This process's windows."""
    redis = Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return Windows(redis, settings.REDIS_PREFIX)


def forget_bars(instrument_id: int) -> None:
    """Stored bars or factors of the past have changed: as soon as this transaction commits, no
    process shows the old ones from its memory.
    """
    transaction.on_commit(lambda: windows().renew(instrument_id))
    forget_everywhere(CHART_BARS, str(instrument_id))
    forget_everywhere(CHART_INDICATORS, str(instrument_id))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Window)


def _written(value: datetime | Decimal | int | None) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
