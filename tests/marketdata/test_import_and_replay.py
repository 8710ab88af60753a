"""`import_ticks --bars` and the replay of the same file draw the same minutes: two programs, one
rule (docs/bars.md).
"""

from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command

from core.domain.clock import to_ns
from marketdata.models import Bar
from tests.marketdata.lean_files import real_folder, write_zip
from tests.marketdata.test_replay_day import Drawn

pytestmark = pytest.mark.django_db
NEW_YORK = ZoneInfo("America/New_York")
DAY = date(2013, 10, 7)
TRADES = (
    "28800000,479000,10,P,2000,0",  # before the open
    "34200000,480000,700,Q,4000000,0",  # the official open: neither draws nor counts
    "34200000,480000,900,Q,40,0",  # so does an opening print
    "34200010,480100,100,Q,1,0",
    "34200020,480200,200,N,20,0",  # a sweep counts and draws not
    "34200500,480300,300,D,1,1",  # suspicious
    "34259999,480050,3,D,1,0",
    "34260000,480250,50,D,200,0",  # a minute in which nothing draws
    "57599000,480400,100,Q,1,0",
    "57600000,480600,20,D,1,0",  # after the close, in a minute of its own
    "57608000,480500,5000,N,80,0",  # the closing print, 8 s late
    "58800000,480700,4000,P,80,0",  # another exchange's, 20 minutes late
    "59400001,480900,7,P,80,0",  # half an hour and a millisecond late: of its own minute
    "60000000,470000,100,P,20002020,0",  # extended hours
)  # fmt: skip
ROW = ("start", "open", "high", "low", "close", "volume", "trade_count", "vwap")


def imported(folder: Path) -> dict[int, tuple[object, ...]]:
    call_command(
        "import_ticks", "--instrument", "AIG", "--create", "--bars", "--lean",
        folder / "equity" / "usa", stdout=StringIO(),
    )  # fmt: skip
    rows = Bar.objects.filter(timeframe="1Min").order_by("start").values_list(*ROW)
    return {to_ns(start): tuple(values) for start, *values in rows}


def replayed(folder: Path) -> dict[int, tuple[object, ...]]:
    return {
        start_ns: (
            bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trade_count, bar.vwap,
        )
        for start_ns, bar in Drawn(folder, "AIG", DAY).bars("1Min").items()
    }  # fmt: skip


def test_import_draws_the_minutes_that_the_replay_draws(tmp_path: Path) -> None:
    write_zip(tmp_path / "equity/usa/tick/aig/20131007_trade.zip", TRADES)

    there, here = imported(tmp_path), replayed(tmp_path)

    assert there == here
    rows = Bar.objects.order_by("start").values_list("start", "close", "volume")
    drawn = {
        start.astimezone(NEW_YORK).strftime("%H:%M"): (close, volume)
        for start, close, volume in rows
    }
    assert drawn == {
        "08:00": (Decimal("47.9"), 10),
        "09:30": (Decimal("48.005"), 303),
        "15:59": (Decimal("48.07"), 9100),
        "16:00": (Decimal("48.06"), 20),
        "16:30": (Decimal("48.09"), 7),
        "16:40": (Decimal("47"), 100),
    }


def test_import_draws_the_minutes_of_a_real_day_as_the_replay_does() -> None:
    folder = real_folder().parent.parent

    there, here = imported(folder), replayed(folder)

    assert len(there) > 400
    differing = {start for start in there | here if there.get(start) != here.get(start)}
    assert differing == set()
