"""Trading states and the kill switch: docs/risk.md W1 to W4, W7 and W8."""

from decimal import Decimal

import pytest

from orders.domain import commands
from orders.domain.replies import DeniedReply, OrderReply
from tests.simulation.floor import Floor, denial, order_id_of, submit_command
from tests.simulation.switches import (
    ODIN,
    OLGA,
    approve,
    finish,
    join_desk,
    switch,
    switch_command,
    told,
)

SCOPES = ["firm", "account:3", "strategy:3:momentum", "symbol:1"]


@pytest.fixture
def floor() -> Floor:
    return Floor()


# --- W1


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("REDUCE_ONLY", "TRADING_REDUCE_ONLY"),
        ("CANCEL_ONLY", "TRADING_CANCEL_ONLY"),
        ("HALTED", "TRADING_HALTED"),
    ],
)
def test_a_restricted_scope_takes_no_order_that_opens(
    floor: Floor, scope: str, state: str, refusal: str
) -> None:
    switch(floor, scope, state)

    assert floor.place("alice-1", "BUY 5 @ 100", strategy="momentum") == refusal
    assert floor.cash("alice") == "10000"
    assert floor.changes.is_empty


@pytest.mark.parametrize(
    ("scope", "name", "strategy", "symbol"),
    [
        ("account:3", "charlie-1", None, "AAPL"),
        ("strategy:3:momentum", "alice-1", "value", "AAPL"),
        ("strategy:3:momentum", "alice-1", None, "AAPL"),
        ("strategy:3:momentum", "charlie-1", "momentum", "AAPL"),
        ("symbol:1", "alice-1", None, "BTC/USD"),
        ("desk:9", "alice-1", None, "AAPL"),
    ],
)
def test_other_scopes_trade_on(
    floor: Floor, scope: str, name: str, strategy: str | None, symbol: str
) -> None:
    switch(floor, scope, "HALTED")

    assert floor.place(name, "BUY 5 @ 100", strategy=strategy, symbol=symbol) == "ACCEPTED 0/5"


def test_the_strictest_state_of_the_path_counts(floor: Floor) -> None:
    switch(floor, "account:3", "HALTED")
    switch(floor, "firm", "CANCEL_ONLY")

    assert floor.place("alice-1", "BUY 5 @ 100") == "TRADING_HALTED"
    assert floor.place("charlie-1", "BUY 5 @ 100") == "TRADING_CANCEL_ONLY"


def test_a_refusal_names_the_scope_and_says_what_to_do(floor: Floor) -> None:
    switch(floor, "symbol:1", "HALTED")

    reply = floor.do(submit_command("alice-1", "BUY 5 @ 100"))

    assert isinstance(reply, DeniedReply)
    assert reply.facts == {"scope": "AAPL", "symbol": "AAPL"}
    assert reply.sentence == (
        "Trading is halted for AAPL and its orders are canceled. Ask an operator to enable it."
    )


@pytest.mark.parametrize("state", ["REDUCE_ONLY", "CANCEL_ONLY"])
def test_a_cancel_passes_in_every_state(floor: Floor, state: str) -> None:
    floor.give("alice", "5", "100")
    floor.place("alice-1", "SELL 5 @ 110")
    switch(floor, "firm", state)

    assert floor.cancel("alice-1") == "CANCELED 0/5 USER_REQUESTED"


