"""Sessions are fast with Redis and alive without it."""

import time
from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache, caches
from django.test import override_settings

from core.cache import JsonSerializer
from core.sessions import MAX_CACHED_SECONDS, ForgivingCache, SessionStore

pytestmark = pytest.mark.django_db

NOWHERE = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
        "OPTIONS": {"serializer": "core.cache.JsonSerializer", "socket_timeout": 2},
    }
}


@pytest.fixture(autouse=True)
def redis_is_back() -> Iterator[None]:
    ForgivingCache.away_until = 0.0
    yield
    ForgivingCache.away_until = 0.0


def make_session() -> str:
    store = SessionStore()
    store["who"] = "alice"
    store.save()
    assert store.session_key is not None
    return store.session_key


def who(session_key: str) -> object:
    return SessionStore(session_key).get("who")


def test_a_session_is_cached_for_a_minute_at_most() -> None:
    key = make_session()

    assert cache.get(f"session:{key}") == {"who": "alice"}
    remaining = cache._cache.get_client().ttl(cache.make_key(f"session:{key}"))  # type: ignore[attr-defined]
    assert 0 < remaining <= MAX_CACHED_SECONDS


def test_a_flushed_redis_loses_no_session() -> None:
    key = make_session()
    cache.clear()

    assert who(key) == "alice"
    assert cache.get(f"session:{key}") == {"who": "alice"}


def test_without_redis_sessions_are_read_and_written() -> None:
    key = make_session()

    with override_settings(CACHES=NOWHERE):
        assert who(key) == "alice"
        store = SessionStore(key)
        store["who"] = "bob"
        store.save()
        assert who(key) == "bob"
        assert make_session() != key


def test_redis_is_left_alone_for_a_while_after_it_failed() -> None:
    key = make_session()
    with override_settings(CACHES=NOWHERE):
        assert who(key) == "alice"

    away_for = ForgivingCache.away_until - time.monotonic()
    assert 4 < away_for <= 5
    cache.set(f"session:{key}", {"who": "nobody"})
    assert who(key) == "alice"


def test_a_session_ended_without_redis_is_gone() -> None:
    key = make_session()

    with override_settings(CACHES=NOWHERE):
        SessionStore(key).flush()
        assert who(key) is None

    assert not Session.objects.filter(session_key=key).exists()


@pytest.mark.parametrize("junk", [b"\x80\x04K\x01.", b"{", b"\xff"])
def test_junk_in_the_cache_counts_as_nothing(junk: bytes) -> None:
    key = make_session()
    caches["default"]._cache.get_client().set(cache.make_key(f"session:{key}"), junk)  # type: ignore[attr-defined]

    assert who(key) == "alice"


def test_the_cache_never_loads_a_pickle() -> None:
    with pytest.raises(ValueError, match=r"."):
        JsonSerializer().loads(b"\x80\x04K\x01.")


def test_the_cache_gives_back_what_it_took() -> None:
    for value in (5, "x", {"a": [1, None, True]}, [], 0.5):
        cache.set("value", value)
        assert cache.get("value") == value
