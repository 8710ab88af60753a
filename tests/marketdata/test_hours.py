"""`/v2/clock` and `/v2/calendar` of a venue that keeps sessions: what the engine decides by."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.origin import Origin
from marketdata.models import Session, Venue

pytestmark = pytest.mark.django_db
Get = Callable[..., Any]


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def venue() -> Venue:
    return Venue.objects.create(
        code="TST", name="T", kind="SIMULATED", calendar="XTST", time_zone="America/New_York"
    )


def add_session(day: date, opens_at: datetime, closes_at: datetime) -> None:
    Session.objects.create(calendar="XTST", day=day, opens_at=opens_at, closes_at=closes_at)


@pytest.fixture
def get(alice: User, now: datetime) -> Get:
    key, secret = create_api_key(user=alice, scopes=[Scope.READ], origin=Origin(now=now))
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}

    def call(path: str, **query: str) -> Any:
        return Client().get(path, {"calendar": "XTST", **query}, headers=headers)

    return call


def test_clock_of_an_open_market(get: Get, venue: Venue, now: datetime) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    add_session(now.date(), now - hour, now + hour)
    add_session(now.date() + day, now + day, now + day + hour)

    clock = get("/v2/clock").json()

    assert clock["is_open"] is True
    assert datetime.fromisoformat(str(clock["next_close"])) == now + hour
    assert datetime.fromisoformat(str(clock["next_open"])) == now + day


def test_clock_of_a_closed_market(get: Get, venue: Venue, now: datetime) -> None:
    hour = timedelta(hours=1)
    add_session(now.date(), now + hour, now + 2 * hour)

    clock = get("/v2/clock").json()

    assert clock["is_open"] is False
    assert datetime.fromisoformat(str(clock["next_open"])) == now + hour
    assert datetime.fromisoformat(str(clock["next_close"])) == now + 2 * hour


def test_clock_does_not_guess(get: Get, venue: Venue) -> None:
    assert get("/v2/clock").status_code == 400
    assert get("/v2/clock", calendar="XNYS").status_code == 400


def test_calendar_tells_the_hours_of_the_venues_place(get: Get, venue: Venue) -> None:
    for day, offset in ((date(2026, 3, 6), 0), (date(2026, 3, 9), 1)):
        at = datetime(day.year, day.month, day.day, 14 - offset, 30, tzinfo=UTC)
        add_session(day, at, at + timedelta(hours=6, minutes=30))

    days = get("/v2/calendar", start="2026-03-05", end="2026-03-09").json()

    assert days == [
        {"date": "2026-03-06", "open": "09:30", "close": "16:00"},
        {"date": "2026-03-09", "open": "09:30", "close": "16:00"},
    ]
