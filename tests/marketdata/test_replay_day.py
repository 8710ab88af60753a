"""A real day through the same path as a live one: its bars against two independent answers, a slow
calculation from the ticks and the recording's own minutes.
"""

import asyncio
import zipfile
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.domain.clock import SystemClock, to_ns
from marketdata.domain.bars import Bar
from marketdata.domain.keeping import BarKeeper, DatedBar, ResumedBars
from marketdata.domain.plan import FeedInstrument, FeedSetup
from marketdata.domain.sessions import Session
from marketdata.domain.tick_checks import Rule, TickChecks
from marketdata.domain.trading_days import SessionDays
from marketdata.domain.values import Grid, Quote, Trade
from marketdata.feeds.replay.clock import ReplayClock
from marketdata.feeds.replay.feed import ReplayFeed
from tests.marketdata.market_data import lean_folder

MINUTE_MS = 60_000
OPENS_MS, CLOSES_MS = 34_200_000, 57_600_000
OFFICIAL = 0x40 | 0x4000000 | 0x1000000
WITHOUT_PRICE = 0x20 | 0x200 | 0x100000 | OFFICIAL
Row = tuple[int, int, int, int, int]
"""Open, high, low, close in ten-thousandths, volume."""


class Drawn:
    """What the day's ticks came to."""

    def __init__(self, folder: Path, symbol: str, day: date) -> None:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York"))
        self.midnight_ns = to_ns(midnight)
        session = Session(
            day,
            self.midnight_ns + OPENS_MS * 1_000_000,
            self.midnight_ns + CLOSES_MS * 1_000_000,
        )
        self._keeper = BarKeeper(
            {symbol: ResumedBars(days=SessionDays([session], "America/New_York"))}
        )
        self._clock = ReplayClock(SystemClock())
        self._feed = ReplayFeed(
            FeedSetup(
                "replay",
                self._clock,
                [FeedInstrument(Grid(symbol, Decimal("0.01"), Decimal(1)))],
                {
                    "folder": str(folder),
                    "resolution": "tick",
                    "shift": False,
                    "speed": 0,
                    "start": day.isoformat(),
                    "end": f"{day.isoformat()}T23:00",
                },
            )
        )
        self.checks = TickChecks()
        self.finished: list[DatedBar] = []
        self.told = self.late = 0
        asyncio.run(self._run())

    def bars(self, timeframe: str) -> dict[int, Bar]:
        """By start; an amended bar stands for the one that it amends."""
        return {
            dated.bar.start_ns: dated.bar
            for dated in self.finished
            if dated.timeframe == timeframe and dated.bar.is_closed
        }

    def minutes(self) -> dict[int, Row]:
        """By milliseconds of the day."""
        return {
            (start_ns - self.midnight_ns) // 1_000_000: row_of(bar)
            for start_ns, bar in self.bars("1Min").items()
        }

    async def _run(self) -> None:
        await self._feed.open()
        while not self._feed.progress()["is_over"]:
            told = await self._feed.receive()
            now_ns = self._clock.now_ns()
            self.told += len(told)
            for item in told:
                assert isinstance(item, Quote | Trade)
                for tick in self.checks.check(item, now_ns):
                    if isinstance(tick, Trade):
                        taken = self._keeper.take(tick)
                        self.late += taken.is_late
                        self.finished += taken.finished
            self.finished += self._keeper.close_until(now_ns)


def row_of(bar: Bar) -> Row:
    opened, high, low, close = (
        int(price * 10_000) for price in (bar.open, bar.high, bar.low, bar.close)
    )
    return opened, high, low, close, int(bar.volume)


def lines_of(path: Path) -> list[list[str]]:
    with zipfile.ZipFile(path) as archive:
        return [line.split(",") for line in archive.read(archive.namelist()[0]).decode().split()]


def slow_minutes(folder: Path, symbol: str, day: str) -> dict[int, Row]:
    """The rules of docs/bars.md done again without any of our code: all prints of a minute at
    hand, no streams.
    """
    prints: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    path = folder / "equity" / "usa" / "tick" / symbol / f"{day}_trade.zip"
    for at, price, size, _, condition, _ in lines_of(path):
        bits, moment = int(condition, 16), int(at)
        if bits & 0x80 and moment >= CLOSES_MS:
            moment = CLOSES_MS - 1
        is_extended = bool(bits & 0x2000)
        draws = is_extended or not bits & WITHOUT_PRICE
        counts = is_extended or not bits & OFFICIAL
        minute = moment // MINUTE_MS * MINUTE_MS
        prints[minute].append((int(price) if draws else 0, int(size) if counts else 0, moment))
    rows = {}
    for minute, told in prints.items():
        prices = [price for price, _, _ in sorted(told, key=lambda one: one[2]) if price]
        if prices:
            volume = sum(size for _, size, _ in told)
            rows[minute] = (prices[0], max(prices), min(prices), prices[-1], volume)
    return rows


def recorded_minutes(folder: Path, symbol: str, day: str) -> dict[int, Row]:
    path = folder / "equity" / "usa" / "minute" / symbol / f"{day}_trade.zip"
    return {
        int(at): (int(opened), int(high), int(low), int(close), int(volume))
        for at, opened, high, low, close, volume in lines_of(path)
    }


def clock_times(minutes: set[int]) -> list[str]:
    return [f"{at // 3_600_000:02}:{at // MINUTE_MS % 60:02}" for at in sorted(minutes)]


@pytest.fixture(scope="module")
def aig() -> Drawn:
    return Drawn(lean_folder(), "AIG", date(2013, 10, 7))


