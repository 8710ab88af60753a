"""The simulated scenarios: their shape, exact for a seed, and the same whenever they are run."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from core.domain.clock import FixedClock, to_ns
from marketdata.domain.plan import FeedInstrument, FeedOptionError, FeedSetup
from marketdata.domain.scenarios import COURSES, Course, Scenario, push_ppm, silent_until
from marketdata.domain.values import Grid, Quote, Tick, Trade
from marketdata.feeds.simulated import SimulatedFeed

APPLE = FeedInstrument(
    Grid("AAPL", Decimal("0.01"), Decimal(1)), Decimal("430.47"), Decimal("430.47")
)
LENGTH_SECONDS = 600


def feed(now: datetime, *, seed: int = 1, **options: Any) -> SimulatedFeed:
    return SimulatedFeed(FeedSetup("sim", FixedClock(now), [APPLE], options, seed=seed))


def run(now: datetime, scenario: str, seconds: int = LENGTH_SECONDS) -> list[Tick]:
    market = feed(now, scenario=scenario)
    start = to_ns(now)
    return [
        tick for second in range(seconds + 1) for tick in market.advance(start + second * SECOND)
    ]


def middles(ticks: list[Tick], now: datetime) -> dict[int, Decimal]:
    """The last middle of each second from the start."""
    return {
        (tick.t_ns - to_ns(now)) // SECOND: (tick.bids[0].price + tick.asks[0].price) / 2
        for tick in ticks
        if isinstance(tick, Quote)
    }


def moved(middle: dict[int, Decimal], begin: int, end: int) -> int:
    """Between two seconds, in percent, cut."""
    return int((middle[end] / middle[begin] - 1) * 100)


def quotes_and_trades(ticks: list[Tick]) -> tuple[int, int]:
    trades = sum(isinstance(tick, Trade) for tick in ticks)
    return len(ticks) - trades, trades


@pytest.mark.parametrize("scenario", list(Scenario))
def test_same_seed_runs_the_same_scenario_whatever_the_steps(now: datetime, scenario: str) -> None:
    coarse = feed(now, scenario=scenario)
    fine = feed(now, scenario=scenario)
    start = to_ns(now)

    whole = [t for second in range(0, 121, 4) for t in coarse.advance(start + second * SECOND)]
    parts = [t for step in range(1201) for t in fine.advance(start + step * SECOND // 10)]

    assert whole == parts
    assert feed(now, scenario=scenario, seed=2).advance(start)[0] != parts[0]


def test_calm_market_is_the_usual_one(now: datetime) -> None:
    usual, start = feed(now), to_ns(now)

    assert run(now, "calm", 60) == [
        tick for second in range(61) for tick in usual.advance(start + second * SECOND)
    ]
    assert abs(moved(middles(run(now, "calm"), now), 0, 599)) < 3


def test_trend_rises_all_the_way(now: datetime) -> None:
    middle = middles(run(now, "trend"), now)

    shares = [moved(middle, 0, second) for second in (150, 300, 450, 590)]
    assert shares == sorted(shares)
    assert 1 <= shares[-1] <= 4


def test_crash_loses_a_fifth_within_a_minute_and_recovers_in_part(now: datetime) -> None:
    middle = middles(run(now, "crash"), now)

    assert abs(moved(middle, 0, 58)) <= 2
    assert -23 <= moved(middle, 58, 122) <= -16
    assert 6 <= moved(middle, 178, 482) <= 14


def test_gap_is_a_silence_with_another_price_after_it(now: datetime) -> None:
    ticks = run(now, "gap", 120)
    times = sorted((tick.t_ns - to_ns(now)) / SECOND for tick in ticks)

    assert not [at for at in times if 60 <= at < 90]
    middle = middles(ticks, now)
    assert 7 <= moved(middle, 59, 90) <= 9


def test_halted_market_is_silent_for_five_minutes_and_goes_on(now: datetime) -> None:
    times = sorted((tick.t_ns - to_ns(now)) / SECOND for tick in run(now, "halted"))

    assert not [at for at in times if 60 <= at < 360]
    longest = max(later - earlier for earlier, later in pairwise(times))
    assert 300 <= longest < 302
    assert len([at for at in times if at >= 360]) > 1_000


def test_illiquid_market_says_and_shows_little(now: datetime) -> None:
    calm, illiquid = run(now, "calm"), run(now, "illiquid")

    assert quotes_and_trades(calm)[0] > 4_000
    assert quotes_and_trades(illiquid)[0] < 400
    assert quotes_and_trades(illiquid)[1] < 100

    def spread(ticks: list[Tick]) -> Decimal:
        spreads = [
            tick.asks[0].price - tick.bids[0].price for tick in ticks if isinstance(tick, Quote)
        ]
        return sum(spreads, Decimal(0)) / len(spreads)

    assert spread(illiquid) > 5 * spread(calm)


def test_speed_squeezes_the_same_moves(now: datetime) -> None:
    start = to_ns(now)
    fast = feed(now, scenario="trend", speed=10)
    squeezed = [t for step in range(61) for t in fast.advance(start + step * SECOND // 10)]
    usual = run(now, "trend", 60)

    assert squeezed == [replace(tick, t_ns=start + (tick.t_ns - start) // 10) for tick in usual]


def test_course_adds_up_whatever_the_steps() -> None:
    for course in COURSES.values():
        whole = push_ppm(course, 0, 1_300)
        steps = sum(push_ppm(course, second, second + 1) for second in range(1_300))
        assert abs(whole - steps) <= 650  # half a millionth of rounding a step

    twice = Course(fall=(0, 10, 1_000), jump=(5, 70), period=20)
    assert [push_ppm(twice, 0, end) for end in (4, 5, 10, 20, 25)] == [
        -400, -430, -930, -930, -1360,
    ]  # fmt: skip


def test_silence_ends_at_its_second() -> None:
    course = Course(silence=(60, 90), period=100)

    assert [silent_until(course, second) for second in (59.9, 60.0, 89.9, 90.0, 165.0)] == [
        None, 90.0, 90.0, None, 190.0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"scenario": "panic"}, "must be one of calm, trend, crash, gap, halted, illiquid"),
        ({"speed": 0}, "must be a whole number from 1 to 100"),
        ({"speed": True}, "must be a whole number from 1 to 100"),
        ({"sped": 2}, "no option 'sped'"),
    ],
)
def test_wrong_option_is_named(now: datetime, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FeedOptionError, match=complaint):
        feed(now, **options)
