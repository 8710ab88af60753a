"""Holes: open market without bars. Found, written down once, and marked when they are filled."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from marketdata.domain.holes import Stretch, missing_bars, missing_days, within
from marketdata.models import Hole, Instrument
from marketdata.services.holes import check_holes, check_recent
from marketdata.tasks import look_for_holes
from tests.marketdata.markets import make_instrument, store_bar, utc

NOW = utc(2013, 10, 12)
S = Stretch


@pytest.fixture
def aig(db: None) -> Instrument:
    return make_instrument("AIG")


def fill(instrument: Instrument, day: int, first: tuple[int, int], last: tuple[int, int]) -> None:
    """Minutes of October 2013 from `first` to `last`, both included, in UTC."""
    start, end = first[0] * 60 + first[1], last[0] * 60 + last[1]
    for minute in range(start, end + 1):
        store_bar(instrument, "1Min", utc(2013, 10, day, minute // 60, minute % 60), 48)


def spans(instrument: Instrument, *, filled: bool = False) -> list[str]:
    rows = Hole.objects.filter(instrument=instrument, filled_at__isnull=not filled)
    return [f"{hole.start:%d %H:%M} - {hole.end:%d %H:%M}" for hole in rows.order_by("start")]


def test_hole_is_what_bars_leave_open_of_a_session() -> None:
    session = [S(100, 200)]

    assert missing_bars(session, [], 10, 1) == [S(100, 200)]
    assert missing_bars(session, [*range(100, 200, 10)], 10, 1) == []
    assert missing_bars(session, [110, 120, 160], 10, 1) == [S(100, 110), S(130, 160), S(170, 200)]
    assert missing_bars(session, [110, 120, 160], 10, 3) == [S(130, 160), S(170, 200)]


def test_bar_that_began_before_the_session_covers_its_beginning() -> None:
    assert missing_bars([S(95, 200)], [90, 100, *range(110, 200, 10)], 10, 1) == []


def test_bars_outside_of_sessions_fill_nothing() -> None:
    assert missing_bars([S(100, 120), S(200, 220)], [90, 130, 140, 210], 10, 1) == [
        S(100, 120),
        S(200, 210),
    ]


def test_missing_days_in_a_row_are_one_hole() -> None:
    days = [S(0, 10), S(10, 20), S(20, 30), S(50, 60), S(60, 70)]

    assert missing_days(days, [0, 60]) == [S(10, 60)]
    assert missing_days(days, []) == [S(0, 70)]
    assert within([S(0, 10), S(20, 40)], S(5, 30)) == [S(5, 10), S(20, 30)]


def test_holes_lie_within_sessions_and_between_the_first_and_last_bar(aig: Instrument) -> None:
    fill(aig, 7, (13, 40), (15, 0))
    fill(aig, 7, (15, 10), (19, 59))
    fill(aig, 8, (13, 45), (14, 0))

    check_holes(aig, "1Min", NOW)

    assert spans(aig) == ["07 15:01 - 07 15:10", "08 13:30 - 08 13:45"]
    assert {hole.found_at for hole in Hole.objects.all()} == {NOW}


def test_hole_that_is_filled_is_marked_and_one_that_comes_back_is_open_again(
    aig: Instrument,
) -> None:
    fill(aig, 7, (13, 30), (14, 0))
    fill(aig, 7, (14, 20), (14, 30))
    check_holes(aig, "1Min", NOW)
    fill(aig, 7, (14, 1), (14, 10))
    later = utc(2013, 10, 13)

    check_holes(aig, "1Min", later)

    assert spans(aig) == ["07 14:11 - 07 14:20"]
    assert spans(aig, filled=True) == ["07 14:01 - 07 14:20"]
    assert Hole.objects.get(filled_at=later).found_at == NOW
    check_holes(aig, "1Min", utc(2013, 10, 14))
    assert Hole.objects.count() == 2


def test_few_quiet_minutes_are_no_hole(aig: Instrument) -> None:
    fill(aig, 7, (13, 30), (14, 0))
    fill(aig, 7, (14, 5), (14, 10))

    assert check_holes(aig, "1Min", NOW) == []


def test_missing_trading_day_is_a_hole_and_a_weekend_is_none(aig: Instrument) -> None:
    for day in (3, 4, 7, 9):
        store_bar(aig, "1Day", utc(2013, 10, day, 4), 48)

    check_holes(aig, "1Day", NOW)

    assert spans(aig) == ["08 04:00 - 09 04:00"]


def test_market_that_never_closes_has_holes_at_any_time(db: None) -> None:
    bitcoin = make_instrument("BTC", zone="UTC", calendar="ALWAYS")
    fill(bitcoin, 5, (23, 50), (23, 59))
    fill(bitcoin, 6, (0, 30), (0, 31))

    check_holes(bitcoin, "1Min", NOW)

    assert spans(bitcoin) == ["06 00:00 - 06 00:30"]


def test_nightly_look_finds_what_the_last_week_lacks(aig: Instrument) -> None:
    fill(aig, 7, (13, 30), (14, 0))
    fill(aig, 7, (14, 20), (19, 59))

    assert check_recent(utc(2013, 10, 7, 20)) == 1
    assert spans(aig) == ["07 14:01 - 07 14:20"]

    assert check_recent(utc(2013, 10, 8, 14)) == 2  # the feed has not come back since
    assert spans(aig) == ["07 14:01 - 07 14:20", "08 13:30 - 08 14:00"]
    look_for_holes()  # of today's week there are no bars
    assert Hole.objects.count() == 2


def test_day_that_is_not_over_is_no_hole(aig: Instrument) -> None:
    store_bar(aig, "1Day", utc(2013, 10, 7, 4), 48)

    assert check_recent(utc(2013, 10, 8, 23)) == 0
    assert check_recent(utc(2013, 10, 9, 4, 10)) == 1


def test_command_tells_holes_by_its_exit_code(aig: Instrument) -> None:
    fill(aig, 7, (13, 30), (14, 0))
    out = StringIO()
    call_command("check_holes", "AIG", stdout=out)
    assert out.getvalue() == "AIG 1Min: 0 holes\n"
    fill(aig, 7, (14, 20), (14, 30))
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("check_holes", "--json", stdout=out)

    assert ended.value.code == 1
    assert json.loads(out.getvalue())["holes"] == {
        "AIG": [["2013-10-07T14:01:00+00:00", "2013-10-07T14:20:00+00:00"]]
    }
    with pytest.raises(CommandError, match="no instrument NONE"):
        call_command("check_holes", "NONE")
