"""Sessions cached in Redis and kept in PostgreSQL; losing Redis costs speed, never a sign-in.

Django's cached_db writes both but reads the cache without a net: here a cache that fails counts as
empty.
"""

from typing import Any

import structlog
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore as CachedDatabaseStore
from django.core.cache import BaseCache, caches
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)


class ForgivingCache:
    """A cache seen through a net: reads find nothing and writes do nothing while Redis is away."""

    def __init__(self, cache: BaseCache) -> None:
        self._cache = cache

    def get(self, key: str, default: Any = None) -> Any:  # Any: whatever the session holds
        try:
            return self._cache.get(key, default)
        except RedisError as error:
            logger.warning("session_cache_unavailable", error=str(error))
            return default

    def set(self, key: str, value: Any, timeout: int | None = None) -> None:
        try:
            self._cache.set(key, value, timeout)
        except RedisError as error:
            logger.warning("session_cache_unavailable", error=str(error))

    def delete(self, key: str) -> bool:
        # A deletion must not be lost: were the key to survive, a signed-out session would live on
        # in the cache.
        return self._cache.delete(key)

    def __contains__(self, key: str) -> bool:
        try:
            return key in self._cache
        except RedisError:
            return False


class SessionStore(CachedDatabaseStore):
    """The session engine named in settings (SESSION_ENGINE = core.sessions)."""

    cache_key_prefix = "session:"

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = ForgivingCache(caches[settings.SESSION_CACHE_ALIAS])
