"""Windows of bars in Redis: shared, never of before a change, and dispensable."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from redis import Redis

from marketdata import cache as bar_cache
from marketdata.cache import CHART_BARS, CHART_INDICATORS, WindowKey, Windows, forget_bars
from marketdata.domain.bar_view import BarView
from marketdata.domain.lru_cache import LruCache
from marketdata.services.charts import HISTORIES
from tests.marketdata.valkey import ValkeyServer

BAR = BarView(
    datetime(2026, 3, 2, 14, 30, tzinfo=UTC),
    Decimal("10.00"),
    Decimal("10.5"),
    Decimal("9.99"),
    Decimal("10.10"),
    Decimal(1_200),
    17,
    None,
)
_NOTHING: Any = object()  # what stands in the chart's memory is not looked at here
KEY = WindowKey(7, "1Min", 100, BAR)


@pytest.fixture
def redis(valkey: ValkeyServer) -> Iterator[Redis]:
    with Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
def windows(redis: Redis) -> Windows:
    return Windows(redis, "windowtest:")


def test_what_one_gateway_read_another_finds(redis: Redis, windows: Windows) -> None:
    found, version = windows.read(KEY)
    assert found is None

    windows.keep(KEY, version, [BAR])

    other = Windows(redis, "windowtest:")
    assert other.read(KEY) == ([BAR], 0)
    assert 0 < redis.ttl(f"windowtest:{KEY}") <= bar_cache.WINDOW_SECONDS


def test_a_reading_from_before_a_change_is_never_found(windows: Windows) -> None:
    _, version = windows.read(KEY)
    windows.renew(KEY.instrument_id)  # an import commits while the old bars are on their way

    windows.keep(KEY, version, [BAR])

    assert windows.read(KEY) == (None, 1)


def test_a_change_is_of_one_instrument(windows: Windows) -> None:
    windows.keep(KEY, 0, [BAR])

    windows.renew(8)

    assert windows.read(KEY) == ([BAR], 0)


def test_an_amended_last_bar_is_another_window(windows: Windows) -> None:
    windows.keep(KEY, 0, [BAR])

    assert windows.read(KEY._replace(last=BAR._replace(close=Decimal("10.11")))) == (None, 0)


def test_without_redis_nothing_is_found_and_nothing_fails(
    valkey: ValkeyServer, windows: Windows
) -> None:
    windows.keep(KEY, 0, [BAR])
    valkey.kill()

    assert windows.read(KEY) == (None, None)
    windows.keep(KEY, None, [BAR])
    windows.renew(KEY.instrument_id)

    valkey.start()  # empty
    assert windows.read(KEY) == (None, 0)


@pytest.mark.django_db
def test_changed_bars_are_forgotten_once_the_change_commits(
    windows: Windows,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    monkeypatch.setattr(bar_cache, "windows", lambda: windows)
    windows.keep(KEY, 0, [BAR])
    HISTORIES.clear()
    key = (KEY.instrument_id, "1Min", 100, BAR)
    HISTORIES.keep(key, _NOTHING, weight=2, now_seconds=HISTORIES._clock())

    with django_capture_on_commit_callbacks(execute=True):
        forget_bars(KEY.instrument_id)
        assert len(HISTORIES) == 1

    assert len(HISTORIES) == 0
    assert windows.read(KEY) == (None, 1)
    assert {CHART_BARS, CHART_INDICATORS} == {"chart-bars", "chart-indicators"}


def test_what_was_worked_out_before_a_change_is_not_kept_after_it() -> None:
    clock = [10.0]
    cache: LruCache[str] = LruCache(max_weight=10, max_age_seconds=60, clock=lambda: clock[0])
    asked_at = clock[0]
    clock[0] = 11.0
    cache.forget("7")

    cache.keep((7, "x"), "old", weight=1, now_seconds=asked_at)
    assert len(cache) == 0

    clock[0] = 12.0
    cache.keep((7, "x"), "new", weight=1, now_seconds=clock[0])
    assert cache.get((7, "x"), clock[0]) == "new"
