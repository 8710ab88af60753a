"""Caches forget what another process has changed, count what they answered, and outlive Redis."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from redis import Redis

from core import cache as caches
from core.domain.fresh_cache import FreshCache
from core.invalidation import Invalidations
from tests.engine_process import wait_until
from tests.marketdata.valkey import ValkeyServer

PREFIX = "cachetest:"


class Shelf:
    """Where the values truly are; notes who asked."""

    def __init__(self) -> None:
        self.values = {"alice": "one", "bob": "two"}
        self.asked: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def load(self, key: str) -> str | None:
        self.asked.append(key)
        value = self.values.get(key)
        self.meanwhile()
        return value

    def load_many(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: self.values[key] for key in keys if key in self.values}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def cache(shelf: Shelf) -> FreshCache[str, str]:
    """An hour of age: whatever is forgotten sooner was told."""
    made: FreshCache[str, str] = FreshCache(
        load=shelf.load, load_in_thread=shelf.load_many, ttl_seconds=3_600, max_entries=2
    )
    caches.keep("probe", made)
    return made


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def listening(valkey: ValkeyServer) -> Iterator[Invalidations]:
    thread = Invalidations(valkey.url, PREFIX)
    thread.start()
    assert thread.is_listening.wait(30)
    yield thread
    thread.close()


def say(valkey: ValkeyServer, message: str) -> None:
    """What another process says."""
    with Redis.from_url(valkey.url) as redis:
        redis.publish(f"{PREFIX}{caches.FORGET_CHANNEL}", message)


def test_what_another_process_has_changed_is_read_anew(
    valkey: ValkeyServer,
    listening: Invalidations,
    cache: FreshCache[str, str],
    shelf: Shelf,
) -> None:
    assert [cache.get("alice"), cache.get("bob")] == ["one", "two"]
    shelf.values |= {"alice": "three", "bob": "four"}

    say(valkey, "probe alice")

    wait_until(lambda: len(cache) == 1, "the cache has forgotten alice")
    assert [cache.get("alice"), cache.get("bob")] == ["three", "two"]
    assert shelf.asked == ["alice", "bob", "alice"]


def test_everything_of_one_cache_can_be_forgotten(
    valkey: ValkeyServer, listening: Invalidations, cache: FreshCache[str, str]
) -> None:
    cache.get("alice")
    cache.get("bob")

    say(valkey, "another *")
    say(valkey, "probe *")

    wait_until(lambda: len(cache) == 0, "the cache is empty")


def test_after_redis_was_away_everything_is_read_anew(
    valkey: ValkeyServer,
    listening: Invalidations,
    cache: FreshCache[str, str],
    shelf: Shelf,
) -> None:
    cache.get("alice")
    valkey.kill()
    wait_until(lambda: not listening.is_listening.is_set(), "the loss is noticed")
    assert cache.get("alice") == "one"  # what is known serves on, for its age

    valkey.start()

    assert listening.is_listening.wait(30)
    assert len(cache) == 0


def test_a_reading_from_before_the_change_is_not_kept(
    cache: FreshCache[str, str], shelf: Shelf
) -> None:
    shelf.meanwhile = lambda: cache.forget("alice")  # the change commits while the old is read

    assert cache.get("alice") == "one"

    assert len(cache) == 0


def test_hits_misses_and_evictions_are_told_once(cache: FreshCache[str, str], shelf: Shelf) -> None:
    shelf.values["carol"] = "five"
    before = _told()
    for key in ("alice", "alice", "bob", "carol"):
        cache.get(key)

    caches.tell_counts()
    caches.tell_counts()

    hits, misses, evictions, entries = _told()
    assert (hits - before[0], misses - before[1], evictions - before[2]) == (1, 3, 1)
    assert entries == 2


def test_nonsense_on_the_channel_is_passed_over(cache: FreshCache[str, str]) -> None:
    cache.get("alice")

    for message in (b"", b"probe", b"\xff\xfe", b"probe ", b"nobody *"):
        caches.hear(message)

    assert len(cache) == 1


def _told() -> tuple[float, float, float, float]:
    labels = {"layer": "process", "cache": "probe"}

    def value(name: str, **more: str) -> float:
        return REGISTRY.get_sample_value(name, labels | more) or 0

    return (
        value("portal_cache_requests_total", answer="hit"),
        value("portal_cache_requests_total", answer="miss"),
        value("portal_cache_evictions_total"),
        value("portal_cache_entries"),
    )
