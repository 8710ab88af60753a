"""Sessions and ends: when a market is closed, when a DAY and a GTD order end, and what is refused
because nobody knows.
"""

from datetime import date

import msgspec
import pytest

from marketdata.domain.sessions import Calendar, Session
from orders.domain.market_commands import SetSessions
from tests.simulation.floor import SECOND_NS, START_NS, Floor

HOUR, DAY = 3_600, 86_400


@pytest.fixture
def floor() -> Floor:
    """Open from an hour ago until in an hour, tomorrow the same; the market stands at 99 to 101."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.set_sessions((-HOUR, HOUR), (DAY - HOUR, DAY + HOUR))
    floor.quote(bids="99x50", asks="101x50")
    return floor


# --- K1


def test_session_includes_its_opening_and_not_its_close() -> None:
    calendar = Calendar("XTST", [Session(date(2026, 3, 2), 100, 200)])

    assert [calendar.is_open(now) for now in (99, 100, 199, 200)] == [False, True, True, False]
    assert [calendar.coming(now) is None for now in (99, 199, 200)] == [False, False, True]


def test_told_session_takes_the_place_of_its_days() -> None:
    calendar = Calendar("XTST", [Session(date(2026, 3, 2), 100, 200)])

    calendar.change([Session(date(2026, 3, 2), 100, 150)], [])
    assert not calendar.is_open(150)
    calendar.change([], [date(2026, 3, 2), date(2026, 3, 9)])
    assert calendar.coming(0) is None


@pytest.mark.parametrize(
    ("sessions", "removed"),
    [
        ([("2026-02-30", 1, 2)], []),
        ([("2026-03-02", 2, 2)], []),
        ([("2026-03-02", 1, 5), ("2026-03-03", 4, 8)], []),
        ([("2026-3-2", 1, 2)], []),
        ([], ["soon"]),
    ],
)
def test_sessions_that_cannot_be_are_no_command(
    sessions: list[tuple[str, int, int]], removed: list[str]
) -> None:
    with pytest.raises(ValueError):
        msgspec.convert(["sessions", "XTST", sessions, removed, "r"], type=SetSessions, strict=True)


@pytest.mark.parametrize(
    "text", ["BUY 1 @ 100", "BUY 1 MARKET", "SELL 1 STOP 95", "BUY 1 @ 100 DAY"]
)
def test_days_that_nobody_knows_are_not_guessed(floor: Floor, text: str) -> None:
    floor.wait((DAY + HOUR) * SECOND_NS)

    assert floor.place("alice-1", text) == "CALENDAR_UNKNOWN"

    assert floor.changes.is_empty


# --- K2


def test_day_order_ends_at_the_close_of_the_running_session(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90 DAY")
    floor.wait(HOUR * SECOND_NS - 1_000)
    assert floor.expire() == []
    floor.wait(1_000)

    assert floor.expire() == ["alice-1"]

    assert floor.events == ["alice-1 OrderExpired EXPIRED 0/1 DAY_END"]
    floor.check()


def test_outage_over_two_closes_ends_what_was_due(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90 DAY")
    floor.place("alice-2", "SELL 1 STOP 95 GTD", ends_after=2 * HOUR)
    floor.place("alice-3", "BUY 1 @ 90")
    floor.wait(3 * DAY * SECOND_NS)

    assert floor.expire() == ["alice-1", "alice-2"]

    assert floor.open_orders("alice") == ["alice-3"]


def test_session_that_changes_does_not_move_an_orders_end(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90 DAY")
    floor.set_sessions((-HOUR, 2 * HOUR), (DAY - HOUR, DAY + HOUR))
    floor.wait(HOUR * SECOND_NS)

    assert floor.expire() == ["alice-1"]


def test_gtd_order_ends_at_the_time_it_names(floor: Floor) -> None:
    floor.place("alice-1", "BUY 2 @ 100 GTD", ends_after=60)
    floor.street_trade("SELL 1 @ 100")
    floor.wait(60 * SECOND_NS - 1_000)
    assert floor.expire() == []
    floor.wait(1_000)

    assert floor.expire() == ["alice-1"]

    assert floor.events == ["alice-1 OrderExpired EXPIRED 1/2 GTD_END"]
    assert floor.cash("alice") == "7900"
    floor.check()


@pytest.mark.parametrize(
    ("text", "ends_after", "reason"),
    [
        ("BUY 1 @ 90 GTD", None, "EXPIRY_REQUIRED"),
        ("BUY 1 @ 90 GTD", 0, "EXPIRY_OUT_OF_RANGE"),
        ("BUY 1 @ 90 GTD", -1, "EXPIRY_OUT_OF_RANGE"),
        ("BUY 1 @ 90 GTD", 400 * DAY + 1, "EXPIRY_OUT_OF_RANGE"),
        ("BUY 1 @ 90 GTD", 400 * DAY, "ACCEPTED 0/1"),
        ("BUY 1 @ 90 GTC", 60, "EXPIRY_NOT_ALLOWED"),
        ("BUY 1 MARKET IOC", 60, "EXPIRY_NOT_ALLOWED"),
    ],
)
def test_end_must_be_named_by_gtd_alone_and_lie_ahead(
    floor: Floor, text: str, ends_after: int | None, reason: str
) -> None:
    assert floor.place("alice-1", text, ends_after=ends_after) == reason


def test_day_order_of_a_venue_that_never_closes_ends_at_midnight() -> None:
    floor = Floor()
    floor.place("alice-1", "BUY 1 @ 90 DAY")
    until_midnight = DAY * SECOND_NS - START_NS % (DAY * SECOND_NS)
    floor.wait(until_midnight - 1)
    assert floor.expire() == []
    floor.wait(1)

    assert floor.expire() == ["alice-1"]


# --- K3


def test_closed_market_refuses_what_would_trade_at_once(floor: Floor) -> None:
    floor.wait(HOUR * SECOND_NS)

    assert floor.place("alice-1", "BUY 1 @ 100 IOC") == "MARKET_CLOSED"

    assert floor.changes.is_empty


def test_closed_market_does_not_trade_and_lets_orders_be_canceled(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 100")
    floor.place("alice-2", "SELL 1 STOP 99")
    floor.wait(2 * HOUR * SECOND_NS)

    floor.street_trade("SELL 9 @ 98")
    assert floor.events == []
    floor.quote(bids="80x5", asks="90x5")
    assert floor.events == []

    assert floor.cancel("alice-1") == "CANCELED 0/1 USER_REQUESTED"
    floor.check()


def test_market_comes_back_to_the_state_that_is_set(floor: Floor) -> None:
    floor.set_status("POST_ONLY")
    floor.wait(2 * HOUR * SECOND_NS)
    assert floor.place("alice-1", "BUY 1 @ 90 IOC") == "MARKET_CLOSED"
    floor.wait((DAY - 2 * HOUR) * SECOND_NS)

    assert floor.place("alice-2", "BUY 1 MARKET") == "INSTRUMENT_POST_ONLY"
    assert floor.place("alice-3", "BUY 1 @ 90") == "ACCEPTED 0/1"
