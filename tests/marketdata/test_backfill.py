"""Backfill: windows of a provider's bars, each stored with how far the job is."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.domain.clock import FixedClock, from_ns, to_ns
from marketdata.domain.bars import Bar
from marketdata.domain.ports import FeedAwayError, Historian
from marketdata.domain.timeframes import Timeframe
from marketdata.models import Bar as BarRow
from marketdata.models import Feed, Hole, ImportJob, Instrument
from marketdata.services.backfill import Backfill, backfill
from marketdata.services.holes import check_holes
from marketdata.services.importing.jobs import ImportResult
from tests.marketdata.markets import make_instrument, store_bar, utc

pytestmark = pytest.mark.django_db(transaction=True)
NOW = utc(2013, 11, 1)
CLOCK = FixedClock(NOW)
MINUTE = timedelta(minutes=1)


class Archive:
    """A provider with given bars, that can be away for some of its calls."""

    name = "archive"

    def __init__(self, bars: Sequence[Bar], *, away_at: int = 0) -> None:
        self._bars = bars
        self._away_at = away_at
        self.asked: list[tuple[datetime, datetime]] = []

    async def bars(
        self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime
    ) -> AsyncIterator[Sequence[Bar]]:
        self.asked.append((start, end))
        if len(self.asked) == self._away_at:
            raise FeedAwayError("the archive is away")
        found = [bar for bar in self._bars if start <= from_ns(bar.start_ns) < end]
        for begin in range(0, len(found), 50):
            yield found[begin : begin + 50]


@pytest.fixture
def aig() -> Instrument:
    return make_instrument("AIG", zone="UTC", calendar="ALWAYS")


@pytest.fixture
def archive_feed() -> Feed:
    return Feed.objects.create(name="archive", adapter="alpaca")


def told(start: datetime, price: str = "48.12", low: str | None = None) -> Bar:
    value = Decimal(price)
    return Bar(
        symbol="AIG",
        start_ns=to_ns(start),
        open=value,
        high=value + 1,
        low=Decimal(low) if low else value - 1,
        close=value,
        volume=Decimal(10),
        trade_count=4,
        vwap=value,
        is_closed=True,
    )


def minutes(start: datetime, count: int) -> list[Bar]:
    return [told(start + number * MINUTE) for number in range(count)]


def quiet(result: ImportResult, rows: int) -> None:
    """No progress is shown."""


def run(asked: Backfill, historian: Historian) -> ImportResult:
    return backfill(asked, historian, CLOCK, quiet)


def test_windows_are_stored_one_after_the_other(aig: Instrument, archive_feed: Feed) -> None:
    archive = Archive(minutes(utc(2013, 10, 7), 200) + minutes(utc(2013, 10, 14), 3))
    asked = Backfill(aig, archive_feed, "1Min", utc(2013, 10, 7), utc(2013, 10, 15))

    result = run(asked, archive)

    assert archive.asked == [
        (utc(2013, 10, 7), utc(2013, 10, 14)),
        (utc(2013, 10, 14), utc(2013, 10, 15)),
    ]
    assert (result.steps, result.steps_done, result.stored, result.holes) == (2, 2, 203, 1)
    row = BarRow.objects.earliest("start")
    assert (row.open, row.vwap, row.trade_count, row.source) == (
        Decimal("48.12"),
        Decimal("48.12"),
        4,
        "archive",
    )
    job = ImportJob.objects.get()
    assert (job.kind, job.state, job.rows_stored) == ("BACKFILL", "DONE", 203)


def test_backfill_whose_source_went_away_goes_on_at_the_same_window(
    aig: Instrument, archive_feed: Feed
) -> None:
    bars = minutes(utc(2013, 10, 7), 10) + minutes(utc(2013, 10, 14), 10)
    asked = Backfill(aig, archive_feed, "1Min", utc(2013, 10, 7), utc(2013, 10, 20))

    with pytest.raises(FeedAwayError):
        run(asked, Archive(bars, away_at=2))
    job = ImportJob.objects.get()
    assert (job.state, job.steps_done, job.error) == ("FAILED", 1, "the archive is away")
    archive = Archive(bars)
    result = run(asked, archive)

    assert archive.asked == [(utc(2013, 10, 14), utc(2013, 10, 20))]
    assert (result.stored, BarRow.objects.count()) == (10, 20)
    job.refresh_from_db()
    assert (job.state, job.error) == ("DONE", "")


def test_bars_that_are_there_stay(aig: Instrument, archive_feed: Feed) -> None:
    store_bar(aig, "1Min", utc(2013, 10, 7), 90)
    asked = Backfill(aig, archive_feed, "1Min", utc(2013, 10, 7), utc(2013, 10, 8))

    first = run(asked, Archive(minutes(utc(2013, 10, 7), 3)))
    again = run(asked, Archive(minutes(utc(2013, 10, 7), 3)))

    assert (first.stored, again.stored) == (2, 0)
    assert BarRow.objects.get(start=utc(2013, 10, 7)).open == 90


def test_bars_that_cannot_be_are_refused_and_counted(aig: Instrument, archive_feed: Feed) -> None:
    start = utc(2013, 10, 7)
    bars = [
        told(start),
        told(start + MINUTE, low="48.5"),
        told(start + 2 * MINUTE, price="0.000000001", low="0.000000001"),
        told(start + 3 * MINUTE, price="-5"),
        told(start + 3.5 * MINUTE),
    ]

    asked = Backfill(aig, archive_feed, "1Min", start, utc(2013, 10, 8))
    result = run(asked, Archive(bars))

    assert result.stored == 1
    assert {str(reason): count for reason, count in result.tally.refused.items()} == {
        "NOT_ENCLOSED": 1,
        "TOO_FINE": 1,
        "PRICE_NOT_POSITIVE": 1,
        "OFF_GRID": 1,
    }


def test_only_holes_are_asked_for_when_only_they_are_wanted(
    aig: Instrument, archive_feed: Feed
) -> None:
    for minute in (0, 1, 30, 31, 50):
        store_bar(aig, "1Min", utc(2013, 10, 7, 12, minute), 48)
    check_holes(aig, "1Min", NOW)
    archive = Archive(minutes(utc(2013, 10, 7, 12), 60))
    asked = Backfill(
        aig, archive_feed, "1Min", utc(2013, 10, 7), utc(2013, 10, 7, 12, 40), holes_only=True
    )

    result = run(asked, archive)

    assert archive.asked == [
        (utc(2013, 10, 7, 12, 2), utc(2013, 10, 7, 12, 30)),
        (utc(2013, 10, 7, 12, 32), utc(2013, 10, 7, 12, 40)),
    ]
    assert (result.stored, result.holes) == (36, 1)
    open_holes = Hole.objects.filter(filled_at__isnull=True)
    assert [(hole.start, hole.end) for hole in open_holes] == [
        (utc(2013, 10, 7, 12, 40), utc(2013, 10, 7, 12, 50))
    ]


def test_nothing_to_ask_for_is_done_at_once(aig: Instrument, archive_feed: Feed) -> None:
    asked = Backfill(aig, archive_feed, "1Min", utc(2013, 10, 7), utc(2013, 10, 8), holes_only=True)

    result = run(asked, Archive([]))

    assert (result.steps, result.stored) == (0, 0)
    assert ImportJob.objects.get().state == "DONE"