def test_every_tick_of_the_day_is_told_and_judged(aig: Drawn) -> None:
    assert aig.told == 1_105_285
    assert aig.checks.counts == {Rule.DUPLICATE: 416_134, Rule.CROSSED: 199}
    assert aig.late == 0


def test_minutes_equal_a_slow_calculation_from_the_same_ticks(aig: Drawn) -> None:
    assert aig.minutes() == slow_minutes(lean_folder(), "aig", "20131007")


def test_all_recorded_minutes_but_one_are_drawn_as_the_recording_has_them(aig: Drawn) -> None:
    recorded, drawn = recorded_minutes(lean_folder(), "aig", "20131007"), aig.minutes()

    assert len(recorded) == len(drawn) == 433
    differing = {at for at in recorded | drawn if recorded.get(at) != drawn.get(at)}
    # Its volume has that of the minute after it, in which no print drew a price.
    assert clock_times(differing) == ["13:46"]
    (at,) = differing
    assert recorded[at][:4] == drawn[at][:4]
    assert (recorded[at][4], drawn[at][4]) == (5_603, 4_103)


def test_seconds_of_the_day_add_up_to_its_minutes(aig: Drawn) -> None:
    volumes: defaultdict[int, Decimal] = defaultdict(Decimal)
    closing = 253_146  # told after the close: in the last minute, and in no second
    for start_ns, second in aig.bars("1Sec").items():
        volumes[(start_ns - aig.midnight_ns) // 60_000_000_000 * MINUTE_MS] += second.volume
    last = CLOSES_MS - MINUTE_MS

    for at, row in aig.minutes().items():
        # A second in which no print drew a price is not drawn: its volume is in the minute only.
        assert volumes[at] <= row[4] - (closing if at == last else 0)


def test_day_is_the_session_with_its_closing_print(aig: Drawn) -> None:
    (day,) = aig.bars("1Day").values()

    assert day.start_ns == aig.midnight_ns
    assert day.is_amended is True
    assert row_of(day) == (490_400, 491_200, 487_200, 487_300, 5_186_809)
    # The recording's own day has the same prices, and the 16:00 minute's volume besides.
    assert days_of(lean_folder(), "aig")["20131007"] == (*row_of(day)[:4], 5_186_809 + 5_302)


def hours_of(folder: Path, symbol: str) -> dict[str, Row]:
    return _dated(folder / "equity" / "usa" / "hour" / f"{symbol}.zip")


def days_of(folder: Path, symbol: str) -> dict[str, Row]:
    return {at[:8]: row for at, row in _dated(folder / f"equity/usa/daily/{symbol}.zip").items()}


def _dated(path: Path) -> dict[str, Row]:
    with zipfile.ZipFile(path) as archive:
        lines = archive.read(archive.namelist()[0]).decode().splitlines()
    rows: dict[str, Row] = {}
    for line in lines:
        at, opened, high, low, close, volume = line.split(",")
        rows[at] = (int(opened), int(high), int(low), int(close), int(volume))
    return rows


def merged(rows: list[Row]) -> Row:
    highs, lows = [row[1] for row in rows], [row[2] for row in rows]
    return rows[0][0], max(highs), min(lows), rows[-1][3], sum(row[4] for row in rows)


HOURS = [(symbol, day) for symbol, days in (
    ("spy", ("20131004", "20131007", "20131008")),
    ("aapl", ("20140605", "20140606", "20140609")),
) for day in days]  # fmt: skip


def test_session_minutes_make_the_recorded_hours_and_days() -> None:
    folder = lean_folder()
    same_volume = same_prices = hours = 0
    for symbol, day in HOURS:
        minutes = recorded_minutes(folder, symbol, day)
        session = [row for at, row in minutes.items() if OPENS_MS <= at < CLOSES_MS]
        assert merged(session)[4] == days_of(folder, symbol)[day][4]
        for hour in range(9, 16):
            rows = [
                row
                for at, row in minutes.items()
                if at // 3_600_000 == hour and OPENS_MS <= at < CLOSES_MS
            ]
            theirs = hours_of(folder, symbol)[f"{day} {hour:02}:00"]
            hours += 1
            same_volume += merged(rows)[4] == theirs[4]
            same_prices += merged(rows) == theirs
    # The hours' prices come from another source than the minutes: other ones in 25 of 42 hours, the
    # same in all seven of 2014-06-09.
    assert (hours, same_volume, same_prices) == (42, 42, 17)


@pytest.mark.parametrize(
    ("symbol", "day", "is_whole"),
    [
        ("bac", "20131004", True),
        ("bac", "20131007", True),
        ("bac", "20131008", True),
        ("spy", "20131004", True),
        ("spy", "20131007", True),
        ("spy", "20131008", False),
        ("aapl", "20140605", False),
        ("aapl", "20140606", False),
        ("aapl", "20140609", True),
        ("aig", "20131004", False),
        ("aig", "20131007", False),
        ("aig", "20131008", False),
    ],
)
def test_day_made_of_session_minutes_against_the_recorded_day(
    symbol: str, day: str, is_whole: bool
) -> None:
    folder = lean_folder()
    minutes = recorded_minutes(folder, symbol, day)
    ours = merged([row for at, row in minutes.items() if OPENS_MS <= at < CLOSES_MS])
    theirs = days_of(folder, symbol)[day]

    assert (ours == theirs) is is_whole
    # Open and close always agree; else it is a high, a low or the volume of one print more.
    assert (ours[0], ours[3]) == (theirs[0], theirs[3])
