"""Planned market states: docs/market-states.md X10 to X14."""

from dataclasses import replace

import pytest

from marketdata.domain.market_states import MarketState, joined
from orders.domain.commands import AnyCommand, ExpireOrders
from orders.domain.market_commands import PlanMarketState, WithdrawMarketPlan
from orders.domain.replies import DeniedReply
from orders.domain.views import MarketStateView
from orders.engine.rebuild import rebuild
from orders.engine.stored import stored_from
from tests.simulation.floor import SECOND_NS, START_NS, Floor

MINUTE_NS = 60 * SECOND_NS


@pytest.fixture
def floor() -> Floor:
    return Floor()


def plan(
    floor: Floor, number: int, state: str, begins: int, ends: int | None, symbol: str = "AAPL"
) -> str:
    """Plan the state between two times in seconds from the start; what it was answered."""
    until_ns = None if ends is None else START_NS + ends * SECOND_NS
    command = PlanMarketState(
        number, symbol, state, START_NS + begins * SECOND_NS, until_ns, "a split", "plan", 21
    )
    return ask(floor, command)


def ask(floor: Floor, command: AnyCommand) -> str:
    reply = floor.do(command)
    return f"{reply.reason} {reply.facts.get('why', '')}" if isinstance(reply, DeniedReply) else ""


def at(floor: Floor, seconds: int) -> str:
    """The state of the market so many seconds after the start, as the engine's tick leaves it."""
    floor.now_ns = START_NS + seconds * SECOND_NS
    floor.expire()
    return floor.state.instruments["AAPL"].state.value


def audited(floor: Floor) -> list[tuple[str, str]]:
    return [(entry.action, entry.facts["plan"]) for entry in floor.changes.audits]


# --- X10


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (("OPEN", "POST_ONLY"), "POST_ONLY"),
        (("POST_ONLY", "CANCEL_ONLY"), "CANCEL_ONLY"),
        (("POST_ONLY", "AUCTION"), "AUCTION"),
        (("CANCEL_ONLY", "AUCTION"), "HALTED"),
        (("AUCTION", "HALTED"), "HALTED"),
    ],
)
def test_of_several_states_the_strictest_counts(states: tuple[str, ...], state: str) -> None:
    assert joined(MarketState(each) for each in states) == state


# --- X11, X12


def test_a_plan_begins_and_ends_at_its_times(floor: Floor) -> None:
    assert plan(floor, 1, "HALTED", 60, 120) == ""

    assert at(floor, 59) == "OPEN"
    assert floor.place("alice-1", "BUY 1 @ 90") == "ACCEPTED 0/1"
    assert at(floor, 60) == "HALTED"
    assert audited(floor) == [("MarketPlanStarted", "1")]
    assert floor.place("alice-2", "BUY 1 @ 90") == "INSTRUMENT_HALTED"
    assert at(floor, 119) == "HALTED"
    assert floor.changes.is_empty
    assert at(floor, 120) == "OPEN"
    assert audited(floor) == [("MarketPlanEnded", "1")]
    assert floor.place("alice-2", "BUY 1 @ 90") == "ACCEPTED 0/1"


def test_no_order_comes_before_the_beginning_of_a_plan_that_is_due(floor: Floor) -> None:
    floor.quote(asks="100x5")
    plan(floor, 1, "CANCEL_ONLY", 60, 120)
    floor.now_ns = START_NS + 60 * SECOND_NS

    assert floor.place("alice-1", "BUY 1 @ 100") == "INSTRUMENT_CANCEL_ONLY"
    assert floor.open_orders("alice") == []


