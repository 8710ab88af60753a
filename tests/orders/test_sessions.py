"""Real exchanges' days on their way into the engine's tables: filled ahead, told once, kept."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from core.models import AuditEntry
from marketdata.models import Instrument, Session, Venue
from marketdata.services.exchange_hours import UnknownCalendarError, exchange_sessions
from orders.services.sessions import fill_sessions
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, stored_state

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def new_york(instruments: dict[str, Instrument]) -> None:
    Venue.objects.update(calendar="XNYS")


def hours_of(day: date) -> str:
    session = Session.objects.get(calendar="XNYS", day=day)
    return f"{session.opens_at:%H:%M} {session.closes_at:%H:%M}"


def test_days_are_filled_more_than_a_year_ahead_once(desk: Desk, new_york: None) -> None:
    assert fill_sessions(now=NOW, request_id="fill") > 290

    last = Session.objects.latest("day").day
    assert last - NOW.date() >= timedelta(days=400)
    assert fill_sessions(now=NOW, request_id="fill") == 0
    assert_clean()


def test_hours_follow_daylight_saving_half_days_and_holidays(desk: Desk, new_york: None) -> None:
    fill_sessions(now=NOW, request_id="fill")

    assert hours_of(date(2026, 11, 25)) == "14:30 21:00"
    assert hours_of(date(2026, 11, 27)) == "14:30 18:00"  # the day after Thanksgiving
    assert hours_of(date(2027, 3, 12)) == "14:30 21:00"
    assert hours_of(date(2027, 3, 15)) == "13:30 20:00"  # summer time since Sunday
    for closed in (date(2026, 11, 26), date(2026, 12, 25), date(2026, 11, 28)):
        assert not Session.objects.filter(day=closed).exists()


def test_day_that_became_a_holiday_is_taken_away(desk: Desk, new_york: None) -> None:
    fill_sessions(now=NOW, request_id="fill")
    holiday = date(2026, 11, 26)
    at = datetime(2026, 11, 26, 14, 30, tzinfo=UTC)
    Session.objects.create(
        calendar="XNYS", day=holiday, opens_at=at, closes_at=at + timedelta(hours=1)
    )
    Session.objects.filter(day=date(2026, 11, 27)).update(closes_at=at + timedelta(days=9))

    assert fill_sessions(now=NOW, request_id="fill") == 2

    assert not Session.objects.filter(day=holiday).exists()
    assert hours_of(date(2026, 11, 27)) == "14:30 18:00"


def test_recovered_engine_knows_the_sessions(desk: Desk, new_york: None) -> None:
    fill_sessions(now=NOW, request_id="fill")

    state = stored_state()

    assert len(state["calendars"]["XNYS"]) == Session.objects.count()
    assert {item["calendar"] for item in state["instruments"].values()} == {"XNYS"}


def test_running_engine_takes_days_in_at_once(
    desk: Desk, new_york: None, start_engine: Callable[[], EngineProcess]
) -> None:
    engine = start_engine()
    assert desk.place(engine, "alice", "BUY 1 @ 90") == "CALENDAR_UNKNOWN"

    fill_sessions(now=datetime.now(UTC), request_id="fill")

    assert desk.place(engine, "alice", "BUY 1 @ 90") in {"ACCEPTED 0/1", "QUEUED 0/1"}


def test_calendar_that_there_is_not_is_told() -> None:
    with pytest.raises(UnknownCalendarError, match="XXXX"):
        exchange_sessions("XXXX", NOW.date(), NOW.date())


def test_venue_is_given_a_calendar_with_its_hours_and_place(desk: Desk) -> None:
    venue = Venue.objects.get()

    call_command("set_venue_calendar", venue.code, "XLON")

    venue.refresh_from_db()
    assert (venue.calendar, venue.time_zone) == ("XLON", "Europe/London")
    assert Session.objects.filter(calendar="XLON").count() > 290
    entry = AuditEntry.objects.get(action="VenueCalendarSet")
    assert (entry.target, entry.facts) == (
        f"venue:{venue.code}",
        {"calendar_before": "ALWAYS", "calendar": "XLON", "time_zone": "Europe/London"},
    )
    with pytest.raises(CommandError):
        call_command("set_venue_calendar", venue.code, "XXXX")
    with pytest.raises(CommandError):
        call_command("set_venue_calendar", "NOWHERE", "ALWAYS")
