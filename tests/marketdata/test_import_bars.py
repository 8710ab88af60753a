"""Bars from files: where they begin, what is refused, and how adjustment is chosen."""

import json
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from marketdata.domain.factors import Adjustment
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.models import AdjustmentFactor, Bar, ImportJob
from marketdata.selectors import BarWindow, bars_in, corporate_actions
from tests.marketdata.lean_files import real_folder, write_zip
from tests.marketdata.markets import make_instrument, utc

pytestmark = pytest.mark.django_db
Run = Callable[..., dict[str, object]]
D = Decimal

DAYS = (
    "20140605 00:00,6460000,6500000,6450000,6475000,1000",
    "20140606 00:00,6500000,6510000,6440000,6456000,1100",
    "20140609 00:00,927000,939000,918000,937000,8000",
)
FACTORS = "20140102,1,0.1428571429,1\n20140606,1,0.1428571429,645.6\n20501231,1,1,0\n"


@pytest.fixture
def run() -> Run:
    """Runs the command for AAPL; its JSON result."""

    def call(timeframe: str, *arguments: object) -> dict[str, object]:
        out = StringIO()
        call_command(
            *("import_bars", "--instrument", "AAPL", "--timeframe", timeframe, "--json"),
            *map(str, arguments),
            stdout=out,
        )
        result: dict[str, object] = json.loads(out.getvalue())
        return result

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "equity" / "usa"
    write_zip(root / "daily/aapl.zip", DAYS)
    write_zip(root / "hour/aapl.zip", ["20140605 09:00,6460000,6470000,6450000,6465000,500"])
    write_zip(
        root / "minute/aapl/20140605_trade.zip",
        ["34200000,6460000,6470000,6450000,6465000,500", "34200001,1,1,1,1,1"],
    )
    write_zip(root / "minute/aapl/20140605_quote.zip", ["34200000,1,1,1,1,1,1,1,1,1,1"])
    (root / "factor_files").mkdir()
    (root / "factor_files" / "aapl.csv").write_text(FACTORS)
    return root


def stored(timeframe: str) -> list[tuple[object, ...]]:
    rows = Bar.objects.filter(timeframe=timeframe).order_by("start")
    return [*rows.values_list("start", "open", "close", "volume")]


def test_day_begins_at_the_venues_midnight(run: Run, folder: Path) -> None:
    result = run("1Day", "--create", "--lean", folder)

    assert (result["stored"], result["refused"], result["holes"]) == (3, {}, 0)
    assert stored("1Day") == [
        (utc(2014, 6, 5, 4), D("646"), D("647.5"), D(1000)),
        (utc(2014, 6, 6, 4), D("650"), D("645.6"), D(1100)),
        (utc(2014, 6, 9, 4), D("92.7"), D("93.7"), D(8000)),
    ]
    bar = Bar.objects.earliest("start")
    assert (bar.source, bar.trade_count, bar.vwap) == ("import", 0, None)
    assert ImportJob.objects.get().timeframe == "1Day"


def test_day_of_a_market_in_utc_begins_at_midnight_utc(run: Run, folder: Path) -> None:
    make_instrument("AAPL", zone="UTC", calendar="ALWAYS")

    run("1Day", "--lean", folder)

    assert [row[0] for row in stored("1Day")] == [
        utc(2014, 6, 5),
        utc(2014, 6, 6),
        utc(2014, 6, 9),
    ]


def test_minutes_and_hours_begin_in_new_york_time(run: Run, folder: Path) -> None:
    minutes = run("1Min", "--create", "--lean", folder)
    hours = run("1Hour", "--lean", folder)

    assert (minutes["rows"], minutes["refused"]) == (2, {"OFF_GRID": 1})
    assert hours["stored"] == 1
    assert stored("1Min") == [(utc(2014, 6, 5, 13, 30), D("646"), D("646.5"), D(500))]
    assert stored("1Hour") == [(utc(2014, 6, 5, 13), D("646"), D("646.5"), D(500))]


