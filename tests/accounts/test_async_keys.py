"""The event loop's way to a key: shared lookups, no blocking, the same answer."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from asgiref.sync import async_to_sync

from accounts.domain.api_keys import Scope
from accounts.domain.key_cache import MAX_KEYS, KeyCache, KnownKey
from accounts.models import ApiKey, User
from accounts.services import create_api_key, resolve_key_async
from accounts.services.api_keys import LAST_USED_PRECISION, _background, key_cache
from core.domain.clock import SystemClock
from core.domain.origin import Origin


@pytest.mark.django_db(transaction=True)
def test_the_loop_gets_the_principal_and_notes_the_use(make_user: Callable[..., User]) -> None:
    alice = make_user("alice")
    key, secret = create_api_key(
        user=alice, scopes=[Scope.READ], origin=Origin(now=SystemClock().now())
    )
    key_cache.clear()

    principal = async_to_sync(resolve_key_async)(key.key_id, secret)
    refused = async_to_sync(resolve_key_async)(key.key_id, "wrong")

    assert principal is not None
    assert principal.user_id == alice.pk
    assert refused is None
    _background.submit(lambda: None).result(timeout=60)
    noted = ApiKey.objects.get(pk=key.pk).last_used_at
    assert noted is not None

    async_to_sync(resolve_key_async)(key.key_id, secret)
    _background.submit(lambda: None).result(timeout=60)
    assert ApiKey.objects.get(pk=key.pk).last_used_at == noted
    assert LAST_USED_PRECISION.total_seconds() == 60


KNOWN = KnownKey("hash", None)  # type: ignore[arg-type]


def make_cache(lookups: list[str], clock: Callable[[], float]) -> KeyCache:
    def load(key_id: str) -> KnownKey | None:
        lookups.append(key_id)
        return KNOWN

    def load_many(key_ids: Sequence[str]) -> dict[str, KnownKey]:
        return {key_id: known for key_id in key_ids if (known := load(key_id))}

    return KeyCache(load=load, load_in_thread=load_many, use_precision_seconds=60, clock=clock)


def test_simultaneous_misses_share_one_lookup() -> None:
    lookups: list[str] = []
    cache = make_cache(lookups, lambda: 1.0)

    async def burst() -> None:
        await asyncio.gather(*(cache.get_async("PK1") for _ in range(50)))

    asyncio.run(burst())

    assert lookups == ["PK1"]


def test_busy_keys_fall_due_together_and_are_read_at_once() -> None:
    readings: list[list[str]] = []
    now = [0.0]

    def load_many(key_ids: Sequence[str]) -> dict[str, KnownKey]:
        readings.append(sorted(key_ids))
        return {key_id: KNOWN for key_id in key_ids if key_id != "PK-nobody"}

    cache = KeyCache(
        load=lambda _: None,
        load_in_thread=load_many,
        use_precision_seconds=60,
        clock=lambda: now[0],
    )

    async def use() -> list[KnownKey | None]:
        await cache.get_async("PK0")
        now[0] = 0.1
        await asyncio.gather(*(cache.get_async(f"PK{number}") for number in range(1, 4)))
        now[0] = 0.5  # three of them are used again, none is old enough to be read anew
        for number in range(3):
            assert cache.remembered(f"PK{number}") is KNOWN
        now[0] = 0.61
        assert cache.remembered("PK0") is KNOWN
        stranger = await cache.get_async("PK-nobody")
        now[0] = 1.4
        return [stranger, *(cache.remembered(f"PK{number}") for number in range(4))]

    assert asyncio.run(use()) == [None, KNOWN, KNOWN, KNOWN, None]
    assert readings[:2] == [["PK0"], ["PK1", "PK2", "PK3"]]
    assert readings[2] == ["PK-nobody", "PK0", "PK1", "PK2"]


def test_a_reading_that_fails_fails_for_who_waits_and_is_tried_again() -> None:
    tries: list[Sequence[str]] = []

    def load_many(key_ids: Sequence[str]) -> dict[str, KnownKey]:
        tries.append(key_ids)
        if len(tries) == 1:
            raise OSError("the database is away")
        return dict.fromkeys(key_ids, KNOWN)

    cache = KeyCache(load=lambda _: None, load_in_thread=load_many, use_precision_seconds=60)

    async def ask() -> list[object]:
        first = await asyncio.gather(
            *(cache.get_async("PK1") for _ in range(2)), return_exceptions=True
        )
        return [*map(type, first), await cache.get_async("PK1")]

    assert asyncio.run(ask()) == [OSError, OSError, KNOWN]


def test_a_caller_that_hangs_up_does_not_take_the_answer_from_others() -> None:
    cache = make_cache([], lambda: 1.0)

    async def hang_up() -> KnownKey | None:
        first = asyncio.ensure_future(cache.get_async("PK1"))
        second = asyncio.ensure_future(cache.get_async("PK1"))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(hang_up()) is not None


def test_an_entry_is_asked_again_within_a_second() -> None:
    lookups: list[str] = []
    now = [0.0]
    cache = make_cache(lookups, lambda: now[0])

    for moment in (0.0, 0.5, 0.8, 0.9, 1.0):
        now[0] = moment
        cache.get("PK1")

    assert len(lookups) == 2


def test_the_cache_is_bounded() -> None:
    cache = make_cache([], lambda: 0.0)

    for number in range(MAX_KEYS + 100):
        cache.get(f"PK{number}")
        cache.is_use_noted_late(f"PK{number}")

    assert len(cache._entries) == MAX_KEYS
    assert len(cache._noted) == MAX_KEYS
