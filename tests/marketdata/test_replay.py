"""Recorded days told again: what is read, in which time, how fast, and what is refused."""

import asyncio
import zipfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from core.domain.clock import FixedClock, to_ns
from marketdata.domain.bars import MINUTE_NS, Bar
from marketdata.domain.lean_conditions import lean_flags
from marketdata.domain.plan import FeedInstrument, FeedOptionError, FeedSetup
from marketdata.domain.ports import FeedAwayError, Told
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Grid, Level, Quote, Trade
from marketdata.feeds.replay import feed as feed_module
from marketdata.feeds.replay.clock import ReplayClock
from marketdata.feeds.replay.feed import ReplayFeed

NEW_YORK = ZoneInfo("America/New_York")
OPEN_NS = to_ns(datetime(2013, 10, 7, 9, 30, tzinfo=NEW_YORK))
OPEN_MS = 34_200_000
TRADES = f"""{OPEN_MS},100000,100,P,1,0
{OPEN_MS + 500},100100,200,Q,20000020,0
{OPEN_MS + 1000},100200,300,Q,1,1
{OPEN_MS + 2000},100300,400,N,80,0
"""
QUOTES = f"""{OPEN_MS - 1},99900,5,0,0,P,1,0
{OPEN_MS},0,0,100100,7,P,1,0
{OPEN_MS + 1500},100000,6,0,0,Q,1,0
"""
LEVEL = Decimal("0.0001")


@pytest.fixture(autouse=True)
def _never_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(feed_module, "OVER_SECONDS", 0.0)


def pack(folder: Path, name: str, text: str, symbol: str = "aig", kind: str = "tick") -> None:
    path = folder / "equity" / "usa" / kind / symbol
    path.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.csv", text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pack(tmp_path, "20131007_trade", TRADES)
    pack(tmp_path, "20131007_quote", QUOTES)
    return tmp_path


def replay(
    folder: Path, clock: FixedClock, symbols: Sequence[str] = ("AIG",), /, **options: Any
) -> ReplayFeed:
    return ReplayFeed(
        FeedSetup(
            "replay",
            ReplayClock(clock),
            [FeedInstrument(Grid(symbol, Decimal("0.01"), Decimal(1))) for symbol in symbols],
            {"folder": str(folder), **options},
        )
    )


def told_by(feed: ReplayFeed, answers: int = 20) -> list[Told]:
    async def all_of() -> list[Told]:
        await feed.open()
        return [item for _ in range(answers) for item in await feed.receive()]

    return asyncio.run(all_of())


