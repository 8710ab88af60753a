"""Post-only, reduce-only and deadlines: docs/matching.md P1, U1, D1."""

import pytest

from tests.simulation.floor import START_NS, Floor


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.give("alice", "5", "100")
    floor.give("charlie", "5", "100")
    return floor


# Post-only


@pytest.mark.parametrize("limit", ["101", "102"])
def test_a_post_only_order_that_reaches_a_user_is_refused(floor: Floor, limit: str) -> None:
    floor.place("charlie-1", "SELL 1 @ 101")

    assert floor.place("alice-1", f"BUY 1 @ {limit}", post_only=True) == "POST_ONLY_WOULD_TAKE"
    assert floor.changes.is_empty
    assert floor.open_orders("charlie") == ["charlie-1"]


def test_a_post_only_order_that_reaches_the_street_is_refused(floor: Floor) -> None:
    floor.quote(bids="99x5", asks="101x5")

    assert floor.place("alice-1", "BUY 1 @ 101", post_only=True) == "POST_ONLY_WOULD_TAKE"
    assert floor.place("alice-2", "SELL 1 @ 99", post_only=True) == "POST_ONLY_WOULD_TAKE"
    assert floor.place("alice-3", "BUY 1 @ 100.99", post_only=True) == "ACCEPTED 0/1"


@pytest.mark.parametrize("mode", ["REJECT", "EXPIRE_MAKER"])
def test_a_post_only_order_reaches_an_own_order_as_any(floor: Floor, mode: str) -> None:
    floor.place("alice-1", "SELL 1 @ 101")

    outcome = floor.place("alice-2", "BUY 1 @ 101", post_only=True, stp_mode=mode)

    assert outcome == "POST_ONLY_WOULD_TAKE"


@pytest.mark.parametrize(
    "text",
    ["BUY 1 MARKET", "BUY 1 @ 90 IOC", "BUY 1 @ 90 FOK", "BUY 1 STOP 120", "BUY 1 @ 121 STOP 120"],
)
def test_only_an_order_that_can_rest_is_post_only(floor: Floor, text: str) -> None:
    assert floor.place("alice-1", text, post_only=True) == "POST_ONLY_NOT_ALLOWED"


def test_a_successor_is_post_only_too(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 1 @ 101")
    floor.place("alice-1", "BUY 2 @ 99", post_only=True)

    assert floor.replace("alice-1", "alice-2", "@ 101") == "POST_ONLY_WOULD_TAKE"
    assert floor.replace("alice-1", "alice-3", "IOC") == "POST_ONLY_NOT_ALLOWED"
    assert floor.replace("alice-1", "alice-4", "1") == "ACCEPTED 0/1"
    successor = floor.account_events[-1].order
    assert successor is not None
    assert successor.post_only


# Reduce-only


def test_a_reduce_only_sell_is_bounded_by_the_free_position(floor: Floor) -> None:
    floor.place("alice-1", "SELL 3 @ 110")

    assert floor.place("alice-2", "SELL 3 @ 111", reduce_only=True) == "REDUCE_ONLY_EXCEEDS"
    assert floor.place("alice-3", "SELL 2 @ 111", reduce_only=True) == "ACCEPTED 0/2"
    assert floor.replace("alice-3", "alice-4", "3") == "REDUCE_ONLY_EXCEEDS"
    assert floor.replace("alice-3", "alice-5", "@ 112") == "ACCEPTED 0/2"
    floor.check()


def test_a_reduce_only_buy_needs_a_short_position(floor: Floor) -> None:
    floor.quote(asks="101x5")

    assert floor.place("alice-1", "BUY 1 MARKET", reduce_only=True) == "REDUCE_ONLY_EXCEEDS"
    assert floor.place("alice-2", "BUY 1 @ 90", reduce_only=True) == "REDUCE_ONLY_EXCEEDS"


# Deadline


def test_an_order_after_its_deadline_is_refused(floor: Floor) -> None:
    assert floor.place("alice-1", "BUY 1 @ 90", deadline_ns=START_NS - 1) == "DEADLINE_PASSED"
    assert floor.place("alice-2", "BUY 1 @ 90", deadline_ns=START_NS) == "ACCEPTED 0/1"


def test_a_deadline_does_not_end_the_order(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90", deadline_ns=START_NS + 1)
    floor.wait(10)

    assert floor.expire() == []
    assert floor.open_orders("alice") == ["alice-1"]