def test_cancel_only_leaves_open_orders_to_work(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 100")
    floor.place("alice-2", "BUY 5 STOP 120")

    assert switch(floor, "account:3", "CANCEL_ONLY") == "CANCEL_ONLY 1, 0 orders"

    floor.quote(asks="99x5")
    assert floor.position("alice") == "5 for 500 realized 0"
    assert floor.open_orders("alice") == ["alice-2"]


# --- W2


def test_the_kill_switch_cancels_every_open_order_of_the_scope(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    floor.place("alice-1", "BUY 5 @ 90")
    floor.place("alice-2", "SELL 2 @ 110")
    floor.place("alice-3", "SELL 2 STOP 80")
    floor.place("charlie-1", "BUY 5 @ 89")

    assert switch(floor, "account:3", "HALTED") == "HALTED 1, 3 orders"

    assert floor.open_orders("alice") == []
    assert floor.open_orders("charlie") == ["charlie-1"]
    assert floor.cash("alice") == "9500"
    assert floor.position("alice") == "5 for 500 realized 0"
    assert [order.reason for order in floor.changes.changed_orders.values()] == ["KILL_SWITCH"] * 3


def test_only_the_strategy_s_orders_are_canceled(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90", strategy="momentum")
    floor.place("alice-2", "BUY 1 @ 90", strategy="value")
    floor.place("alice-3", "BUY 1 @ 90")

    switch(floor, "strategy:3:momentum", "HALTED")

    assert floor.open_orders("alice") == ["alice-2", "alice-3"]


def test_an_elected_stop_whose_turn_has_not_come_is_canceled() -> None:
    floor = Floor()
    floor.core.max_elections = 0
    floor.quote(bids="99x5", asks="101x5")
    floor.place("alice-1", "BUY 1 STOP 101")
    floor.place("charlie-1", "BUY 1 @ 101")
    assert [*floor.state.elections]

    switch(floor, "firm", "HALTED")
    floor.core.max_elections = 1_000
    floor.expire()

    assert floor.open_orders("alice") == []
    assert floor.position("alice") == "none"


def test_a_large_switch_goes_on_over_several_commits() -> None:
    floor = Floor(max_cleared=2)
    for number in range(5):
        floor.place(f"alice-{number}", "BUY 1 @ 90")

    floor.do(switch_command("firm", "HALTED"))

    row = next(iter(floor.changes.trading_states.values()))
    assert row.state.is_clearing
    assert len(floor.open_orders("alice")) == 3
    floor.expire()
    assert len(floor.open_orders("alice")) == 1
    floor.expire()
    assert not floor.core.is_clearing
    assert not next(iter(floor.changes.trading_states.values())).state.is_clearing
    assert floor.open_orders("alice") == []


def test_nothing_else_is_taken_before_a_switch_is_done() -> None:
    floor = Floor(max_cleared=1)
    floor.place("alice-1", "BUY 1 @ 90")
    floor.place("alice-2", "BUY 1 @ 90")
    floor.do(switch_command("firm", "HALTED"))

    with pytest.raises(AssertionError):
        floor.place("charlie-1", "BUY 1 @ 90")


# --- W3


def test_a_looser_state_takes_two_persons(floor: Floor) -> None:
    switch(floor, "account:3", "HALTED")

    assert switch(floor, "account:3", "ACTIVE") == "FOUR_EYES_REQUIRED"
    assert switch(floor, "account:3", "CANCEL_ONLY") == "FOUR_EYES_REQUIRED"
    assert approve(floor, "account:3", "ACTIVE", 1, asked_by=OLGA, by=OLGA) == "SAME_PERSON"
    assert floor.place("alice-1", "BUY 5 @ 100") == "TRADING_HALTED"
    assert approve(floor, "account:3", "ACTIVE", 1) == "ACTIVE 2, 0 orders"
    assert floor.place("alice-2", "BUY 5 @ 100") == "ACCEPTED 0/5"


def test_an_approval_takes_back_only_the_switch_that_it_names(floor: Floor) -> None:
    switch(floor, "firm", "HALTED")
    approve(floor, "firm", "ACTIVE", 1)
    switch(floor, "firm", "HALTED")

    assert approve(floor, "firm", "ACTIVE", 1) == "STATE_CHANGED_MEANWHILE"
    assert floor.place("alice-1", "BUY 5 @ 100") == "TRADING_HALTED"


def test_two_approvals_have_one_effect(floor: Floor) -> None:
    switch(floor, "firm", "HALTED")

    assert approve(floor, "firm", "ACTIVE", 1) == "ACTIVE 2, 0 orders"
    assert approve(floor, "firm", "ACTIVE", 1, by=23) == "STATE_CHANGED_MEANWHILE"
    assert floor.changes.is_empty


def test_switching_to_the_same_state_changes_nothing(floor: Floor) -> None:
    switch(floor, "firm", "HALTED")

    assert switch(floor, "firm", "HALTED") == "HALTED 1, 0 orders"
    assert floor.changes.is_empty
    assert floor.changes.audits == []


def test_an_unknown_scope_is_refused(floor: Floor) -> None:
    assert switch(floor, "account:99", "HALTED") == "SCOPE_UNKNOWN"
    assert switch(floor, "account:1", "HALTED") == "SCOPE_UNKNOWN"
    assert switch(floor, "symbol:99", "HALTED") == "SCOPE_UNKNOWN"


# --- W4


def test_reduce_only_takes_what_lessens_the_position_and_not_one_more(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    switch(floor, "account:3", "REDUCE_ONLY")

    reply = floor.do(submit_command("alice-9", "SELL 6 @ 100"))
    assert isinstance(reply, DeniedReply)
    assert reply.facts["available"] == "5"
    assert floor.place("alice-1", "SELL 3 @ 100") == "ACCEPTED 0/3"
    assert floor.place("alice-2", "SELL 3 @ 100") == "TRADING_REDUCE_ONLY"
    assert floor.place("alice-3", "SELL 2 @ 100") == "ACCEPTED 0/2"
    assert floor.place("alice-4", "BUY 1 @ 50") == "TRADING_REDUCE_ONLY"


def test_a_switch_to_reduce_only_keeps_what_lessens(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    floor.place("alice-1", "SELL 3 STOP 90")
    floor.place("alice-2", "SELL 2 @ 110")
    floor.place("alice-3", "BUY 1 @ 80")

    assert switch(floor, "account:3", "REDUCE_ONLY") == "REDUCE_ONLY 1, 1 orders"

    assert floor.open_orders("alice") == ["alice-1", "alice-2"]
    (order,) = floor.changes.changed_orders.values()
    assert order.reason == "REDUCE_ONLY"


# --- W7


def test_a_switch_is_told_to_the_house_and_to_whom_it_concerns(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")

    floor.do(switch_command("account:3", "HALTED"))
    finish(floor)

    told_to = [(account_id, event.event) for account_id, event in floor.changes.events]
    assert told_to == [(1, "TradingHalted"), (3, "TradingHalted"), (3, "OrderCanceled")]
    view = floor.account_events[1].trading_state
    assert view is not None
    assert (view.scope, view.state, view.orders) == ("This account", "HALTED", 1)
    (audit,) = floor.changes.audits
    assert (audit.actor_id, audit.action, audit.target) == (
        OLGA,
        "TradingStateChanged",
        "scope:account:3",
    )
    assert audit.facts == {"from": "ACTIVE", "to": "HALTED", "orders": "1"}


@pytest.mark.parametrize(("scope", "accounts"), [("firm", [1, 3, 4]), ("symbol:1", [1, 4])])
def test_the_firm_concerns_all_and_a_symbol_those_who_are_in_it(
    floor: Floor, scope: str, accounts: list[int]
) -> None:
    floor.place("charlie-1", "BUY 1 @ 90")
    floor.place("alice-1", "BUY 1 @ 90", symbol="BTC/USD")

    floor.do(switch_command(scope, "CANCEL_ONLY"))

    events = [(number, event.event) for number, event in floor.changes.events]
    assert events == [(number, "TradingRestricted") for number in accounts]


def test_an_approval_is_on_record_with_both_persons(floor: Floor) -> None:
    switch(floor, "firm", "HALTED")

    approve(floor, "firm", "REDUCE_ONLY", 1)

    (audit,) = floor.changes.audits
    assert audit.actor_id == ODIN
    assert audit.facts["asked_by"] == str(OLGA)
    (approval,) = floor.changes.approvals
    assert (approval.request, approval.decided_by_id) == (7, ODIN)
    assert {event.event for event in floor.account_events} == {"TradingResumed"}


# --- W8


def test_a_desk_s_state_binds_its_accounts(floor: Floor) -> None:
    assert join_desk(floor, 3, 5) == "joined"
    floor.place("alice-1", "BUY 1 @ 90")

    assert switch(floor, "desk:5", "HALTED") == "HALTED 1, 1 orders"

    assert floor.place("alice-2", "BUY 1 @ 90") == "TRADING_HALTED"
    assert floor.place("charlie-1", "BUY 1 @ 90") == "ACCEPTED 0/1"


def test_an_account_joins_a_desk_free_of_open_orders_and_restrictions(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")
    assert join_desk(floor, 3, 5) == "DESK_NOT_JOINED"
    floor.cancel("alice-1")
    switch(floor, "desk:5", "CANCEL_ONLY")
    assert join_desk(floor, 3, 5) == "DESK_NOT_JOINED"

    assert join_desk(floor, 3, 6) == "joined"
    assert join_desk(floor, 3, 6) == "DESK_NOT_JOINED"
    assert join_desk(floor, 99, 6) == "ACCOUNT_UNKNOWN"
    assert told(floor.do(switch_command("desk:6", "HALTED"))) == "HALTED 1, 0 orders"


def test_an_account_moves_and_leaves_with_nothing_open(floor: Floor) -> None:
    assert join_desk(floor, 3, None) == "DESK_NOT_JOINED"
    join_desk(floor, 3, 5)

    floor.give("alice", "1", "100")
    assert join_desk(floor, 3, 6) == "DESK_NOT_JOINED"
    assert join_desk(floor, 3, None) == "DESK_NOT_JOINED"
    floor.quote(bids="100x1")
    floor.place("alice-1", "SELL 1 MARKET")
    assert join_desk(floor, 3, 6) == "joined"
    assert floor.changes.audits[0].facts == {"desk": "6", "before": "5"}
    switch(floor, "desk:6", "CANCEL_ONLY")
    assert join_desk(floor, 3, None) == "DESK_NOT_JOINED"
    approve(floor, "desk:6", "ACTIVE", 1)
    assert join_desk(floor, 3, None) == "joined"

    assert floor.changes.audits[0].action == "DeskLeft"
    assert floor.state.accounts[3].desk_id is None
    switch(floor, "desk:6", "HALTED")
    assert floor.place("alice-2", "BUY 1 @ 90") == "ACCEPTED 0/1"


# --- replace and amend


def replace(floor: Floor, name: str, new: str, **changes: Decimal) -> str:
    reply = floor.do(
        commands.ReplaceOrder(
            order_id=order_id_of(new),
            account_id=3,
            replaces=order_id_of(name),
            client_order_id="",
            submitted_by_id=11,
            request_id="replace",
            **changes,
        )
    )
    return denial(reply) if isinstance(reply, DeniedReply) else "replaced"


@pytest.mark.parametrize("state", ["REDUCE_ONLY", "CANCEL_ONLY"])
def test_a_replace_is_a_new_order_and_an_amendment_is_none(floor: Floor, state: str) -> None:
    floor.give("alice", "5", "100")
    floor.place("alice-1", "SELL 5 @ 110", strategy="momentum")
    switch(floor, "strategy:3:momentum", state)

    outcome = replace(floor, "alice-1", "alice-2", limit_price=Decimal(111))

    assert outcome == ("replaced" if state == "REDUCE_ONLY" else "TRADING_CANCEL_ONLY")
    (left,) = floor.state.orders.values()
    assert left.strategy == "momentum"
    amended = floor.do(commands.AmendOrder(left.id, 3, Decimal(2), "amend"))
    assert isinstance(amended, OrderReply)
    floor.check()
