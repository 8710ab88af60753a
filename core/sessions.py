"""Sessions cached in Redis and kept in PostgreSQL; losing Redis costs speed, never a sign-in.

Django's cached_db writes both but uses the cache without a net. Here a cache that fails counts as
empty and is left alone for a while, so that pages do not wait for it one by one.
"""

import time
from typing import Any, Final

import structlog
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseStore
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from redis.exceptions import RedisError

from core.cache import IN_REDIS, count
from core.domain.cache_counts import CacheCounts

logger = structlog.get_logger(__name__)

MAX_CACHED_SECONDS = 60
"""A deletion that Redis missed (it was away) cannot keep a signed-out session alive for longer."""

AWAY_SECONDS = 5
"""After a failure Redis is asked again so much later."""

_MISSING: Final = object()


class ForgivingCache(BaseCache):
    """A cache seen through a net: reads find nothing and writes do nothing while Redis is away."""

    away_until = 0.0  # of this process, on the monotonic clock
    counts = CacheCounts()

    def __init__(self, cache: BaseCache) -> None:
        super().__init__({})
        self._cache = cache

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """What the cache holds; a value that is no JSON counts as nothing."""  # Any: JSON
        if self._is_away():
            return default
        try:
            value = self._cache.get(key, _MISSING, version)
        except (RedisError, ValueError) as error:
            self._note(error)
            return default
        if value is _MISSING:
            self.counts.misses += 1
            return default
        self.counts.hits += 1
        return value

    def set(
        self, key: str, value: Any, timeout: float | None = None, version: int | None = None
    ) -> None:  # Any: JSON
        if self._is_away():
            return
        seconds = MAX_CACHED_SECONDS if timeout is None else min(timeout, MAX_CACHED_SECONDS)
        try:
            self._cache.set(key, value, seconds, version)
        except RedisError as error:
            self._note(error)

    def delete(self, key: str, version: int | None = None) -> bool:
        """Tried even while Redis seems away: the sooner the entry is gone, the better."""
        try:
            return self._cache.delete(key, version)
        except RedisError as error:
            self._note(error)
            return False

    def has_key(self, key: str, version: int | None = None) -> bool:
        return self.get(key, version=version) is not None

    @classmethod
    def _is_away(cls) -> bool:
        return time.monotonic() < cls.away_until

    @classmethod
    def _note(cls, error: Exception) -> None:
        if isinstance(error, RedisError):
            cls.away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("session_cache_failed", error=str(error))


class SessionStore(CachedDatabaseStore):
    """The session engine named in settings (SESSION_ENGINE = core.sessions)."""

    cache_key_prefix = "session:"

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = ForgivingCache(caches[settings.SESSION_CACHE_ALIAS])


count("sessions", IN_REDIS, ForgivingCache.counts)
