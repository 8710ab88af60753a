"""Bars for charts and snapshots: whole buckets, and the minute that is still open at the end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries
from redis import Redis

from core.domain.clock import to_ns
from marketdata.domain.bars import Bar as DomainBar
from marketdata.domain.frames import bar_data, event_frame
from marketdata.domain.timeframes import Timeframe, Unit, parse_timeframe
from marketdata.models import Bar, Currency, Instrument, Venue
from marketdata.selectors import (
    BarWindow,
    bar_view,
    bars_for_chart,
    bars_in,
    daily_bars,
    latest_bars,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 15, 30, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ibm() -> Instrument:
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    return Instrument.objects.create(
        symbol="IBM",
        name="IBM",
        asset_class="us_equity",
        venue=venue,
        quote_currency=usd,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )


@pytest.fixture
def live() -> Iterator[Redis]:
    redis = Redis.from_url(settings.REDIS_URL)
    redis.delete(f"{settings.REDIS_PREFIX}latest:bar:IBM:1Min")
    yield redis
    redis.delete(f"{settings.REDIS_PREFIX}latest:bar:IBM:1Min")


def open_minute(redis: Redis, start: datetime, price: int) -> None:
    value = Decimal(price)
    bar = DomainBar("IBM", to_ns(start), value, value, value, value, Decimal(5), 1, value, False)
    frame = event_frame("bar:IBM:1Min", epoch="e", seq=1, data=bar_data(bar))
    redis.set(f"{settings.REDIS_PREFIX}latest:bar:IBM:1Min", frame)


def store(instrument: Instrument, timeframe: str, start: datetime, price: int) -> None:
    Bar.objects.create(
        instrument=instrument,
        timeframe=timeframe,
        start=start,
        open=price,
        high=price + 2,
        low=price - 2,
        close=price + 1,
        volume=10,
        trade_count=3,
        vwap=price,
        source="test",
    )


def closes(bars: list[object]) -> list[tuple[str, int]]:
    return [(f"{bar.start:%H:%M}", int(bar.close)) for bar in bars]  # type: ignore[attr-defined]


def test_open_minute_ends_the_chart(ibm: Instrument, live: Redis) -> None:
    store(ibm, "1Min", datetime(2026, 3, 2, 15, 28, tzinfo=UTC), 100)
    open_minute(live, datetime(2026, 3, 2, 15, 30, tzinfo=UTC), 105)

    bars = bars_for_chart(ibm, Timeframe(1, Unit.MINUTE), 10, NOW)

    assert closes(list(bars)) == [("15:28", 101), ("15:30", 105)]


def test_open_minute_joins_the_bucket_it_belongs_to(ibm: Instrument, live: Redis) -> None:
    store(ibm, "1Min", datetime(2026, 3, 2, 15, 28, tzinfo=UTC), 100)
    store(ibm, "1Min", datetime(2026, 3, 2, 15, 30, tzinfo=UTC), 100)
    open_minute(live, datetime(2026, 3, 2, 15, 31, tzinfo=UTC), 130)

    last = bars_for_chart(ibm, Timeframe(5, Unit.MINUTE), 10, NOW + MINUTE)[-1]

    assert last.start == datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    assert (last.open, last.high, last.low, last.close) == (100, 130, 98, 130)
    assert (last.volume, last.trade_count, last.vwap) == (15, 4, Decimal("110.00000000"))


def test_minute_that_is_stored_is_not_counted_twice(ibm: Instrument, live: Redis) -> None:
    start = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    store(ibm, "1Min", start, 100)
    open_minute(live, start, 130)

    last = bars_for_chart(ibm, Timeframe(5, Unit.MINUTE), 10, NOW)[-1]

    assert (last.close, last.volume) == (101, 10)


def test_newest_bars_are_kept_when_there_are_more(ibm: Instrument, live: Redis) -> None:
    for number in range(6):
        store(ibm, "1Min", datetime(2026, 3, 2, 15, 20 + number, tzinfo=UTC), 100 + number)

    bars = bars_for_chart(ibm, Timeframe(1, Unit.MINUTE), 3, NOW)

    assert closes(list(bars)) == [("15:23", 104), ("15:24", 105), ("15:25", 106)]


def test_chart_without_a_hole_takes_one_statement_for_its_bars(
    ibm: Instrument, live: Redis, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        store(ibm, "1Min", datetime(2026, 3, 2, 15, 28 + number, tzinfo=UTC), 100)

    with django_assert_num_queries(1):
        assert len(bars_for_chart(ibm, Timeframe(1, Unit.MINUTE), 3, NOW)) == 3


@pytest.mark.parametrize(
    ("timeframe", "starts"),
    [
        ("1Day", ["2025-12-31", "2026-01-02", "2026-02-27", "2026-03-02"]),
        ("1Week", ["2025-12-29", "2026-02-23", "2026-03-02"]),
        ("1Month", ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]),
        ("3Month", ["2025-10-01", "2026-01-01"]),
    ],
)
def test_days_are_grouped_by_calendar(ibm: Instrument, timeframe: str, starts: list[str]) -> None:
    for day in ("2025-12-31", "2026-01-02", "2026-02-27", "2026-03-02"):
        store(ibm, "1Day", datetime.fromisoformat(f"{day}T00:00:00+00:00"), 100)
    parsed = parse_timeframe(timeframe)
    assert parsed is not None

    bars = bars_in(ibm.pk, BarWindow(parsed, datetime(2025, 1, 1, tzinfo=UTC), NOW, limit=10))

    assert [bar.start.date().isoformat() for bar in bars] == starts


def test_day_so_far_holds_the_open_minute_and_yesterday_stands_before(
    ibm: Instrument, live: Redis, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    store(ibm, "1Day", datetime(2026, 2, 27, tzinfo=UTC), 90)
    store(ibm, "1Day", datetime(2026, 3, 2, tzinfo=UTC), 100)
    open_minute(live, datetime(2026, 3, 2, 15, 30, tzinfo=UTC), 130)
    minutes = {symbol: bar_view(bar) for symbol, bar in latest_bars(["IBM"]).items()}

    with django_assert_num_queries(2):
        today, before = daily_bars([ibm], minutes, NOW)["IBM"]

    assert today is not None
    assert before is not None
    assert (today.open, today.high, today.close, today.volume) == (100, 130, 130, 15)
    assert (before.start, before.close) == (datetime(2026, 2, 27, tzinfo=UTC), 91)
