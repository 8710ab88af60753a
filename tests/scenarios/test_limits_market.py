"""Restricted list, leverage, price collars, rates and repetitions: docs/risk.md M1, M7 to M11."""

import pytest

from orders.domain.replies import DeniedReply
from tests.simulation.floor import SECOND_NS, Floor, submit_command
from tests.simulation.limiting import allow, limit
from tests.simulation.switches import approve, join_desk, switch


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    join_desk(floor, 3, 5)
    return floor


# --- restricted


@pytest.mark.parametrize("scope", ["firm", "desk:5", "account:3"])
def test_a_restricted_symbol_is_not_traded(floor: Floor, scope: str) -> None:
    floor.give("alice", "5", "100")
    limit(floor, scope, "RESTRICTED", "0", instrument=1)

    assert floor.place("alice-1", "SELL 5 @ 100") == "LIMIT_RESTRICTED"
    assert floor.place("alice-2", "BUY 5 @ 100", symbol="BTC/USD") == "ACCEPTED 0/5"


def test_a_symbol_may_be_restricted_to_what_lessens(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    floor.place("alice-0", "BUY 1 @ 90")
    limit(floor, "symbol:1", "RESTRICTED", "1")

    reply = floor.do(submit_command("alice-1", "BUY 1 @ 100"))

    assert isinstance(reply, DeniedReply)
    assert reply.sentence == (
        "AAPL: AAPL is on the restricted list, and only what lessens a position may be ordered."
        " Ask whoever manages risk."
    )
    assert floor.place("alice-2", "SELL 6 @ 110") == "LIMIT_RESTRICTED"
    assert floor.place("alice-3", "SELL 5 @ 110") == "ACCEPTED 0/5"
    assert floor.open_orders("alice") == ["alice-0", "alice-3"]
    assert floor.cancel("alice-0") == "CANCELED 0/1 USER_REQUESTED"


def test_a_restriction_is_loosened_step_by_step_by_two(floor: Floor) -> None:
    limit(floor, "symbol:1", "RESTRICTED", "0")

    assert limit(floor, "symbol:1", "RESTRICTED", "1") == "FOUR_EYES_REQUIRED"
    assert allow(floor, "symbol:1", "RESTRICTED", "1", 1) == "set 2"
    assert allow(floor, "symbol:1", "RESTRICTED", None, 2) == "set 3"
    assert floor.place("alice-1", "BUY 1 @ 100") == "ACCEPTED 0/1"


# --- M7


@pytest.mark.parametrize("scope", ["firm", "desk:5", "account:3"])
def test_leverage_is_of_each_account_by_itself(floor: Floor, scope: str) -> None:
    floor.give("charlie", "99", "100")
    limit(floor, scope, "LEVERAGE", "0.5")

    assert floor.place("alice-1", "BUY 51 @ 100") == "LIMIT_LEVERAGE"
    assert floor.place("alice-2", "BUY 50 @ 100") == "ACCEPTED 0/50"


def test_leverage_is_measured_by_what_the_account_is_worth_now(floor: Floor) -> None:
    floor.give("alice", "50", "100")
    limit(floor, "account:3", "LEVERAGE", "0.6")
    floor.quote(bids="199x5", asks="201x5")  # 15000 of equity, 10000 of it in shares

    assert floor.place("alice-1", "BUY 1 @ 200") == "LIMIT_LEVERAGE"
    assert floor.place("alice-2", "SELL 1 @ 201") == "ACCEPTED 0/1"


# --- M8


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        ("BUY 1 @ 101", "ACCEPTED 0/1"),
        ("BUY 1 @ 101.01", "LIMIT_PRICE_COLLAR"),
        ("BUY 1 @ 1", "ACCEPTED 0/1"),
        ("SELL 1 @ 99", "ACCEPTED 0/1"),
        ("SELL 1 @ 98.99", "LIMIT_PRICE_COLLAR"),
        ("SELL 1 STOP 90", "ACCEPTED 0/1"),
        ("BUY 1 MARKET", "LIQUIDITY_NONE"),
    ],
)
def test_a_price_may_be_only_so_much_worse_than_the_market(
    floor: Floor, order: str, outcome: str
) -> None:
    floor.give("alice", "5", "100")
    limit(floor, "firm", "PRICE_COLLAR", "100")

    assert floor.place("alice-1", order) == outcome


