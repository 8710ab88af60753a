"""Bars for charts and snapshots: whole buckets, and the one that is still open at the end."""

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
from marketdata.domain.stored import SecondRow
from marketdata.domain.timeframes import Timeframe, Unit, bar_start, parse_timeframe
from marketdata.models import Bar, Currency, Instrument, Venue
from marketdata.selectors import (
    CHART_TIMEFRAMES,
    BarWindow,
    bar_view,
    bars_for_chart,
    bars_in,
    daily_bars,
    latest_bars,
    previous_closes,
)
from marketdata.services.ticks import save_seconds

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
    keys = [f"{settings.REDIS_PREFIX}latest:bar:IBM:{name}" for name in ("1Sec", "1Min", "1Day")]
    redis.delete(*keys)
    yield redis
    redis.delete(*keys)


def open_bar(redis: Redis, timeframe: str, start: datetime, price: int, volume: int = 5) -> None:
    value = Decimal(price)
    bar = DomainBar(
        "IBM", to_ns(start), value, value, value, value, Decimal(volume), 1, value, False
    )
    frame = event_frame(f"bar:IBM:{timeframe}", epoch="e", seq=1, data=bar_data(bar))
    redis.set(f"{settings.REDIS_PREFIX}latest:bar:IBM:{timeframe}", frame)


def open_minute(redis: Redis, start: datetime, price: int) -> None:
    open_bar(redis, "1Min", start, price)


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


@pytest.mark.parametrize("unit", [Unit.MINUTE, Unit.HOUR, Unit.DAY])
def test_a_past_that_ended_long_ago_is_shown_by_itself(
    ibm: Instrument, live: Redis, unit: Unit
) -> None:
    timeframe = Timeframe(1, unit)
    for day in (4, 7):
        store(ibm, str(timeframe), datetime(2013, 10, day, 4, tzinfo=UTC), 100 + day)

    bars = bars_for_chart(ibm, timeframe, 10, NOW)

    assert [int(bar.close) for bar in bars] == [105, 108]
    assert bars_for_chart(ibm, timeframe, 10, datetime(2013, 10, 1, tzinfo=UTC)) == []


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


def at_new_york(ibm: Instrument) -> None:
    ibm.venue.time_zone = "America/New_York"
    ibm.venue.save()


def chart(ibm: Instrument, timeframe: str, now: datetime = NOW) -> list[tuple[str, int, int]]:
    parsed = parse_timeframe(timeframe)
    assert parsed is not None
    bars = bars_for_chart(ibm, parsed, 10, now)
    return [(f"{bar.start:%m-%d %H}", int(bar.close), int(bar.volume)) for bar in bars]


