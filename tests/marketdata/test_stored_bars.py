"""Bars of any length from what is stored: borders by the venue's clock, hours, seconds, splits."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.domain.clock import to_ns
from marketdata.domain.bar_view import BarView
from marketdata.domain.factors import Adjustment, Factor, adjust
from marketdata.domain.stored import SecondRow
from marketdata.domain.timeframes import parse_timeframe
from marketdata.models import Instrument
from marketdata.selectors import BarWindow, bars_in, daily_bars, factors_of
from marketdata.services import save_seconds
from marketdata.services.factors import save_factors
from tests.marketdata.markets import make_instrument, store_bar, utc

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def aig() -> Instrument:
    return make_instrument("AIG")


def bars(
    instrument: Instrument, spelling: str, adjustment: Adjustment = Adjustment.RAW
) -> list[BarView]:
    timeframe = parse_timeframe(spelling)
    assert timeframe is not None
    window = BarWindow(timeframe, utc(2013, 1, 1), utc(2014, 12, 31), 100, adjustment=adjustment)
    return bars_in(instrument.pk, window)


@pytest.mark.parametrize(
    ("spelling", "starts"),
    [
        ("1Day", [utc(2013, 10, 31, 4), utc(2013, 11, 1, 4), utc(2013, 11, 4, 5)]),
        ("1Week", [utc(2013, 10, 28, 4), utc(2013, 11, 4, 5)]),
        ("1Month", [utc(2013, 10, 1, 4), utc(2013, 11, 1, 4)]),
        ("3Month", [utc(2013, 10, 1, 4)]),
    ],
)
def test_days_weeks_and_months_begin_at_the_venues_midnight(
    aig: Instrument, spelling: str, starts: list[object]
) -> None:
    store_bar(aig, "1Day", utc(2013, 10, 31, 4), 48)
    store_bar(aig, "1Day", utc(2013, 11, 1, 4), 49)
    store_bar(aig, "1Day", utc(2013, 11, 4, 5), 50)  # clocks were set back on the 3rd

    found = bars(aig, spelling)

    assert [bar.start for bar in found] == starts
    assert (found[0].open, found[-1].close) == (48, 51)


def test_hour_is_made_of_minutes_and_stands_in_where_there_are_none(aig: Instrument) -> None:
    store_bar(aig, "1Min", utc(2013, 10, 7, 13, 30), 48)
    store_bar(aig, "1Min", utc(2013, 10, 7, 13, 59), 50)
    store_bar(aig, "1Hour", utc(2013, 10, 7, 13), 90)
    store_bar(aig, "1Hour", utc(2013, 10, 7, 14), 60)

    hours = bars(aig, "1Hour")
    two_hours = bars(aig, "2Hour")

    assert [(bar.start.hour, bar.open, bar.close, bar.volume) for bar in hours] == [
        (13, 48, 51, 200),
        (14, 60, 61, 100),
    ]
    assert [(bar.start.hour, bar.open, bar.close) for bar in two_hours] == [
        (12, 48, 51),
        (14, 60, 61),
    ]


def test_seconds_are_grouped_like_everything_else(aig: Instrument) -> None:
    start = utc(2013, 10, 7, 13, 30)
    save_seconds(
        [
            SecondRow(
                instrument_id=aig.pk,
                start_ns=to_ns(start + timedelta(seconds=number)),
                open_e8=(100 + number) * 10**8,
                high_e8=(102 + number) * 10**8,
                low_e8=(98 + number) * 10**8,
                close_e8=(101 + number) * 10**8,
                volume_e8=2 * 10**8,
                trade_count=2,
                turnover_e8=2 * (100 + number) * 10**8,
                feed_id=1,
            )
            for number in (0, 4, 5)
        ]
    )

    five = bars(aig, "5Sec")

    assert five == [
        BarView(start, D(100), D(106), D(98), D(105), D(4), 4, D(102)),
        BarView(start + timedelta(seconds=5), D(105), D(107), D(103), D(106), D(2), 2, D(105)),
    ]
    assert len(bars(aig, "1Sec")) == 3


def test_window_of_seconds_reads_its_own_day_only(aig: Instrument) -> None:
    for day in (7, 8, 9):
        at = to_ns(utc(2013, 10, day, 13, 30))
        save_seconds([SecondRow(aig.pk, at, 10, 20, 5, 11, 100, 1, 1_000, 1)])
    timeframe = parse_timeframe("1Sec")
    assert timeframe is not None

    with CaptureQueriesContext(connection) as captured:
        window = BarWindow(timeframe, utc(2013, 10, 8, 13), utc(2013, 10, 8, 14), 10)
        assert len(bars_in(aig.pk, window)) == 1
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {captured.captured_queries[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "marketdata_secondbar_p20131008" in plan
    assert "p20131007" not in plan
    assert "p20131009" not in plan


def test_split_within_a_week_is_taken_out_before_the_week_is_made(aig: Instrument) -> None:
    store_bar(aig, "1Day", utc(2013, 10, 7, 4), 80)
    store_bar(aig, "1Day", utc(2013, 10, 8, 4), 40)
    save_factors(
        aig,
        [
            Factor(date(2013, 10, 7), D("0.9"), D("0.5"), D(81)),
            Factor(date(2050, 12, 31), D(1), D(1)),
        ],
        "test",
    )

    (raw,) = bars(aig, "1Week")
    (split,) = bars(aig, "1Week", Adjustment.SPLIT)
    (both,) = bars(aig, "1Week", Adjustment.ALL)

    assert (raw.open, raw.high, raw.close, raw.volume) == (80, 82, 41, 200)
    assert (split.open, split.high, split.close, split.volume) == (40, 42, 41, 300)
    assert (both.open, both.high, both.low, both.volume) == (36, 42, D("35.1"), 300)


@pytest.mark.parametrize("mode", [Adjustment.SPLIT, Adjustment.DIVIDEND, Adjustment.ALL])
def test_database_and_domain_adjust_alike(aig: Instrument, mode: Adjustment) -> None:
    for number in range(6):
        store_bar(aig, "1Day", utc(2013, 10, 1 + number, 4), 47 + number, volume=101 + number)
    save_factors(
        aig,
        [
            Factor(date(2013, 10, 2), D("0.8613657"), D("0.0357143"), D(50)),
            Factor(date(2013, 10, 4), D("0.9"), D("0.25"), D(50)),
        ],
        "test",
    )

    raw = bars(aig, "1Day")

    assert bars(aig, "1Day", mode) == adjust(raw, factors_of(aig.pk), mode, "America/New_York")


def test_today_is_the_venues_day(aig: Instrument) -> None:
    store_bar(aig, "1Day", utc(2013, 10, 7, 4), 48)
    store_bar(aig, "1Day", utc(2013, 10, 8, 4), 50)

    evening = utc(2013, 10, 9, 3, 59)  # 23:59 of the 8th
    today, before = daily_bars([aig], {}, evening)["AIG"]

    assert today is not None
    assert before is not None
    assert (today.open, before.open) == (50, 48)
    assert daily_bars([aig], {}, utc(2013, 10, 9, 4))["AIG"][0] is None