def test_lean_ticks_in_their_own_time_merge_sides_and_keep_flags(
    folder: Path, now: datetime
) -> None:
    told = told_by(replay(folder, FixedClock(now), shift=False, speed=0))

    bids = (Level(Decimal("9.99"), Decimal(5)),)
    later_bids = (Level(Decimal(10), Decimal(6)),)
    asks = (Level(Decimal("10.01"), Decimal(7)),)
    number = 20131007 * 10_000_000
    assert told == [
        Quote("AIG", bids, asks, OPEN_NS, "replay"),
        Trade("AIG", number + 1, Decimal(10), Decimal(100), None, OPEN_NS, "replay", "P", 0),
        Trade(
            "AIG",
            number + 2,
            Decimal("10.01"),
            Decimal(200),
            None,
            OPEN_NS + SECOND // 2,
            "replay",
            "Q",
            TradeFlag.NO_PRICE,
        ),
        Quote("AIG", later_bids, asks, OPEN_NS + 3 * SECOND // 2, "replay"),
        Trade(
            "AIG",
            number + 4,
            Decimal("10.03"),
            Decimal(400),
            None,
            OPEN_NS + 2 * SECOND,
            "replay",
            "N",
            TradeFlag.CLOSING,
        ),
    ]


@pytest.mark.parametrize(
    ("conditions", "flags"),
    [
        ("1", TradeFlag.NONE),
        ("", TradeFlag.NONE),
        ("20000020", TradeFlag.NO_PRICE),
        ("200", TradeFlag.NO_PRICE),
        ("20002020", TradeFlag.EXTENDED),
        ("80", TradeFlag.CLOSING),
        ("40", TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME),
        ("4000000", TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME),
        ("1000000", TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME),
    ],
)
def test_sale_conditions_say_what_a_print_moves(conditions: str, flags: TradeFlag) -> None:
    assert lean_flags(conditions) == flags


def test_own_time_moves_the_market_clock_a_second_at_a_time(folder: Path, now: datetime) -> None:
    clock = ReplayClock(FixedClock(now))
    setup = FeedSetup(
        "replay",
        clock,
        [FeedInstrument(Grid("AIG", Decimal("0.01"), Decimal(1)))],
        {"folder": str(folder), "shift": False, "speed": 0},
    )
    feed = ReplayFeed(setup)

    async def times() -> list[int]:
        await feed.open()
        seen = []
        for _ in range(3):
            await feed.receive()
            seen.append(clock.now_ns() - OPEN_NS)
        return seen

    assert clock.now_ns() == OPEN_NS
    # Then it is over, and the clock ends the last minute.
    assert asyncio.run(times()) == [SECOND // 2, 2 * SECOND + MINUTE_NS, 2 * SECOND + MINUTE_NS]


def test_shifted_day_keeps_its_spacing_from_now_on(folder: Path, now: datetime) -> None:
    clock = FixedClock(now)
    feed = replay(folder, clock)

    at_once = told_by(feed)
    clock.advance(1)
    a_second_later = told_by(feed)
    clock.advance(1)
    at_the_end = told_by(feed)

    start = to_ns(now)
    assert [(type(item), item.t_ns - start) for item in at_once] == [(Quote, 0), (Trade, 0)]
    assert [item.t_ns - start for item in a_second_later] == [SECOND // 2]
    assert [item.t_ns - start for item in at_the_end] == [3 * SECOND // 2, 2 * SECOND]
    assert feed.progress()["is_over"] is True


def test_ten_times_as_fast_squeezes_the_times(folder: Path, now: datetime) -> None:
    clock = FixedClock(now)
    feed = replay(folder, clock, speed=10)
    told_by(feed)

    clock.advance(1)
    told = told_by(feed)

    assert [item.t_ns - to_ns(now) for item in told] == [
        SECOND // 20,
        3 * SECOND // 20,
        SECOND // 5,
    ]


def test_as_fast_as_possible_is_stamped_when_it_is_told(folder: Path, now: datetime) -> None:
    told = told_by(replay(folder, FixedClock(now), speed=0))

    assert len(told) == 5
    assert {item.t_ns for item in told} == {to_ns(now)}


def test_trades_of_a_shifted_day_have_numbers_that_rise_with_every_start(
    folder: Path, now: datetime
) -> None:
    clock = FixedClock(now)
    first = [t.trade_id for t in told_by(replay(folder, clock, speed=0)) if isinstance(t, Trade)]
    clock.advance(1)
    second = [t.trade_id for t in told_by(replay(folder, clock, speed=0)) if isinstance(t, Trade)]

    assert first == sorted(set(first))
    assert max(first) < min(second)


def test_paused_replay_tells_nothing_and_goes_on_where_it_was(folder: Path, now: datetime) -> None:
    clock = FixedClock(now)
    feed = replay(folder, clock)
    told_by(feed)

    feed.control({"paused": True})
    clock.advance(60)
    assert told_by(feed) == []

    feed.control({"paused": False})
    (resumed,) = told_by(feed)
    assert resumed.t_ns == to_ns(now) + 60 * SECOND
    clock.advance(2)
    assert len(told_by(feed)) == 2


def test_speed_changes_while_it_runs(folder: Path, now: datetime) -> None:
    feed = replay(folder, FixedClock(now))
    assert len(told_by(feed)) == 2

    feed.control({"speed": 0})

    assert len(told_by(feed)) == 3
    with pytest.raises(FeedOptionError, match="The speed must be a whole number"):
        feed.control({"speed": -1})
    assert feed.progress()["speed"] == 0


def test_source_that_is_opened_again_goes_on_and_tells_nothing_twice(
    folder: Path, now: datetime
) -> None:
    clock = FixedClock(now)
    feed = replay(folder, clock)
    first = told_by(feed)
    clock.advance(10)

    again = told_by(feed)

    assert len(first) + len(again) == 5


def test_loop_begins_anew_with_numbers_of_its_own(folder: Path, now: datetime) -> None:
    told = told_by(replay(folder, FixedClock(now), speed=0, loop=True), answers=3)

    numbers = [item.trade_id for item in told if isinstance(item, Trade)]
    assert len(numbers) == 9
    assert numbers == sorted(set(numbers))


def test_start_and_end_choose_a_part(folder: Path, now: datetime) -> None:
    told = told_by(
        replay(
            folder,
            FixedClock(now),
            shift=False,
            speed=0,
            start="2013-10-07T09:30:00.5",
            end="2013-10-07T09:30:02",
        )
    )

    assert [item.t_ns - OPEN_NS for item in told] == [SECOND // 2, 3 * SECOND // 2]


def test_days_follow_each_other_without_the_night(folder: Path, now: datetime) -> None:
    pack(folder, "20131008_trade", TRADES)
    clock = FixedClock(now)
    feed = replay(folder, clock)
    told_by(feed)
    clock.advance(2)
    assert len(told_by(feed, answers=1)) == 3

    (first_of_tuesday,) = told_by(feed)

    assert first_of_tuesday.t_ns == to_ns(now) + 2 * SECOND


def test_two_instruments_are_told_in_time_order(folder: Path, now: datetime) -> None:
    pack(folder, "20131007_trade", f"{OPEN_MS + 700},1680000,10,P,1,0\n", symbol="spy")

    told = told_by(replay(folder, FixedClock(now), ("AIG", "SPY"), shift=False, speed=0))

    assert [(item.symbol, item.t_ns - OPEN_NS) for item in told][2:4] == [
        ("AIG", SECOND // 2),
        ("SPY", 700_000_000),
    ]


def test_day_without_ticks_is_told_by_closed_minutes_and_the_quotes_at_their_end(
    tmp_path: Path, now: datetime
) -> None:
    pack(tmp_path, "20131007_trade", f"{OPEN_MS},100000,100300,99900,100100,700\n", kind="minute")
    pack(
        tmp_path,
        "20131007_quote",
        f"{OPEN_MS},99900,1,1,100000,5,100100,1,1,100200,6\n",
        kind="minute",
    )

    told = told_by(replay(tmp_path, FixedClock(now), shift=False, speed=0))

    quote = Quote(
        "AIG",
        (Level(Decimal(10), Decimal(5)),),
        (Level(Decimal("10.02"), Decimal(6)),),
        OPEN_NS + MINUTE_NS,
        "replay",
    )
    prices = (Decimal(10), Decimal("10.03"), Decimal("9.99"), Decimal("10.01"))
    assert told == [
        quote,
        Bar("AIG", OPEN_NS, *prices, Decimal(700), 0, None, is_closed=True),
    ]


def test_shifted_minutes_begin_at_whole_minutes(tmp_path: Path, now: datetime) -> None:
    pack(tmp_path, "20131007_trade", f"{OPEN_MS},100000,100300,99900,100100,700\n", kind="minute")
    clock = FixedClock(now)
    clock.advance(20)
    feed = replay(tmp_path, clock)

    assert told_by(feed) == []
    clock.advance(40)
    (bar,) = told_by(feed)

    assert isinstance(bar, Bar)
    assert bar.start_ns == to_ns(now)


def test_minutes_cannot_be_told_faster_than_they_last(tmp_path: Path, now: datetime) -> None:
    pack(tmp_path, "20131007_trade", f"{OPEN_MS},1,1,1,1,1\n", kind="minute")

    with pytest.raises(FeedOptionError, match="minutes only"):
        replay(tmp_path, FixedClock(now), speed=2)
    feed = replay(tmp_path, FixedClock(now))
    with pytest.raises(FeedOptionError, match="minutes only"):
        feed.control({"speed": 0})


def test_plain_csv_is_read_by_its_columns(tmp_path: Path, now: datetime) -> None:
    (tmp_path / "aig_trade.csv").write_text(
        "when,volume,price\n2013-10-07T09:30:00-04:00,100,10.25\n2013-10-07T13:30:01Z,5,10.5\n"
    )
    (tmp_path / "aig_quote.csv").write_text("2013-10-07T13:30:00.5Z,10,1,11,2\n")

    told = told_by(
        replay(
            tmp_path,
            FixedClock(now),
            format="csv",
            shift=False,
            speed=0,
            columns={
                "trade": {"time": 0, "size": 1, "price": 2},
                "quote": {"time": 0, "bid": 1, "bid_size": 2, "ask": 3, "ask_size": 4},
            },
        )
    )

    assert [(type(item), item.t_ns - OPEN_NS) for item in told] == [
        (Trade, 0),
        (Quote, SECOND // 2),
        (Trade, SECOND),
    ]
    assert isinstance(told[0], Trade)
    assert (told[0].price, told[0].size) == (Decimal("10.25"), Decimal(100))


def test_line_that_cannot_be_read_ends_the_replay_with_the_line(
    tmp_path: Path, now: datetime
) -> None:
    pack(tmp_path, "20131007_trade", TRADES + "rubbish\n")
    feed = replay(tmp_path, FixedClock(now), speed=0)

    with pytest.raises(FeedAwayError, match="no trade tick: 'rubbish"):
        told_by(feed)
    with pytest.raises(FeedAwayError, match="rubbish"):
        told_by(feed)


def test_file_that_is_no_zip_ends_the_replay(tmp_path: Path, now: datetime) -> None:
    pack(tmp_path, "20131007_trade", TRADES)
    next(tmp_path.rglob("*.zip")).write_bytes(b"no zip")

    with pytest.raises(FeedAwayError, match="is no zip"):
        told_by(replay(tmp_path, FixedClock(now)))


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"folder": "relative"}, "'folder' must be the full path"),
        ({"folder": "/nowhere/at/all"}, "'folder' must be the full path"),
        ({"sped": 2}, "There is no option 'sped'"),
        ({"speed": 1.5}, "The speed must be a whole number"),
        ({"speed": True}, "The speed must be a whole number"),
        ({"shift": "no"}, "'shift' must be true or false"),
        ({"format": "parquet"}, "'format' must be one of lean, csv"),
        ({"start": "soon"}, "'start' must be a day or a moment"),
        ({"time_zone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"start": "2014-01-01"}, "holds nothing of AIG"),
        ({"format": "csv"}, "'columns' must say which column holds what"),
        ({"format": "csv", "columns": {"trade": {"time": 0}}}, "must be time, price, size"),
        ({"format": "csv", "columns": {"trade": {"time": -1}}}, "must be numbers from 0"),
    ],
)
def test_wrong_option_is_named(
    folder: Path, now: datetime, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(FeedOptionError, match=complaint):
        replay(folder, FixedClock(now), **options)


def test_own_time_needs_a_clock_that_it_may_move(folder: Path, now: datetime) -> None:
    setup = FeedSetup(
        "replay",
        FixedClock(now),
        [FeedInstrument(Grid("AIG", Decimal("0.01"), Decimal(1)))],
        {"folder": str(folder), "shift": False},
    )

    with pytest.raises(FeedOptionError, match="in a feed process only"):
        ReplayFeed(setup)