def test_running_day_is_the_feeds_and_takes_no_minute_of_extended_hours(
    ibm: Instrument, live: Redis, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    at_new_york(ibm)
    store(ibm, "1Day", datetime(2026, 2, 27, 5, tzinfo=UTC), 90)
    store(ibm, "1Day", datetime(2026, 3, 2, 5, tzinfo=UTC), 100)
    evening = datetime(2026, 3, 2, 22, 15, tzinfo=UTC)
    open_minute(live, evening, 130)
    open_bar(live, "1Day", datetime(2026, 3, 2, 5, tzinfo=UTC), 105, volume=40)
    running = {symbol: bar_view(bar) for symbol, bar in latest_bars(["IBM"], "1Day").items()}

    with django_assert_num_queries(1):
        today, before = daily_bars([ibm], running, evening)["IBM"]

    assert today is not None
    assert before is not None
    assert (today.high, today.close, today.volume) == (105, 105, 40)
    assert (before.start, before.close) == (datetime(2026, 2, 27, 5, tzinfo=UTC), 91)
    assert chart(ibm, "1Day", evening) == [("02-27 05", 91, 10), ("03-02 05", 105, 40)]


def test_day_without_a_session_yet_is_not_begun_by_an_early_minute(
    ibm: Instrument, live: Redis
) -> None:
    at_new_york(ibm)
    store(ibm, "1Day", datetime(2026, 2, 27, 5, tzinfo=UTC), 90)
    open_minute(live, datetime(2026, 3, 2, 10, tzinfo=UTC), 130)

    assert chart(ibm, "1Day") == [("02-27 05", 91, 10)]
    assert daily_bars([ibm], {}, NOW)["IBM"][0] is None


@pytest.mark.parametrize(
    ("timeframe", "last"),
    [("1Week", ("03-02 05", 105, 50)), ("1Month", ("03-01 05", 105, 50))],
)
def test_week_and_month_end_with_the_running_day(
    ibm: Instrument, live: Redis, timeframe: str, last: tuple[str, int, int]
) -> None:
    at_new_york(ibm)
    store(ibm, "1Day", datetime(2026, 3, 2, 5, tzinfo=UTC), 100)
    store(ibm, "1Day", datetime(2026, 3, 3, 5, tzinfo=UTC), 100)
    open_bar(live, "1Day", datetime(2026, 3, 3, 5, tzinfo=UTC), 105, volume=40)

    assert chart(ibm, timeframe, NOW + timedelta(days=1)) == [last]


def test_running_day_begins_its_week(ibm: Instrument, live: Redis) -> None:
    store(ibm, "1Day", datetime(2026, 2, 27, tzinfo=UTC), 90)
    open_bar(live, "1Day", datetime(2026, 3, 2, tzinfo=UTC), 105)

    assert chart(ibm, "1Week") == [("02-23 00", 91, 10), ("03-02 00", 105, 5)]


def test_day_that_was_imported_whole_stays(ibm: Instrument, live: Redis) -> None:
    store(ibm, "1Day", datetime(2026, 3, 2, tzinfo=UTC), 100)
    open_bar(live, "1Day", datetime(2026, 3, 2, tzinfo=UTC), 105, volume=9)

    assert chart(ibm, "1Day") == [("03-02 00", 101, 10)]
    running = {symbol: bar_view(bar) for symbol, bar in latest_bars(["IBM"], "1Day").items()}
    today, _ = daily_bars([ibm], running, NOW)["IBM"]
    assert today is not None
    assert today.close == 101


def test_newest_second_ends_a_chart_of_seconds(ibm: Instrument, live: Redis) -> None:
    open_minute(live, datetime(2026, 3, 2, 15, 30, tzinfo=UTC), 130)
    save_seconds([second(ibm, NOW - timedelta(seconds=5)), second(ibm, NOW)])
    open_bar(live, "1Sec", NOW + timedelta(seconds=1), 105)

    seconds = bars_for_chart(ibm, Timeframe(1, Unit.SECOND), 10, NOW)
    fives = bars_for_chart(ibm, Timeframe(5, Unit.SECOND), 10, NOW)
    open_bar(live, "1Sec", NOW, 105)
    again = bars_for_chart(ibm, Timeframe(5, Unit.SECOND), 10, NOW)

    assert [(bar.start.second, bar.close, bar.volume) for bar in seconds] == [
        (25, 100, 10),
        (30, 100, 10),
        (31, 105, 5),
    ]
    assert [(bar.start.second, bar.close, bar.volume) for bar in fives] == [
        (25, 100, 10),
        (30, 105, 15),
    ]
    assert (again[-1].close, again[-1].volume) == (100, 10)


def second(ibm: Instrument, start: datetime) -> SecondRow:
    price = 100 * 10**8
    return SecondRow(ibm.pk, to_ns(start), *(price,) * 4, 10 * 10**8, 3, 1000 * 10**8, feed_id=0)


@pytest.mark.parametrize("timeframe", CHART_TIMEFRAMES)
def test_database_and_domain_begin_bars_alike(ibm: Instrument, timeframe: str) -> None:
    at_new_york(ibm)
    parsed = parse_timeframe(timeframe)
    assert parsed is not None
    # Around the change of clocks of 2026-03-08.
    moments = [datetime(2026, 3, day, 5 if day < 9 else 4, tzinfo=UTC) for day in range(1, 16)]
    if not parsed.is_from_days:
        moments = [moment + timedelta(hours=3, minutes=47) for moment in moments]
    for moment in moments:
        store(ibm, "1Day" if parsed.is_from_days else "1Min", moment, 100)
    save_seconds([second(ibm, moment) for moment in moments])

    window = BarWindow(parsed, datetime(2026, 2, 1, tzinfo=UTC), NOW + timedelta(days=30), 100)
    starts = [bar.start for bar in bars_in(ibm.pk, window)]

    assert starts == sorted({bar_start(each, parsed, "America/New_York") for each in moments})


def test_previous_close_is_of_the_day_before_the_venues_today(ibm: Instrument) -> None:
    at_new_york(ibm)
    store(ibm, "1Day", datetime(2026, 3, 2, 5, tzinfo=UTC), 100)
    store(ibm, "1Day", datetime(2026, 3, 3, 5, tzinfo=UTC), 110)

    # 22:00 of the 3rd at the venue, the 4th in UTC.
    assert previous_closes(datetime(2026, 3, 4, 3, tzinfo=UTC)) == {ibm.pk: 101}
    assert previous_closes(datetime(2026, 3, 4, 5, tzinfo=UTC), [ibm]) == {ibm.pk: 111}
