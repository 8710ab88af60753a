"""Ticks from files: what is stored, refused and counted; again and after a kill nothing doubles."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.domain.clock import to_ns
from marketdata.domain.stored import TradeRow
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.models import Bar, Feed, ImportJob, Instrument, StoredQuote, StoredTrade, TickDay
from marketdata.services import save_trades
from marketdata.services.importing import contents, spans
from marketdata.services.importing.jobs import ImportBusyError, lock_step
from tests.marketdata.lean_files import QUOTES, lean_folder, real_folder, write_zip

pytestmark = pytest.mark.django_db
Run = Callable[..., dict[str, object]]
PATIENCE_SECONDS = 180
"""For a process that loads the site and the libraries of files on a busy machine."""


@pytest.fixture
def run() -> Run:
    """Runs the command for AIG; its JSON result."""

    def call(*arguments: object) -> dict[str, object]:
        out = StringIO()
        call_command(
            "import_ticks", "--instrument", "AIG", "--json", *map(str, arguments), stdout=out
        )
        result: dict[str, object] = json.loads(out.getvalue())
        return result

    return call


def new_york(hour: int, minute: int, second: int = 0, ms: int = 0) -> datetime:
    offset = timedelta(hours=hour + 4, minutes=minute, seconds=second, milliseconds=ms)
    return datetime(2013, 10, 7, tzinfo=UTC) + offset


def test_lean_day_is_stored_with_what_is_refused_counted(run: Run, tmp_path: Path) -> None:
    result = run("--create", "--lean", lean_folder(tmp_path))

    assert result | {"job": ""} == {
        "job": "",
        "steps": 2,
        "steps_done": 2,
        "rows": 11,
        "stored": 8,
        "already_there": 0,
        "refused": {"PRICE_NOT_POSITIVE": 1, "SUSPICIOUS": 2},
        "crossed": 1,
        "holes": 0,
    }
    trades = StoredTrade.objects.order_by("at", "number").values_list(
        "at", "number", "price_e8", "size_e8", "side", "flags", "exchange"
    )
    assert [*trades] == [
        (new_york(9, 30), 0, 48_01000000, 100_00000000, 0, 0, "Q"),
        (new_york(9, 30), 1, 48_02000000, 200_00000000, 0, TradeFlag.NO_PRICE, "N"),
        (new_york(16, 0), 4, 48_05000000, 5000_00000000, 0, TradeFlag.CLOSING, "N"),
        (new_york(19, 26, 40), 5, 47_00000000, 100_00000000, 0, TradeFlag.EXTENDED, "P"),
    ]
    job = ImportJob.objects.get()
    assert (job.state, job.steps, job.steps_done, job.rows_stored, job.rows_refused) == (
        *("DONE", 2, 2, 8, 3),
    )
    assert job.feed == Feed.objects.get(name="import", adapter="import", is_enabled=False)
    assert job.instrument.venue.time_zone == "America/New_York"


def test_side_of_a_quote_that_is_zero_has_not_changed(run: Run, tmp_path: Path) -> None:
    run("--create", "--lean", lean_folder(tmp_path))

    quotes = StoredQuote.objects.order_by("at", "number").values_list(
        "at", "number", "bid_e8", "bid_size_e8", "ask_e8", "ask_size_e8"
    )
    hundred, million = 100_00000000, 1_000_000
    assert [*quotes] == [
        (new_york(9, 30), 0, 0, 0, 4802 * million, 3 * hundred),
        (new_york(9, 30, 0, 1), 1, 4801 * million, 2 * hundred, 4802 * million, 3 * hundred),
        (new_york(9, 30, 0, 2), 2, 4801 * million, 2 * hundred, 4800 * million, 4 * hundred),
        (new_york(20, 0), 4, 4799 * million, hundred, 4800 * million, 4 * hundred),
    ]


def test_same_folder_again_stores_nothing(run: Run, tmp_path: Path) -> None:
    folder = lean_folder(tmp_path)
    first = run("--create", "--lean", folder)

    again = run("--lean", folder)

    assert (again["stored"], again["already_there"], again["job"]) == (0, 8, first["job"])
    assert (StoredTrade.objects.count(), StoredQuote.objects.count()) == (4, 4)


def test_what_was_lost_of_an_imported_day_is_filled_in(run: Run, tmp_path: Path) -> None:
    folder = lean_folder(tmp_path)
    run("--create", "--lean", folder)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM marketdata_trade WHERE number = 1")

    again = run("--lean", folder)

    assert (again["stored"], again["already_there"]) == (1, 7)
    assert StoredTrade.objects.count() == 4


def test_imported_days_are_kept_from_retention(run: Run, tmp_path: Path) -> None:
    run("--create", "--lean", lean_folder(tmp_path))

    days = TickDay.objects.order_by("table", "day").values_list("table", "day", "is_kept")
    assert [(table, day.isoformat(), kept) for table, day, kept in days] == [
        ("marketdata_quote", "2013-10-07", True),
        ("marketdata_quote", "2013-10-08", True),
        ("marketdata_trade", "2013-10-07", True),
    ]


def test_minutes_that_trades_draw_are_stored_by_choice(run: Run, tmp_path: Path) -> None:
    folder = lean_folder(tmp_path)
    run("--create", "--lean", folder)
    assert Bar.objects.count() == 0

    run("--bars", "--lean", folder)

    bars = Bar.objects.order_by("start").values_list("start", "open", "close", "volume")
    assert [*bars] == [
        (new_york(9, 30), Decimal("48.01"), Decimal("48.01"), 300),
        (new_york(15, 59), Decimal("48.05"), Decimal("48.05"), 5000),
        (new_york(19, 26), Decimal(47), Decimal(47), 100),
    ]


def test_file_that_cannot_be_read_fails_its_job_which_then_goes_on(
    run: Run, tmp_path: Path
) -> None:
    folder = lean_folder(tmp_path)
    trades = folder / "tick/aig/20131007_trade.zip"
    whole = trades.read_bytes()
    trades.write_bytes(whole[:50])

    with pytest.raises(CommandError, match="no readable zip"):
        run("--create", "--lean", folder)

    job = ImportJob.objects.get()
    assert (job.state, job.steps_done, job.rows_stored) == ("FAILED", 1, 4)
    assert "no readable zip" in job.error
    trades.write_bytes(whole)
    assert run("--lean", folder)["stored"] == 4
    job.refresh_from_db()
    assert (job.state, job.steps_done, job.rows_stored, job.error) == ("DONE", 2, 8, "")


def test_step_that_another_process_has_done_is_not_done_twice(run: Run, tmp_path: Path) -> None:
    run("--create", "--lean", lean_folder(tmp_path))
    job = ImportJob.objects.get()
    job.steps_done = 1  # as it stood before the other was faster

    with pytest.raises(ImportBusyError, match="another process is importing the same"):
        lock_step(job)


def test_csv_is_read_by_the_mapping_that_is_given(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(
        "ts;px;qty;maker;venue\n"
        "2013-10-07T09:30:00.123456;48.12345678;0.5;sell;XNAS\n"
        "2013-10-07T09:30:01;48.123456789;1;buy;XNAS\n"  # finer than 10^-8
        "2013-10-07T09:30:02;1e2;1;buy;XNAS\n"
        "2013-10-07T09:30:03;99999999999999;1;buy;XNAS\n"
        "2013-11-03T01:30:00;48;1;buy;XNAS\n"  # happens twice: clocks were set back
        "2013-10-07T09:30:04;much;1;buy;XNAS\n"
        "2013-10-07T09:30:05;48;-1;buy;XNAS\n"
        "2013-10-07T09:30:06;48;1\n"
    )

    result = run(
        *("--create", "--kind", "trade", "--delimiter", ";", "--zone", "America/New_York"),
        *("--columns", "time=ts,price=px,size=qty,side=maker,exchange=venue", path),
    )

    assert result["rows"] == 8
    assert result["refused"] == {
        "MALFORMED": 2,
        "SIZE_NEGATIVE": 1,
        "TIME_UNREADABLE": 1,
        "TOO_FINE": 1,
        "TOO_LARGE": 1,
    }
    rows = StoredTrade.objects.order_by("at").values_list(
        "at", "number", "price_e8", "size_e8", "side", "exchange"
    )
    assert [*rows] == [
        (datetime(2013, 10, 7, 13, 30, 0, 123456, UTC), 0, 48_12345678, 50000000, -1, "XNAS"),
        (datetime(2013, 10, 7, 13, 30, 2, 0, UTC), 2, 100_00000000, 100000000, 1, "XNAS"),
    ]


@pytest.mark.parametrize(
    ("how", "moment"),
    [
        (("--time-format", "ns"), "1381152600123456789"),
        (("--time-format", "us"), "1381152600123456"),
        (("--time-format", "ms"), "1381152600123"),
        (("--time-format", "s"), "1381152600"),
        (("--time-format", "%d.%m.%Y %H:%M:%S.%f"), "07.10.2013 13:30:00.123456"),
        (("--time-format", "ms-of-day", "--day", "2013-10-07"), "48600123"),
        ((), "2013-10-07T15:30:00.123456+02:00"),
    ],
)
def test_time_is_read_in_the_stated_format(
    run: Run, tmp_path: Path, how: tuple[str, ...], moment: str
) -> None:
    path = tmp_path / "quotes.csv"
    path.write_text(f"{moment},48,1,49,2\n")

    run(
        *("--create", "--kind", "quote", "--no-header", *how),
        *("--columns", "time=0,bid=1,bid_size=2,ask=3,ask_size=4", path),
    )

    at = StoredQuote.objects.get().at
    assert at.replace(microsecond=0) == datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
    assert at.microsecond in {0, 123000, 123456}


@pytest.mark.parametrize(
    ("option", "text", "complaint"),
    [
        ("--day", "2013-10-8x", "'2013-10-8x' is no day: write it as 2013-10-07"),
        ("--price-shift", "9", "'9' is no shift: a whole number from 0 to 8"),
        ("--tick-size", "none", "'none' is no step: a number above zero, such as 0.01"),
        ("--lot-size", "-1", "'-1' is no step: a number above zero, such as 0.01"),
    ],
)
def test_an_option_that_cannot_be_says_what_it_takes(
    run: Run, tmp_path: Path, option: str, text: str, complaint: str
) -> None:
    with pytest.raises(CommandError, match=re.escape(complaint)):
        run("--kind", "trade", f"{option}={text}", tmp_path / "none.csv")

    assert not StoredTrade.objects.exists()


def test_a_file_that_is_not_there_is_named_and_makes_nothing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"there is no file .*none\.csv"):
        run("--create", "--kind", "trade", tmp_path / "none.csv")

    assert not StoredTrade.objects.exists()


def test_parquet_is_read_by_its_types(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trades.parquet"
    moments = np.array(["2013-10-07T13:30:00.000001", "2013-10-07T13:30:00.000002"])
    pyarrow.parquet.write_table(
        pa.table(
            {
                "time": pa.array(moments.astype("datetime64[us]")),
                "price": pa.array([48.12, 0.0]),
                "size": pa.array([3, 4]),
            }
        ),
        path,
    )

    result = run("--create", "--kind", "trade", path)

    assert result["refused"] == {"PRICE_NOT_POSITIVE": 1}
    row = StoredTrade.objects.get()
    assert (row.at.microsecond, row.price_e8, row.size_e8) == (1, 48_12000000, 3_00000000)


def test_refusals_of_the_command_say_what_to_do(run: Run, tmp_path: Path) -> None:
    folder = lean_folder(tmp_path)

    with pytest.raises(CommandError, match="no instrument AIG; name another or add --create"):
        run("--lean", folder)
    with pytest.raises(CommandError, match="name the folder that holds the folder tick"):
        run("--create", "--lean", folder / "tick")
    with pytest.raises(CommandError, match="name --lean FOLDER, or --kind"):
        run("--create")
    path = write_zip(tmp_path / "quotes.zip", QUOTES)
    with pytest.raises(CommandError, match="the file has no column ask, ask_size, bid"):
        run("--create", "--kind", "quote", path)
    assert StoredTrade.objects.count() == 0


def trades_zip(path: Path, *lines: str) -> Path:
    return write_zip(path, ["time,price,size", *lines])


def stored_prices() -> list[tuple[int, int]]:
    rows = StoredTrade.objects.order_by("at", "number").values_list("number", "price_e8")
    return [*rows]


def test_time_that_another_feed_has_filled_is_refused_unless_it_is_replaced(
    run: Run, tmp_path: Path
) -> None:
    path = trades_zip(tmp_path / "t.zip", "2013-10-07T13:30:01,48,1", "2013-10-07T13:30:05,49,1")
    quotes = tmp_path / "quotes.csv"
    quotes.write_text("time,bid,bid_size,ask,ask_size\n2013-10-07T13:30:02,48,1,49,2\n")
    run("--create", "--kind", "quote", quotes)
    aig, live = Instrument.objects.get(), Feed.objects.create(name="live", adapter="alpaca")

    def recorded(second: int, number: int) -> TradeRow:
        at_ns = to_ns(datetime(2013, 10, 7, 13, 30, second, tzinfo=UTC))
        return TradeRow(aig.pk, at_ns, number, 50_00000000, 1, 0, live.pk)

    save_trades([recorded(0, 901), recorded(3, 902), recorded(6, 903)])

    with pytest.raises(CommandError, match="live has stored a trade of this instrument at 2013-"):
        run("--kind", "trade", path)

    failed = ImportJob.objects.get(state="FAILED")
    assert (failed.steps_done, "--replace removes what is there" in failed.error) == (0, True)
    outside = [(901, 50_00000000), (903, 50_00000000)]
    assert stored_prices() == [outside[0], (902, 50_00000000), outside[1]]
    assert run("--kind", "trade", "--replace", path)["stored"] == 2
    assert stored_prices() == [outside[0], (0, 48_00000000), (1, 49_00000000), outside[1]]
    assert run("--kind", "trade", path)["already_there"] == 2
    assert StoredQuote.objects.count() == 1
    with pytest.raises(CommandError, match="live has stored a trade"):
        trades_zip(tmp_path / "one.zip", "2013-10-07T13:30:06,48,1")
        run("--feed", "live", "--kind", "trade", tmp_path / "one.zip")  # it numbers otherwise


def test_partitions_are_made_before_the_files_transaction(run: Run, tmp_path: Path) -> None:
    path = trades_zip(tmp_path / "t.zip", "2013-10-07T23:59:59,48,1", "2013-10-09T00:00:00,49,1")
    with CaptureQueriesContext(connection) as queries:
        run("--create", "--kind", "trade", path)

    said = [query["sql"] for query in queries.captured_queries]
    holds_job = next(
        place
        for place, sql in enumerate(said)
        if "steps_done" in sql
        and "FOR UPDATE" in sql
        and place > next(n for n, one in enumerate(said) if "advisory" in one)
    )
    assert not any("advisory" in sql or "CREATE TABLE" in sql for sql in said[holds_job:])
    days = TickDay.objects.order_by("day").values_list("day", "is_kept")
    assert [(day.day, is_kept) for day, is_kept in days] == [(7, True), (9, True)]


def test_times_in_a_wrong_unit_make_no_partitions(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "MAX_DAYS", 2)
    path = tmp_path / "t.csv"
    path.write_text("time,price,size\n" + "".join(f"{n * 90_000},1,1\n" for n in range(1, 4)))

    with pytest.raises(CommandError, match="more than 2 days; state the format of its times"):
        run("--create", "--kind", "trade", "--time-format", "s", path)

    assert TickDay.objects.count() == 0


def broken_zip(path: Path, how: str) -> Path:
    trades_zip(path, "2013-10-07T13:30:01,48,1")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "time,price,size\n" + "2013-10-07T13:30:01,48,1\n" * 5_000)
    content = bytearray(path.read_bytes())
    if how == "encrypted":  # the flag in both headers
        content[6] |= 1
        content[content.index(b"PK\x01\x02") + 8] |= 1
    elif how == "method":
        content[8] = content[content.index(b"PK\x01\x02") + 10] = 77
    elif how == "damaged":
        content[60:90] = b"\xff" * 30
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("how", ["encrypted", "method", "damaged"])
def test_zip_that_cannot_be_unpacked_fails_its_job(run: Run, tmp_path: Path, how: str) -> None:
    path = broken_zip(tmp_path / "t.zip", how)

    with pytest.raises(CommandError, match=r"t\.zip (cannot be unpacked|is no readable zip): "):
        run("--create", "--kind", "trade", path)

    job = ImportJob.objects.get()
    assert (job.state, job.error.startswith("t.zip "), StoredTrade.objects.count()) == (
        *("FAILED", True, 0),
    )


def test_zip_that_unpacks_to_too_much_is_not_unpacked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken_zip(tmp_path / "t.zip", "not at all")
    monkeypatch.setattr(contents, "RATIO_FROM_BYTES", 1_000)
    monkeypatch.setattr(contents, "MAX_RATIO", 20)
    with pytest.raises(CommandError, match="unpacks to more than 20 times its size"):
        run("--create", "--kind", "trade", path)
    monkeypatch.setattr(contents, "MAX_TEXT_BYTES", 1_000)
    with pytest.raises(CommandError, match="more than 1,000; split it"):
        run("--create", "--kind", "trade", path)

    assert {job.state for job in ImportJob.objects.all()} == {"FAILED"}


@pytest.mark.parametrize(
    ("content", "how"),
    [
        (b"time,price,size\n2013-10-07T13:30:01,\xff\xfe,1\n", ()),
        (b"time,price,size\n07.10.2013,48,1\n", ("--time-format", "%Q")),
        (b"time,price,size\n34200000,48,1\n", ("--time-format", "ms-of-day")),
        (b"time,price,size\n2013-10-07T13:30:01,48,1\n", ("--zone", "Nowhere/Land")),
    ],
)
def test_text_that_cannot_be_read_as_stated_fails_its_job(
    run: Run, tmp_path: Path, content: bytes, how: tuple[str, ...]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=r"t\.csv cannot be read: "):
        run("--create", "--kind", "trade", *how, path)

    assert [job.state for job in ImportJob.objects.all()] == ["FAILED"]


def test_parquet_of_other_types_fails_its_job(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trades.parquet"
    table = {"time": pa.array([1]), "price": pa.array([{"a": 1}]), "size": pa.array([4])}
    pyarrow.parquet.write_table(pa.table(table), path)

    with pytest.raises(CommandError, match=r"trades\.parquet cannot be read: "):
        run("--create", "--kind", "trade", "--time-format", "s", path)

    assert ImportJob.objects.get().state == "FAILED"


@pytest.mark.django_db(transaction=True)
def test_import_that_is_killed_goes_on_and_doubles_nothing(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "equity" / "usa"
    for day in range(1, 9):
        lines = [f"{34200000 + number},480100,100,Q,1,0" for number in range(40_000)]
        write_zip(folder / f"tick/aig/201310{day:02d}_trade.zip", lines)
    command = [sys.executable, "manage.py", "import_ticks", "--instrument", "AIG", "--create"]
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}"
        f":{database['PORT']}/{database['NAME']}"
    )
    child = subprocess.Popen(
        [*command, "--lean", str(folder)],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tradeportal.settings.base",
            "PORTAL_SECRET_KEY": settings.SECRET_KEY,
        },
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ImportJob.objects.filter(steps_done__gte=2).exists():
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    while (
        connection.cursor()
        .execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'portal-manage'")
        .fetchone()
    ):
        time.sleep(0.01)
    done = ImportJob.objects.get()
    assert 2 <= done.steps_done < 8
    assert StoredTrade.objects.count() == 40_000 * done.steps_done

    result = run("--lean", folder)

    assert (result["stored"], result["already_there"]) == (40_000 * (8 - done.steps_done), 0)
    done.refresh_from_db()
    assert (done.state, done.steps_done, done.rows_stored) == ("DONE", 8, 320_000)
    assert StoredTrade.objects.count() == 320_000
    assert Instrument.objects.count() == 1


def test_real_day_is_stored_whole(run: Run) -> None:
    result = run("--create", "--lean", real_folder())

    assert (result["rows"], result["stored"], result["refused"]) == (1_105_286, 1_105_286, {})
    assert result["crossed"] == 199