def test_bars_that_are_there_stay_unless_they_are_to_be_replaced(run: Run, folder: Path) -> None:
    run("1Day", "--create", "--lean", folder)
    Bar.objects.filter(start=utc(2014, 6, 6, 4)).update(volume=1)

    again = run("1Day", "--lean", folder)
    assert (again["stored"], again["already_there"]) == (0, 3)
    assert Bar.objects.get(start=utc(2014, 6, 6, 4)).volume == 1

    replaced = run("1Day", "--lean", folder, "--replace")
    assert (replaced["stored"], replaced["already_there"]) == (1, 2)
    assert Bar.objects.get(start=utc(2014, 6, 6, 4)).volume == 1100


def test_bar_that_cannot_be_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "time,o,h,l,c,v\n"
        "2014-06-05T13:30:00Z,10,12,9,11,5\n"
        "2014-06-05T13:31:00Z,10,10.5,9,11,5\n"
        "2014-06-05T13:32:00Z,10,12,0,11,5\n"
        "2014-06-05T13:33:00Z,10,12,9,11,-5\n"
        "2014-06-05T13:30:00Z,10,12,9,11.5,6\n"  # told twice: the last is meant
    )

    result = run("1Min", "--create", "--columns", "open=o,high=h,low=l,close=c,volume=v", path)

    assert result["refused"] == {"NOT_ENCLOSED": 1, "PRICE_NOT_POSITIVE": 1, "SIZE_NEGATIVE": 1}
    assert stored("1Min") == [(utc(2014, 6, 5, 13, 30), D(10), D("11.5"), D(6))]


def test_factors_come_with_raw_bars_and_are_applied_when_they_are_read(
    run: Run, folder: Path
) -> None:
    run("1Day", "--create", "--lean", folder)

    assert AdjustmentFactor.objects.count() == 3
    instrument = ImportJob.objects.get().instrument
    assert [(action.kind, action.value) for action in corporate_actions(instrument.pk)] == [
        ("SPLIT", D(7))
    ]
    window = BarWindow(Timeframe(1, Unit.DAY), utc(2014, 6, 1), utc(2014, 6, 30), 10)
    raw = bars_in(instrument.pk, window)
    assert [bar.close for bar in raw] == [D("647.5"), D("645.6"), D("93.7")]
    split = BarWindow(window.timeframe, window.start, window.end, 10, adjustment=Adjustment.SPLIT)
    adjusted = bars_in(instrument.pk, split)
    assert [bar.close for bar in adjusted] == [D("92.50000003"), D("92.22857146"), D("93.7")]
    assert [round(bar.volume) for bar in adjusted] == [7000, 7700, 8000]


def test_adjusted_prices_are_stored_only_without_factors(run: Run, folder: Path) -> None:
    factors = folder / "factor_files" / "aapl.csv"

    run("1Day", "--create", "--adjust", "splits", "--factors", factors, "--lean", folder)

    assert [row[2] for row in stored("1Day")] == [D("92.50000003"), D("92.22857146"), D("93.7")]
    assert AdjustmentFactor.objects.count() == 0
    run("1Day", "--lean", folder)
    with pytest.raises(CommandError, match="has stored factors"):
        run("1Day", "--adjust", "all", "--factors", factors, "--lean", folder)
    with pytest.raises(CommandError, match="no factors to adjust with"):
        (folder / "daily" / "bars.csv").write_text("time,open,high,low,close,volume\n")
        run("1Day", "--adjust", "all", folder / "daily" / "bars.csv")


def test_command_says_what_it_misses(run: Run, folder: Path) -> None:
    with pytest.raises(CommandError, match="has no 1Min bars of AAPL"):
        run("1Min", "--create", "--lean", folder / "daily")
    with pytest.raises(CommandError, match="name --lean FOLDER or the files"):
        run("1Min", "--create")
    with pytest.raises(CommandError, match="neither below a folder named equity"):
        write_zip(folder.parent.parent / "daily/aapl.zip", DAYS)
        run("1Day", "--create", "--lean", folder.parent.parent)


def test_real_history_is_stored_whole(run: Run) -> None:
    result = run("1Day", "--create", "--lean", real_folder())

    assert (result["rows"], result["stored"], result["refused"]) == (5_849, 5_849, {})
    instrument = ImportJob.objects.get().instrument
    assert sum(action.kind == "SPLIT" for action in corporate_actions(instrument.pk)) == 4