def test_the_end_of_a_planned_auction_is_its_uncross(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    plan(floor, 1, "AUCTION", 60, 120)
    at(floor, 60)
    floor.place("alice-1", "SELL 5 @ 99")
    floor.place("charlie-1", "BUY 5 @ 101")

    assert at(floor, 120) == "OPEN"

    assert [line for line in floor.events if "Filled" in line] == [
        "alice-1 OrderFilled FILLED 5/5: 5 @ 100 MAKER",
        "charlie-1 OrderFilled FILLED 5/5: 5 @ 100 TAKER",
    ]
    floor.check()


@pytest.mark.parametrize(
    ("begins", "ends", "state", "action"),
    [
        (60, 7_200, "HALTED", "MarketPlanStarted"),
        (60, 120, "OPEN", "MarketPlanMissed"),
        (-60, 7_200, "HALTED", "MarketPlanStarted"),
    ],
)
def test_an_outage_lets_nothing_in_between(
    floor: Floor, begins: int, ends: int, state: str, action: str
) -> None:
    if begins > 0:
        plan(floor, 1, "HALTED", begins, ends)
    restarted = restart(floor)

    if begins <= 0:
        restarted.now_ns = START_NS + 3_600 * SECOND_NS
        plan(restarted, 1, "HALTED", begins, ends)
    else:
        at(restarted, 3_600)

    assert restarted.state.instruments["AAPL"].state == state
    assert audited(restarted) == [(action, "1")]


def test_a_plan_that_runs_goes_on_after_a_restart_and_ends(floor: Floor) -> None:
    plan(floor, 1, "HALTED", 0, 60)
    restarted = restart(floor)

    assert at(restarted, 59) == "HALTED"
    assert at(restarted, 3_600) == "OPEN"
    assert restart(restarted).state.market_plan_number == 1


def test_overlapping_plans_end_one_by_one(floor: Floor) -> None:
    plan(floor, 1, "POST_ONLY", 0, 100)
    plan(floor, 2, "CANCEL_ONLY", 10, 50)
    plan(floor, 3, "AUCTION", 20, 60)

    seen = [at(floor, seconds) for seconds in (0, 10, 20, 50, 60, 100)]

    assert seen == ["POST_ONLY", "CANCEL_ONLY", "HALTED", "AUCTION", "POST_ONLY", "OPEN"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((1, "HALTED", 60, 60), "it would end before it begins"),
        ((1, "HALTED", 401 * 86_400, None), "it begins more than 400 days ahead"),
        ((1, "HALTED", 60, 120, "NONE"), "there is no instrument NONE"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    floor: Floor, arguments: tuple[int, str, int, int | None], why: str
) -> None:
    assert plan(floor, *arguments) == f"PLAN_REFUSED {why}"

    assert floor.changes.is_empty


def test_a_plan_told_twice_is_one_plan(floor: Floor) -> None:
    plan(floor, 7, "HALTED", 60, 120)

    assert plan(floor, 7, "HALTED", 60, 120) == ""
    assert floor.changes.is_empty
    at(floor, 120)
    assert plan(floor, 7, "HALTED", 60, 999).startswith("PLAN_REFUSED it was told too late")


# --- X13


def test_a_state_set_by_hand_ends_what_runs_and_leaves_what_is_to_come(floor: Floor) -> None:
    plan(floor, 1, "HALTED", 0, 100)
    plan(floor, 2, "CANCEL_ONLY", 50, 200)

    floor.set_status("OPEN")

    assert floor.state.instruments["AAPL"].state == "OPEN"
    assert [entry.action for entry in floor.changes.audits] == [
        "MarketPlanOverruled",
        "InstrumentReopened",
    ]
    assert [at(floor, seconds) for seconds in (49, 50, 200)] == ["OPEN", "CANCEL_ONLY", "OPEN"]


def test_what_was_set_by_hand_is_there_again_after_a_plan(floor: Floor) -> None:
    floor.set_status("CANCEL_ONLY")
    plan(floor, 1, "POST_ONLY", 10, 50)
    plan(floor, 2, "HALTED", 20, 30)

    assert [at(floor, seconds) for seconds in (10, 20, 30, 50)] == [
        "CANCEL_ONLY",
        "HALTED",
        "CANCEL_ONLY",
        "CANCEL_ONLY",
    ]


def test_a_plan_without_an_end_lasts_until_somebody_sets_a_state(floor: Floor) -> None:
    plan(floor, 1, "HALTED", 10, None)

    assert at(floor, 86_400) == "HALTED"
    floor.set_status("OPEN")
    assert at(floor, 2 * 86_400) == "OPEN"
    assert floor.state.market_plans == {}


def test_a_withdrawn_plan_does_not_begin_and_a_running_one_ends(floor: Floor) -> None:
    plan(floor, 1, "HALTED", 10, 100)
    plan(floor, 2, "AUCTION", 0, 100)

    assert ask(floor, WithdrawMarketPlan(1, "not needed", "r", 21)) == ""
    assert audited(floor) == [("MarketPlanWithdrawn", "1")]
    assert at(floor, 10) == "AUCTION"
    assert ask(floor, WithdrawMarketPlan(2, "not needed", "r", 21)) == ""
    assert floor.state.instruments["AAPL"].state == "OPEN"
    assert ask(floor, WithdrawMarketPlan(2, "again", "r", 21)) == "PLAN_UNKNOWN "
    assert floor.changes.is_empty


# --- X14


def test_the_house_and_the_accounts_concerned_are_told(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")
    plan(floor, 1, "HALTED", 60, 120)

    at(floor, 60)

    told = [(event.account_id, event.market_state) for event in floor.account_events]
    view = MarketStateView(
        symbol="AAPL", state="HALTED", until="2026-03-02T15:32:00.000000Z", reason="a split"
    )
    house, alice = (floor.state.accounts[number].public_id for number in (1, 3))
    assert told == [(house, view), (alice, view)]
    assert floor.account_events[0].request_id == "market-plan-1"


def test_a_plan_that_changes_nothing_tells_nobody(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")
    floor.set_status("HALTED")
    plan(floor, 1, "AUCTION", 60, 120)

    assert at(floor, 60) == "HALTED"

    assert floor.account_events == []
    assert audited(floor) == [("MarketPlanStarted", "1")]


def restart(floor: Floor) -> Floor:
    """Another engine, which knows what the database keeps."""
    restarted = Floor("0")
    restarted.now_ns = floor.now_ns
    restarted.core.state = restarted.state = rebuild(stored_from(floor.state, []))
    return restarted


def test_a_tick_that_finds_nothing_due_changes_nothing(floor: Floor) -> None:
    plan(floor, 1, "HALTED", 60, 120)
    before = replace(floor.state)

    floor.do(ExpireOrders())

    assert floor.changes.is_empty
    assert floor.state.next_market_ns == before.next_market_ns == START_NS + MINUTE_NS
