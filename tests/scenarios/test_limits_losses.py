"""Accounts that lose too much are stopped: docs/risk.md M12 to M14."""

import pytest

from risk.domain.commands import EvaluateLosses
from risk.domain.losses import Watermark
from tests.simulation.floor import SECOND_NS, START_NS, Floor
from tests.simulation.limiting import allow, limit
from tests.simulation.switches import approve, finish, join_desk

DAY_NS = 86_400 * SECOND_NS


@pytest.fixture
def floor() -> Floor:
    """Alice holds 10 at 100, of her 10000."""
    floor = Floor()
    join_desk(floor, 3, 5)
    floor.give("alice", "10", "100")
    return floor


def look(floor: Floor) -> str:
    """Measure, and say the state of Alice's account."""
    floor.do(EvaluateLosses())
    held = [item for key, item in floor.state.trading.by_scope.items() if key.key == "account:3"]
    finish(floor)
    return held[0].state.value if held else "ACTIVE"


def price(floor: Floor, middle: int) -> None:
    floor.quote(bids=f"{middle - 1}x5", asks=f"{middle + 1}x5")


@pytest.mark.parametrize("scope", ["firm", "desk:5", "account:3"])
@pytest.mark.parametrize(
    ("kind", "state"), [("DAILY_LOSS", "REDUCE_ONLY"), ("DAILY_LOSS_HALT", "HALTED")]
)
def test_an_account_that_has_lost_its_limit_is_stopped(
    floor: Floor, scope: str, kind: str, state: str
) -> None:
    limit(floor, scope, kind, "100")
    assert look(floor) == "ACTIVE"
    floor.place("alice-1", "BUY 1 @ 80")
    floor.place("charlie-1", "BUY 1 @ 80")

    price(floor, 91)
    assert look(floor) == "ACTIVE"  # 90 lost
    price(floor, 90)
    assert look(floor) == state

    assert floor.open_orders("alice") == []
    assert floor.place("alice-2", "BUY 1 @ 80") == f"TRADING_{state}"
    assert floor.open_orders("charlie") == ["charlie-1"]
    assert floor.place("charlie-2", "BUY 1 @ 80") == "ACCEPTED 0/1"


def test_a_stop_says_its_numbers(floor: Floor) -> None:
    limit(floor, "account:3", "DAILY_LOSS", "100")
    look(floor)
    price(floor, 88)

    floor.do(EvaluateLosses())

    (audit,) = floor.changes.audits
    assert (audit.actor_id, audit.action) == (None, "TradingStateChanged")
    assert audit.reason == "Lost 120 USD today; the limit is 100"
    assert [event.event for event in floor.account_events] == ["TradingRestricted"] * 2


def test_the_stricter_stop_comes_when_more_is_lost(floor: Floor) -> None:
    limit(floor, "account:3", "DAILY_LOSS", "100")
    limit(floor, "firm", "DAILY_LOSS_HALT", "200")
    look(floor)
    price(floor, 90)
    assert look(floor) == "REDUCE_ONLY"
    assert floor.place("alice-1", "SELL 1 @ 120") == "ACCEPTED 0/1"

    price(floor, 80)

    assert look(floor) == "HALTED"
    assert floor.open_orders("alice") == []


def test_a_drawdown_is_measured_from_the_highest(floor: Floor) -> None:
    limit(floor, "account:3", "DRAWDOWN_HALT", "100")
    look(floor)
    price(floor, 120)
    assert look(floor) == "ACTIVE"
    assert floor.state.limits.watermarks[3].highest == 10_200 * 10**8

    floor.wait(DAY_NS)
    price(floor, 111)
    assert look(floor) == "ACTIVE"
    price(floor, 110)

    assert look(floor) == "HALTED"


def test_a_daily_loss_begins_anew_with_the_utc_day(floor: Floor) -> None:
    limit(floor, "account:3", "DAILY_LOSS", "100")
    look(floor)
    price(floor, 91)
    look(floor)

    floor.wait(DAY_NS - START_NS % DAY_NS)
    price(floor, 91)
    look(floor)
    price(floor, 82)

    assert look(floor) == "ACTIVE"
    price(floor, 81)
    assert look(floor) == "REDUCE_ONLY"


def test_cash_is_no_profit_and_no_loss(floor: Floor) -> None:
    limit(floor, "account:3", "DAILY_LOSS", "100")
    limit(floor, "account:3", "DRAWDOWN", "100")
    look(floor)

    floor.deposit("alice", "-500", "ADJUSTMENT")
    assert look(floor) == "ACTIVE"
    floor.deposit("alice", "900")
    price(floor, 90)

    assert look(floor) == "REDUCE_ONLY"


def test_an_account_that_two_persons_let_trade_again_is_measured_anew(floor: Floor) -> None:
    limit(floor, "account:3", "DAILY_LOSS", "100")
    look(floor)
    price(floor, 90)
    look(floor)

    assert approve(floor, "account:3", "ACTIVE", 1) == "ACTIVE 2, 0 orders"

    assert look(floor) == "ACTIVE"
    assert floor.state.limits.watermarks[3] == Watermark(
        START_NS // DAY_NS, 9_900 * 10**8, 9_900 * 10**8
    )
    price(floor, 80)
    assert look(floor) == "REDUCE_ONLY"


def test_a_limit_that_comes_back_measures_from_then(floor: Floor) -> None:
    limit(floor, "account:3", "DRAWDOWN", "100")
    look(floor)
    allow(floor, "account:3", "DRAWDOWN", None, 1)
    price(floor, 85)
    assert look(floor) == "ACTIVE"

    limit(floor, "account:3", "DRAWDOWN", "100")

    assert look(floor) == "ACTIVE"
    price(floor, 75)
    assert look(floor) == "REDUCE_ONLY"


def test_a_look_that_finds_nothing_changes_nothing(floor: Floor) -> None:
    floor.do(EvaluateLosses())
    assert floor.changes.is_empty
    limit(floor, "account:3", "DAILY_LOSS", "100")
    floor.do(EvaluateLosses())
    assert list(floor.changes.watermarks) == [3]

    price(floor, 99)
    floor.do(EvaluateLosses())

    assert floor.changes.is_empty
