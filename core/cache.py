"""The caches of this process: which there are, what they have answered, and how they are told to
forget. What each layer keeps and for how long stands in docs/caching.md.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import structlog
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.domain.cache_counts import CacheCounts
from core.metrics import CACHE_ENTRIES, CACHE_EVICTIONS, CACHE_REQUESTS

logger = structlog.get_logger(__name__)

FORGET_CHANNEL = "forget"
EVERYTHING = "*"
TELL_TIMEOUT_SECONDS = 1
IN_PROCESS, IN_REDIS = "process", "redis"


class ForgettingCache(Protocol):
    """A cache that can be told, by the name of a key, that what it holds has changed."""

    counts: CacheCounts

    def __len__(self) -> int: ...

    def forget(self, key: str) -> None: ...

    def clear(self) -> None: ...


class _Counted(NamedTuple):
    counts: CacheCounts
    size: Callable[[], int] | None


_counted: dict[tuple[str, str], _Counted] = {}
_told: dict[tuple[str, str], CacheCounts] = {}
_forgetting: dict[str, ForgettingCache] = {}


def count(
    name: str, layer: str, counts: CacheCounts, size: Callable[[], int] | None = None
) -> None:
    """Have a cache's answers told in /metrics and on the operators' page, and how many entries it
    holds where it knows.
    """
    _counted[layer, name] = _Counted(counts, size)
    _told.pop((layer, name), None)


def keep(name: str, cache: ForgettingCache) -> None:
    """Have an in-process cache counted, and emptied by what other processes say."""
    count(name, IN_PROCESS, cache.counts, cache.__len__)
    _forgetting[name] = cache


def forget_everywhere(name: str, key: str = EVERYTHING) -> None:
    """Have every process forget `key` of its cache `name` as soon as this transaction commits.

    At best within milliseconds. With Redis away nobody hears it, and what they keep is believed
    until its age ends; so nothing may depend on being heard.
    """
    transaction.on_commit(lambda: _tell(name, key))


def hear(message: bytes) -> None:
    """Carry out what another process has said."""
    name, _, key = message.decode(errors="replace").partition(" ")
    cache = _forgetting.get(name)
    if cache is None:
        return
    if key == EVERYTHING:
        cache.clear()
    else:
        cache.forget(key)


def forget_all() -> None:
    """Empty every cache of this process: something may have been said that it did not hear."""
    for cache in _forgetting.values():
        cache.clear()


def tell_counts() -> None:
    """Pass on to the measures what the caches have counted since the last call."""
    for (layer, name), counted in list(_counted.items()):
        now = counted.counts.copy()
        news = now.since(_told.get((layer, name), CacheCounts()))
        _told[layer, name] = now
        CACHE_REQUESTS.labels(layer, name, "hit").inc(news.hits)
        CACHE_REQUESTS.labels(layer, name, "miss").inc(news.misses)
        CACHE_EVICTIONS.labels(layer, name).inc(news.evictions)
        if counted.size is not None:
            CACHE_ENTRIES.labels(layer, name).set(counted.size())


def _tell(name: str, key: str) -> None:
    hear(f"{name} {key}".encode())  # this process at once, whatever Redis does
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TELL_TIMEOUT_SECONDS,
            socket_connect_timeout=TELL_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as redis:
            redis.publish(f"{settings.REDIS_PREFIX}{FORGET_CHANNEL}", f"{name} {key}")
    except (RedisError, OSError) as error:
        logger.warning("cache_forget_unheard", cache=name, error=str(error))


class JsonSerializer:
    """JSON in the Redis cache: Django's own serializer there is pickle, which runs code when a key
    is forged. Whole numbers are stored bare, so that Redis can increment them.
    """

    def dumps(self, value: Any) -> bytes | int:  # Any: the cache takes every JSON value
        if type(value) is int:
            return value
        return json.dumps(value, separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:  # Any: and gives it back
        return json.loads(data)