def test_the_middle_of_the_street_goes_before_the_last_trade(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    limit(floor, "symbol:1", "PRICE_COLLAR", "100")
    floor.quote(bids="109x1", asks="111x1")

    reply = floor.do(submit_command("alice-1", "BUY 1 @ 111.11"))

    assert isinstance(reply, DeniedReply)
    assert reply.facts["reference"] == "110"
    assert reply.facts["would_be"] == "100.90909091"
    assert floor.place("alice-2", "BUY 1 MARKET") == "FILLED 1/1"


def test_without_a_fresh_reference_nothing_passes(floor: Floor) -> None:
    limit(floor, "symbol:1", "PRICE_COLLAR", "5000")
    assert floor.place("alice-1", "BUY 1 @ 100") == "REFERENCE_MISSING"
    floor.quote(bids="99x1", asks="101x1")
    assert floor.place("alice-2", "BUY 1 @ 100") == "ACCEPTED 0/1"
    assert floor.place("alice-3", "BUY 1 MARKET") == "FILLED 1/1"

    floor.wait(5 * SECOND_NS + 1)

    assert floor.place("alice-4", "BUY 1 @ 100") == "REFERENCE_STALE"
    assert floor.place("alice-5", "SELL 1 STOP 90") == "ACCEPTED 0/1"


def test_a_crossed_market_is_no_reference(floor: Floor) -> None:
    floor.place("charlie-1", "BUY 1 @ 105")
    limit(floor, "symbol:1", "PRICE_COLLAR", "5000")
    floor.set_status("AUCTION")
    floor.quote(bids="99x1", asks="101x1")

    assert floor.place("alice-1", "BUY 1 @ 100") == "REFERENCE_CROSSED"


# --- M9


def test_a_rate_lets_so_many_through_and_fills_up_evenly(floor: Floor) -> None:
    limit(floor, "account:3", "ORDER_RATE", "2", window=10)
    assert [floor.place(f"alice-{number}", "BUY 1 @ 90") for number in range(3)] == [
        "ACCEPTED 0/1", "ACCEPTED 0/1", "LIMIT_ORDER_RATE",
    ]  # fmt: skip
    assert floor.place("charlie-1", "BUY 1 @ 90") == "ACCEPTED 0/1"

    floor.wait(5 * SECOND_NS - 1)
    assert floor.place("alice-4", "BUY 1 @ 90") == "LIMIT_ORDER_RATE"
    floor.wait(1)
    assert floor.replace("alice-0", "alice-5", "@ 91") == "ACCEPTED 0/1"
    assert floor.place("alice-6", "BUY 1 @ 90") == "LIMIT_ORDER_RATE"
    assert floor.amend("alice-5", "0") == "QUANTITY_OUT_OF_RANGE"
    assert floor.cancel("alice-1") == "CANCELED 0/1 USER_REQUESTED"


def test_a_refused_order_takes_of_the_budget_unless_the_rate_refused_it(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_RATE", "3", window=10)
    limit(floor, "account:3", "ORDER_RATE", "1", window=10)
    assert floor.place("alice-1", "SELL 1 @ 90") == "POSITION_INSUFFICIENT"
    assert floor.place("alice-2", "BUY 1 @ 90") == "LIMIT_ORDER_RATE"

    assert floor.place("charlie-1", "BUY 1 @ 90") == "ACCEPTED 0/1"
    assert floor.place("charlie-2", "BUY 1 @ 90") == "ACCEPTED 0/1"
    assert floor.place("charlie-3", "BUY 1 @ 90") == "LIMIT_ORDER_RATE"


def test_a_slower_window_is_a_raise_s_opposite(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_RATE", "3", window=10)

    assert limit(floor, "firm", "ORDER_RATE", "3", window=20) == "set 2"
    assert limit(floor, "firm", "ORDER_RATE", "2", window=10) == "FOUR_EYES_REQUIRED"


# --- M10


def test_an_order_repeated_too_often_stops_its_account(floor: Floor) -> None:
    limit(floor, "firm", "REPEATED_ORDERS", "2", window=10)
    floor.place("alice-1", "BUY 1 @ 90")
    floor.place("charlie-1", "BUY 1 @ 90")
    floor.place("alice-2", "BUY 1 @ 90")
    assert floor.place("alice-3", "BUY 1 @ 91") == "ACCEPTED 0/1"

    assert floor.place("alice-4", "BUY 1 @ 90") == "LIMIT_REPEATED_ORDERS"

    assert [event.event for event in floor.account_events] == ["TradingRestricted"] * 2
    (audit,) = floor.changes.audits
    assert (audit.actor_id, audit.reason) == (None, "The same order came too often")
    assert floor.place("alice-5", "BUY 1 @ 92") == "TRADING_CANCEL_ONLY"
    assert floor.open_orders("alice") == ["alice-1", "alice-2", "alice-3"]
    assert floor.place("charlie-2", "BUY 1 @ 90") == "ACCEPTED 0/1"
    assert switch(floor, "account:3", "ACTIVE") == "FOUR_EYES_REQUIRED"
    assert approve(floor, "account:3", "ACTIVE", 1) == "ACTIVE 2, 0 orders"
    assert floor.place("alice-6", "BUY 1 @ 90") == "ACCEPTED 0/1"


def test_a_strategy_is_stopped_alone(floor: Floor) -> None:
    limit(floor, "account:3", "REPEATED_ORDERS", "1", window=10)
    floor.place("alice-1", "BUY 1 @ 90", strategy="momentum")

    assert floor.place("alice-2", "BUY 1 @ 90", strategy="momentum") == "LIMIT_REPEATED_ORDERS"

    assert floor.place("alice-3", "BUY 2 @ 90", strategy="momentum") == "TRADING_CANCEL_ONLY"
    assert floor.place("alice-4", "BUY 1 @ 90") == "ACCEPTED 0/1"


def test_what_is_older_than_the_window_and_what_was_refused_is_no_repetition(floor: Floor) -> None:
    limit(floor, "account:3", "REPEATED_ORDERS", "1", window=10)
    assert floor.place("alice-1", "SELL 1 @ 90") == "POSITION_INSUFFICIENT"
    assert floor.place("alice-2", "SELL 1 @ 90") == "POSITION_INSUFFICIENT"
    floor.place("alice-3", "BUY 1 @ 90")

    floor.wait(10 * SECOND_NS)

    assert floor.place("alice-4", "BUY 1 @ 90") == "ACCEPTED 0/1"
    assert floor.place("alice-5", "BUY 1 @ 90") == "LIMIT_REPEATED_ORDERS"
