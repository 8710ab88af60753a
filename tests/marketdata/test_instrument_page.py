"""One instrument: its terms, hours, feeds, stored bars, and what is missing, by page and by API."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from accounts.domain.api_keys import Scope
from accounts.models import User
from core.domain.clock import SystemClock, to_ns, wire_time
from marketdata.domain.mini_chart import HEIGHT, MARGIN, WIDTH, mini_chart
from marketdata.models import (
    AdjustmentFactor,
    Bar,
    Feed,
    FeedRoute,
    Hole,
    Instrument,
    Session,
)
from marketdata.selectors.instrument_facts import instrument_facts, recent_days
from tests.marketdata.test_watchlists import keys

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture
def apple(instruments: dict[str, Instrument]) -> Instrument:
    return instruments["AAPL"]


@pytest.fixture
def listed(apple: Instrument) -> Instrument:
    """On a venue with hours in New York."""
    venue = apple.venue
    venue.calendar, venue.time_zone = "XNYS", "America/New_York"
    venue.save()
    return apple


@pytest.fixture
def signed_in(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def quoted(apple: Instrument, now: datetime) -> Iterator[None]:
    """A quote that the feed `beta` told two minutes ago."""
    redis = Redis.from_url(settings.REDIS_URL)
    key = f"{settings.REDIS_PREFIX}latest:quote:{apple.symbol}"
    told = wire_time(to_ns(SystemClock().now() - timedelta(minutes=2)))
    data = {
        "bid": "99.5", "bid_size": "1", "ask": "100.5", "ask_size": "2", "t": told, "feed": "beta",
    }  # fmt: skip
    frame = {"op": "event", "topic": "quote:AAPL", "epoch": "e", "seq": 1, "data": data}
    redis.set(key, json.dumps(frame))
    yield
    redis.delete(key)


def add_bar(
    instrument: Instrument, timeframe: str, start: datetime, close: str, source: str
) -> None:
    price = Decimal(close)
    Bar.objects.create(
        instrument=instrument, timeframe=timeframe, start=start, open=price, high=price, low=price,
        close=price, volume=Decimal(1), source=source,
    )  # fmt: skip


# --- The small picture


def test_the_picture_spans_the_box_from_the_lowest_to_the_highest() -> None:
    chart = mini_chart([Decimal(10), Decimal(20), Decimal(15)])

    assert chart is not None
    middle = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) // 2
    assert chart.points == f"0,{HEIGHT - MARGIN} {WIDTH // 2},{MARGIN} {WIDTH},{middle}"
    assert (chart.lowest, chart.highest) == (Decimal(10), Decimal(20))
    assert chart.change_percent == Decimal("50.00")


def test_one_close_is_no_picture_and_a_flat_line_is_in_the_middle() -> None:
    assert mini_chart([Decimal(10)]) is None
    flat = mini_chart([Decimal(10), Decimal(10)])
    assert flat is not None
    assert flat.points == f"0,{HEIGHT // 2} {WIDTH},{HEIGHT // 2}"


# --- What is known


def test_a_venue_that_never_closes_is_open(apple: Instrument, now: datetime) -> None:
    facts = instrument_facts(apple, now)

    assert (facts.never_closes, facts.is_open, facts.coming) == (True, True, [])


def test_the_running_session_and_the_next_are_told(listed: Instrument, now: datetime) -> None:
    for number in range(7):
        opens = now - timedelta(hours=1) + number * DAY
        Session.objects.create(
            calendar="XNYS", day=opens.date(), opens_at=opens, closes_at=opens + timedelta(hours=6)
        )

    facts = instrument_facts(listed, now)
    later = instrument_facts(listed, now + timedelta(hours=5))

    assert facts.is_open
    assert [hours.day for hours in facts.coming] == [now.date() + n * DAY for n in range(5)]
    assert facts.known_until == now.date() + 6 * DAY
    assert not later.is_open
    assert later.coming[0].day == now.date() + DAY


def test_the_page_says_closed_out_of_session_whatever_is_set(
    listed: Instrument, signed_in: Client
) -> None:
    assert listed.status == "OPEN"

    page = signed_in.get(f"/instruments/{listed.symbol}")

    assert page.context["state"] == "CLOSED"
    assert "Daily closes</h2>" in page.content.decode()


def test_the_api_says_closed_out_of_session_and_the_state_that_is_set_in_it(
    listed: Instrument, instruments: dict[str, Instrument], alice: User
) -> None:
    client = Client(headers=keys(alice, Scope.READ))
    Instrument.objects.filter(pk=listed.pk).update(status="POST_ONLY")
    now, hour = SystemClock().now(), timedelta(hours=1)

    def states() -> tuple[dict[str, str], str]:
        rows = client.get("/api/v1/instruments").json()["instruments"]
        one = client.get("/api/v1/instruments/AAPL").json()["state"]
        return {row["symbol"]: row["state"] for row in rows}, one

    closed = states()
    Session.objects.create(
        calendar="XNYS", day=now.date(), opens_at=now - hour, closes_at=now + hour
    )

    assert listed.venue == instruments["BTC/USD"].venue
    assert closed == ({"AAPL": "CLOSED", "BTC/USD": "CLOSED"}, "CLOSED")
    assert states() == ({"AAPL": "POST_ONLY", "BTC/USD": "OPEN"}, "POST_ONLY")


def test_unknown_sessions_are_not_guessed(listed: Instrument, now: datetime) -> None:
    facts = instrument_facts(listed, now)

    assert (facts.never_closes, facts.is_open, facts.coming) == (False, False, [])
    assert facts.known_until is None


def test_the_followed_feed_is_the_one_that_told_the_newest_quote(
    apple: Instrument, quoted: None
) -> None:
    for rank, name in enumerate(("alpha", "beta"), start=1):
        feed = Feed.objects.create(name=name, adapter="replay", is_enabled=name == "beta")
        FeedRoute.objects.create(instrument=apple, feed=feed, rank=rank, symbol_there="")

    facts = instrument_facts(apple, SystemClock().now())

    assert [(r.feed, r.symbol_there, r.is_enabled, r.is_followed) for r in facts.routes] == [
        ("alpha", "AAPL", False, False),
        ("beta", "AAPL", True, True),
    ]
    assert 120 <= (facts.age_seconds(SystemClock().now()) or 0) < 180


def test_stored_bars_are_told_by_source_and_range(apple: Instrument, now: datetime) -> None:
    for number, source in enumerate(("lean", "lean", "feed")):
        add_bar(apple, "1Day", now + number * DAY, "10", source)
    add_bar(apple, "1Min", now, "10", "lean")
    add_bar(apple, "1Min", now + DAY, "10", "feed")

    stored = instrument_facts(apple, now).stored

    assert [(row.timeframe, row.sources, row.first, row.last, row.count) for row in stored] == [
        ("1Day", "lean", now, now + DAY, 2),
        ("1Day", "feed", now + 2 * DAY, now + 2 * DAY, 1),
        ("1Min", "lean, feed", now, now + DAY, None),
    ]


def test_only_holes_that_are_still_open_are_told(apple: Instrument, now: datetime) -> None:
    for number, filled_at in enumerate((None, now)):
        Hole.objects.create(
            instrument=apple, timeframe="1Min", start=now + number * DAY,
            end=now + number * DAY + timedelta(minutes=5), found_at=now, filled_at=filled_at,
        )  # fmt: skip

    facts = instrument_facts(apple, now)

    assert ([hole.start for hole in facts.holes], facts.open_holes) == ([now], 1)


def test_the_last_sixty_days_come_oldest_first(apple: Instrument, now: datetime) -> None:
    for number in range(70):
        add_bar(apple, "1Day", now + number * DAY, str(100 + number), "lean")

    days = recent_days(apple)

    assert (len(days), days[0][1]) == (60, Decimal(110))
    assert days[-1] == (now.date() + 69 * DAY, Decimal(169))


# --- The page and the API


def test_the_page_shows_what_is_known(
    signed_in: Client, listed: Instrument, quoted: None, now: datetime
) -> None:
    for number in range(3):
        add_bar(listed, "1Day", now + number * DAY, str(100 + number), "lean")
    AdjustmentFactor.objects.create(
        instrument=listed, day=date(2020, 8, 28), price_factor=Decimal("0.98"),
        split_factor=Decimal("0.25"), source="lean",
    )  # fmt: skip

    shown = signed_in.get("/instruments/AAPL").content.decode()

    assert "The quote is 12" in shown
    assert 'role="img" aria-label="From 100.00 to 102.00, +2.00 percent' in shown
    assert "2020-08-28" in shown
    assert "0.25" in shown
    assert "The sessions of this venue are not known." in shown
    assert "None that were looked for and found." in shown
    assert 'href="/terminal?symbol=AAPL"' in shown


def test_a_pair_is_found_with_and_without_its_slash_and_nothing_else_is(
    signed_in: Client, apple: Instrument
) -> None:
    assert signed_in.get("/instruments/BTC/USD").status_code == 200
    assert signed_in.get("/instruments/BTCUSD").status_code == 200
    assert signed_in.get("/instruments/NOPE").status_code == 404
    assert Client().get("/instruments/AAPL").status_code == 302


def test_an_empty_store_is_told_as_such(signed_in: Client, apple: Instrument) -> None:
    shown = signed_in.get("/instruments/AAPL").content.decode()

    assert "No quote is known now." in shown
    assert "No daily bars are stored yet" in shown
    assert "This venue never closes." in shown
    assert "It follows no feed" in shown


def test_the_api_tells_the_same(listed: Instrument, quoted: None, alice: User) -> None:
    client = Client(headers=keys(alice, Scope.READ))

    told = client.get("/api/v1/instruments/AAPL").json()

    assert told["symbol"] == "AAPL"
    assert told["hours"] == {
        "calendar": "XNYS", "time_zone": "America/New_York", "is_open": False,
        "next_sessions": [], "known_until": None,
    }  # fmt: skip
    assert (told["quote"]["bid"], told["quote"]["feed"]) == ("99.5", "beta")
    assert (told["feeds"], told["holes"], told["open_holes"]) == ([], [], 0)
    assert client.get("/api/v1/instruments/NOPE").status_code == 404
