"""The market calendar: open, short, closed and unknown days, and the page that shows them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.models import User
from core.domain.clock import SystemClock
from marketdata.domain.month import DayKind, Hours, Sessions, month_after, month_grid
from marketdata.models import Session, Venue

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
THANKSGIVING = date(2026, 11, 26)


def hours(day: date, opens: str = "09:30", closes: str = "16:00") -> Hours:
    def at(text: str) -> datetime:
        return datetime.combine(day, time.fromisoformat(text), NEW_YORK).astimezone(UTC)

    return Hours(day, at(opens), at(closes))


def autumn() -> list[Hours]:
    """From Monday, 5 October to Thursday, 31 December 2026 without Thanksgiving and Christmas,
    short on the day after and on Christmas Eve. Summer time ends on 1 November.
    """
    closed = {THANKSGIVING, date(2026, 12, 25)}
    short = {date(2026, 11, 27), date(2026, 12, 24)}
    days = [date(2026, 10, 5) + number * DAY for number in range(88)]
    return [
        hours(day, closes="13:00" if day in short else "16:00")
        for day in days
        if day.weekday() < 5 and day not in closed
    ]


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(autumn(), NEW_YORK)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 4), DayKind.UNKNOWN),
        (date(2026, 10, 5), DayKind.OPEN),
        (date(2026, 10, 30), DayKind.OPEN),
        (date(2026, 11, 1), DayKind.CLOSED),
        (date(2026, 11, 2), DayKind.OPEN),
        (THANKSGIVING, DayKind.HOLIDAY),
        (date(2026, 11, 27), DayKind.EARLY),
        (date(2026, 12, 24), DayKind.EARLY),
        (date(2026, 12, 25), DayKind.HOLIDAY),
        (date(2027, 1, 1), DayKind.UNKNOWN),
    ],
)
def test_a_day_is_what_its_session_and_its_weekday_say(
    sessions: Sessions, day: date, kind: DayKind
) -> None:
    assert sessions.kind_of(day) is kind


def test_usual_hours_are_the_venues_own_across_summer_time(sessions: Sessions) -> None:
    assert (sessions.usual_open, sessions.usual_close) == (time(9, 30), time(16, 0))


def test_a_late_opening_is_told_and_sunday_is_a_day_like_others_where_it_trades() -> None:
    week = [date(2026, 3, 1) + number * DAY for number in range(28)]
    open_days = [day for day in week if day.weekday() not in {4, 5} and day != date(2026, 3, 8)]
    sessions = Sessions(
        [hours(day, opens="11:00" if day.day == 10 else "09:30") for day in open_days], NEW_YORK
    )

    assert sessions.kind_of(date(2026, 3, 10)) is DayKind.LATE
    assert sessions.kind_of(date(2026, 3, 8)) is DayKind.HOLIDAY
    assert sessions.kind_of(date(2026, 3, 13)) is DayKind.CLOSED


def test_what_is_ahead_is_listed_from_today_on(sessions: Sessions) -> None:
    assert sessions.holidays(THANKSGIVING, 5) == [THANKSGIVING, date(2026, 12, 25)]
    assert sessions.holidays(THANKSGIVING + DAY, 1) == [date(2026, 12, 25)]
    assert sessions.short_days(date(2026, 1, 1), 9) == [date(2026, 11, 27), date(2026, 12, 24)]
    assert Sessions([], NEW_YORK).holidays(THANKSGIVING, 5) == []


def test_a_month_begins_on_monday_and_ends_with_a_whole_week(sessions: Sessions) -> None:
    weeks = month_grid(date(2026, 11, 1), sessions, THANKSGIVING)

    assert (weeks[0][0].day, weeks[-1][-1].day) == (date(2026, 10, 26), date(2026, 12, 6))
    assert {len(week) for week in weeks} == {7}
    assert [day.day for week in weeks for day in week if day.is_today] == [THANKSGIVING]
    assert sum(day.is_in_month for week in weeks for day in week) == 30


def test_months_are_counted_across_years() -> None:
    assert month_after(date(2026, 12, 1), 1) == date(2027, 1, 1)
    assert month_after(date(2026, 1, 1), -1) == date(2025, 12, 1)


# --- The page


@pytest.fixture
def signed_in(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def new_york(db: None) -> Venue:
    Session.objects.bulk_create(
        Session(calendar="XNYS", day=row.day, opens_at=row.opens_at, closes_at=row.closes_at)
        for row in autumn()
    )
    return Venue.objects.create(
        code="NYSE", name="New York", kind=Venue.Kind.SIMULATED, calendar="XNYS",
        time_zone="America/New_York",
    )  # fmt: skip


def cell(shown: str, day: str) -> str:
    """The text of one day's cell."""
    return shown.partition(f'<time datetime="{day}" data-weekday')[2].partition("</td>")[0]


def test_the_month_shows_hours_of_the_venue_and_what_is_special(
    signed_in: Client, new_york: Venue
) -> None:
    shown = signed_in.get("/calendar", {"month": "2026-11"}).content.decode()

    assert "09:30–16:00" in cell(shown, "2026-10-30")
    assert "09:30–16:00" in cell(shown, "2026-11-02")
    assert "Holiday" in cell(shown, "2026-11-26")
    assert "09:30–13:00" in cell(shown, "2026-11-27")
    assert "Early close" in cell(shown, "2026-11-27")
    assert "Closed" in cell(shown, "2026-11-28")
    assert "Sessions are known from 5 Oct 2026 to 31 Dec 2026." in shown
    assert "month=2026-10" in shown
    assert "month=2026-12" in shown


def test_a_month_that_nobody_knows_says_so(signed_in: Client, new_york: Venue) -> None:
    shown = signed_in.get("/calendar", {"month": "2031-02"}).content.decode()

    assert "Not known" in cell(shown, "2031-02-03")
    assert "Holiday" not in cell(shown, "2031-02-03")


def test_today_is_marked_in_the_venues_own_place(signed_in: Client, new_york: Venue) -> None:
    today = SystemClock().now().astimezone(NEW_YORK).date()

    shown = signed_in.get("/calendar").content.decode()

    assert shown.count('aria-current="date"') == 1
    assert "today" in cell(shown, today.isoformat())


def test_a_venue_that_never_closes_says_so(signed_in: Client, db: None) -> None:
    Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)

    shown = signed_in.get("/calendar").content.decode()

    assert "Never closed" in shown
    assert "SIM" in shown
    assert "<table" not in shown


@pytest.mark.parametrize("month", ["2026-13", "nonsense", "2026-11-01", "0001-01", "9999-12", "\0"])
def test_a_month_that_there_is_not_is_this_month(
    signed_in: Client, new_york: Venue, month: str
) -> None:
    answer = signed_in.get("/calendar", {"month": month, "calendar": "NOPE"})

    assert answer.status_code == 200
    assert 'aria-current="date"' in answer.content.decode()


def test_a_stranger_signs_in_first(client: Client, db: None) -> None:
    assert client.get("/calendar")["Location"].startswith("/accounts/sign-in")
