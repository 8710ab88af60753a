"""The limit tree: docs/risk.md M1 to M6."""

from decimal import Decimal

import msgspec
import pytest

from core.domain.units import units_to_wire
from orders.domain import commands
from orders.domain.order_class import GroupTerms, OrderClass
from orders.domain.replies import DeniedReply, OutlookView, UsageReply, WhatIfReply
from risk.domain.commands import EvaluateLosses, ReadUsage
from tests.simulation.floor import Floor, submit_command
from tests.simulation.limiting import allow, limit, limit_command, told
from tests.simulation.switches import ODIN, OLGA, join_desk

SCOPES = ["firm", "desk:5", "account:3", "strategy:3:momentum", "symbol:1"]


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    join_desk(floor, 3, 5)
    return floor


# --- M1


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("kind", "value", "refused", "passes"),
    [
        ("ORDER_QUANTITY", "5", "BUY 6 @ 100", "BUY 5 @ 100"),
        ("ORDER_VALUE", "500", "BUY 5 @ 100.01", "BUY 5 @ 100"),
    ],
)
def test_every_scope_on_the_path_limits_an_order(
    floor: Floor, scope: str, kind: str, value: str, refused: str, passes: str
) -> None:
    assert limit(floor, scope, kind, value) == "set 1"

    assert floor.place("alice-1", refused, strategy="momentum") == f"LIMIT_{kind}"
    assert floor.changes.is_empty
    assert floor.cash("alice") == "10000"
    assert floor.place("alice-2", passes, strategy="momentum") == "ACCEPTED 0/5"


@pytest.mark.parametrize(
    ("scope", "name", "strategy", "symbol"),
    [
        ("account:3", "charlie-1", None, "AAPL"),
        ("desk:5", "charlie-1", None, "AAPL"),
        ("strategy:3:momentum", "alice-1", "value", "AAPL"),
        ("strategy:3:momentum", "alice-1", None, "AAPL"),
        ("symbol:1", "alice-1", None, "BTC/USD"),
    ],
)
def test_other_scopes_are_not_limited(
    floor: Floor, scope: str, name: str, strategy: str | None, symbol: str
) -> None:
    limit(floor, scope, "ORDER_QUANTITY", "1")

    assert floor.place(name, "BUY 5 @ 100", strategy=strategy, symbol=symbol) == "ACCEPTED 0/5"


def test_a_limit_of_a_symbol_holds_for_that_symbol_alone(floor: Floor) -> None:
    limit(floor, "account:3", "ORDER_QUANTITY", "1", instrument=2)

    assert floor.place("alice-1", "BUY 5 @ 100") == "ACCEPTED 0/5"
    assert floor.place("alice-2", "BUY 5 @ 100", symbol="BTC/USD") == "LIMIT_ORDER_QUANTITY"


def test_a_change_is_on_record_and_changes_no_order(floor: Floor) -> None:
    floor.place("alice-1", "BUY 50 @ 100")

    limit(floor, "account:3", "ORDER_QUANTITY", "10")

    assert floor.open_orders("alice") == ["alice-1"]
    assert floor.account_events == []
    (audit,) = floor.changes.audits
    assert (audit.actor_id, audit.action, audit.target) == (
        OLGA, "LimitChanged", "scope:account:3",
    )  # fmt: skip
    assert audit.facts == {"limit": "account:3 ORDER_QUANTITY", "from": "none", "to": "10"}
    (row,) = floor.changes.limits.values()
    assert (row.account_id, row.limit.version, row.limit.value) == (3, 1, 10 * 10**8)


@pytest.mark.parametrize(
    ("scope", "kind", "value", "instrument", "refusal"),
    [
        ("account:99", "ORDER_VALUE", "1", 0, "SCOPE_UNKNOWN"),
        ("account:1", "ORDER_VALUE", "1", 0, "SCOPE_UNKNOWN"),
        ("symbol:9", "ORDER_VALUE", "1", 0, "SCOPE_UNKNOWN"),
        ("firm", "ORDER_VALUE", "1", 9, "SCOPE_UNKNOWN"),
        ("symbol:1", "ORDER_VALUE", "1", 1, "LIMIT_INVALID"),
        ("strategy:3:momentum", "POSITION", "1", 0, "LIMIT_INVALID"),
        ("strategy:3:momentum", "EXPOSURE", "1", 0, "LIMIT_INVALID"),
        ("firm", "OPEN_ORDERS", "1.5", 0, "LIMIT_INVALID"),
        ("firm", "RESTRICTED", "0", 0, "LIMIT_INVALID"),
        ("symbol:1", "RESTRICTED", "2", 0, "LIMIT_INVALID"),
        ("symbol:1", "LEVERAGE", "2", 0, "LIMIT_INVALID"),
        ("account:3", "LEVERAGE", "2", 1, "LIMIT_INVALID"),
        ("firm", "ORDER_RATE", "2", 0, "LIMIT_INVALID"),
        ("firm", "ORDER_VALUE", "10000000000.01", 0, "LIMIT_INVALID"),
    ],
)
def test_a_limit_that_means_nothing_is_refused(
    floor: Floor, scope: str, kind: str, value: str, instrument: int, refusal: str
) -> None:
    assert limit(floor, scope, kind, value, instrument=instrument) == refusal
    assert floor.changes.is_empty


# --- M2


def test_a_tighter_limit_takes_one_person_and_a_raise_two(floor: Floor) -> None:
    assert limit(floor, "firm", "ORDER_QUANTITY", "10") == "set 1"
    assert limit(floor, "firm", "ORDER_QUANTITY", "5") == "set 2"
    assert limit(floor, "firm", "ORDER_QUANTITY", "5") == "set 2"
    assert floor.changes.is_empty

    assert limit(floor, "firm", "ORDER_QUANTITY", "6") == "FOUR_EYES_REQUIRED"
    assert limit(floor, "firm", "ORDER_QUANTITY", None) == "FOUR_EYES_REQUIRED"
    assert allow(floor, "firm", "ORDER_QUANTITY", "6", 2, by=OLGA) == "SAME_PERSON"
    assert floor.place("alice-1", "BUY 6 @ 100") == "LIMIT_ORDER_QUANTITY"
    assert allow(floor, "firm", "ORDER_QUANTITY", "6", 2) == "set 3"
    assert floor.place("alice-2", "BUY 6 @ 100") == "ACCEPTED 0/6"


def test_an_approval_changes_only_the_limit_that_was_asked_for(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_QUANTITY", "10")
    limit(floor, "firm", "ORDER_QUANTITY", "5")

    assert allow(floor, "firm", "ORDER_QUANTITY", "10", 1) == "STATE_CHANGED_MEANWHILE"
    assert floor.place("alice-1", "BUY 6 @ 100") == "LIMIT_ORDER_QUANTITY"


def test_a_limit_is_taken_away_by_two_and_comes_back_by_one(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_QUANTITY", "5")

    assert allow(floor, "firm", "ORDER_QUANTITY", None, 1) == "set 2"

    (audit,) = floor.changes.audits
    assert audit.facts["asked_by"] == str(OLGA)
    (approval,) = floor.changes.approvals
    assert (approval.request, approval.decided_by_id) == (7, ODIN)
    assert floor.place("alice-1", "BUY 6 @ 100") == "ACCEPTED 0/6"
    assert limit(floor, "firm", "ORDER_QUANTITY", "5") == "set 3"


# --- M3


def test_of_several_limits_the_tightest_refuses_and_says_its_numbers(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_QUANTITY", "20")
    limit(floor, "account:3", "ORDER_QUANTITY", "10")
    limit(floor, "symbol:1", "ORDER_VALUE", "1")

    reply = floor.do(submit_command("alice-1", "BUY 25 @ 100"))

    assert isinstance(reply, DeniedReply)
    assert reply.reason == "LIMIT_ORDER_QUANTITY"
    assert reply.facts == {
        "scope": "This account", "limit": "10", "would_be": "25", "symbol": "AAPL",
        "currency": "USD",
    }  # fmt: skip
    assert reply.sentence == (
        "This account: an order may ask for at most 10 AAPL; this one asks for 25. Lower the"
        " quantity, or ask for a higher limit."
    )


def test_a_replace_is_judged_as_if_the_old_order_were_gone(floor: Floor) -> None:
    limit(floor, "account:3", "OPEN_ORDERS", "1")
    limit(floor, "account:3", "POSITION", "10")
    limit(floor, "account:3", "EXPOSURE", "1000")
    floor.place("alice-1", "BUY 6 @ 100")

    assert floor.replace("alice-1", "alice-2", "11") == "LIMIT_POSITION"
    assert floor.open_orders("alice") == ["alice-1"]
    assert floor.replace("alice-1", "alice-3", "10") == "ACCEPTED 0/10"
    limit(floor, "account:3", "ORDER_QUANTITY", "1")
    assert floor.amend("alice-3", "9") == "ACCEPTED 0/9"


def test_a_market_order_is_worth_what_it_would_pay(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_VALUE", "500")
    floor.quote(asks="100x4 102x4")

    assert floor.place("alice-1", "BUY 5 MARKET") == "LIMIT_ORDER_VALUE"
    assert floor.place("alice-2", "BUY 4 MARKET") == "FILLED 4/4"


# --- M4


def test_open_orders_are_counted_as_they_come_and_go(floor: Floor) -> None:
    limit(floor, "account:3", "OPEN_ORDERS", "2")
    floor.place("alice-1", "BUY 1 @ 90")
    floor.place("alice-2", "BUY 1 STOP 120")

    assert floor.place("alice-3", "BUY 1 @ 90") == "LIMIT_OPEN_ORDERS"
    assert floor.place("charlie-1", "BUY 1 @ 90") == "ACCEPTED 0/1"
    floor.cancel("alice-2")
    assert floor.place("alice-4", "BUY 1 @ 90") == "ACCEPTED 0/1"
    floor.quote(asks="90x9")
    assert floor.open_orders("alice") == []
    assert floor.place("alice-5", "BUY 1 @ 80") == "ACCEPTED 0/1"


def test_orders_that_were_open_before_the_limit_count(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 90")
    floor.place("charlie-1", "BUY 1 @ 90")

    limit(floor, "symbol:1", "OPEN_ORDERS", "2")

    assert floor.place("alice-2", "BUY 1 @ 90") == "LIMIT_OPEN_ORDERS"
    assert floor.place("alice-3", "BUY 1 @ 90", symbol="BTC/USD") == "ACCEPTED 0/1"


def test_a_replaced_leg_does_not_take_its_mates_out_of_the_count(floor: Floor) -> None:
    floor.quote(bids="99x10", asks="101x10")
    assert floor.group("BRACKET", "alice-1", "BUY 1 @ 90", profit="95", loss="80") == "ACCEPTED 0/1"

    limit(floor, "account:3", "OPEN_ORDERS", "2")

    assert floor.replace("alice-1", "alice-2", "@ 91") == "LIMIT_OPEN_ORDERS"
    limit(floor, "account:4", "OPEN_ORDERS", "3")
    floor.group("BRACKET", "charlie-1", "BUY 1 @ 90", profit="95", loss="80")
    assert floor.replace("charlie-1", "charlie-2", "@ 91") == "ACCEPTED 0/1"


# --- M5


def test_a_position_counts_with_the_open_orders_of_its_side(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    floor.quote(bids="99x10", asks="101x10")
    limit(floor, "account:3", "POSITION", "10")
    floor.place("alice-1", "BUY 3 @ 90")

    assert floor.place("alice-2", "BUY 3 @ 90") == "LIMIT_POSITION"
    assert floor.place("alice-3", "BUY 2 @ 90") == "ACCEPTED 0/2"
    assert floor.place("alice-4", "SELL 5 @ 110") == "ACCEPTED 0/5"


def test_an_order_that_lessens_passes_though_the_position_is_too_large(floor: Floor) -> None:
    floor.give("alice", "20", "100")
    limit(floor, "account:3", "POSITION", "10")

    assert floor.place("alice-1", "SELL 5 @ 110") == "ACCEPTED 0/5"
    assert floor.place("alice-2", "BUY 1 @ 90") == "LIMIT_POSITION"


def test_the_firm_s_position_is_the_sum_of_its_accounts(floor: Floor) -> None:
    limit(floor, "firm", "POSITION", "10")
    floor.place("charlie-1", "BUY 6 @ 90")

    assert floor.place("alice-1", "BUY 5 @ 90") == "LIMIT_POSITION"
    assert floor.place("alice-2", "BUY 5 @ 90", symbol="BTC/USD") == "ACCEPTED 0/5"
    assert floor.place("alice-3", "BUY 4 @ 90") == "ACCEPTED 0/4"


def test_a_desk_counts_the_accounts_that_join_it(floor: Floor) -> None:
    floor.give("charlie", "8", "100")
    limit(floor, "desk:5", "POSITION", "10")
    assert floor.place("alice-1", "BUY 9 @ 90") == "ACCEPTED 0/9"
    floor.cancel("alice-1")

    join_desk(floor, 4, 5)

    assert floor.place("alice-2", "BUY 9 @ 90") == "LIMIT_POSITION"
    assert floor.place("alice-3", "BUY 2 @ 90") == "ACCEPTED 0/2"


# --- M6


def test_exposure_adds_up_what_all_symbols_are_worth_at_their_marks(floor: Floor) -> None:
    floor.give("alice", "10", "100")  # its last trade is its mark
    limit(floor, "account:3", "EXPOSURE", "2000")
    floor.quote(bids="149x5", asks="151x5")

    assert floor.place("alice-1", "BUY 6 @ 100", symbol="BTC/USD") == "LIMIT_EXPOSURE"
    assert floor.place("alice-2", "BUY 5 @ 100", symbol="BTC/USD") == "ACCEPTED 0/5"
    assert floor.place("alice-3", "BUY 1 @ 1") == "ACCEPTED 0/1"  # 11 × 150, Bitcoin has no mark
    assert floor.place("alice-4", "BUY 3 @ 1") == "LIMIT_EXPOSURE"
    assert floor.place("alice-5", "SELL 10 @ 200") == "ACCEPTED 0/10"


def test_exposure_may_be_limited_in_one_symbol(floor: Floor) -> None:
    limit(floor, "firm", "EXPOSURE", "500", instrument=1)

    assert floor.place("charlie-1", "BUY 5 @ 100") == "ACCEPTED 0/5"
    reply = floor.do(submit_command("alice-1", "BUY 1 @ 100"))
    assert isinstance(reply, DeniedReply)
    assert (reply.facts["scope"], reply.facts["limit"]) == ("The firm", "500")
    assert reply.facts["would_be"] == "600"
    assert floor.place("alice-2", "BUY 9 @ 100", symbol="BTC/USD") == "ACCEPTED 0/9"


# --- what it costs, and what is kept


def test_usage_is_counted_only_while_a_limit_needs_it(floor: Floor) -> None:
    limit(floor, "firm", "ORDER_VALUE", "500")
    assert floor.state.limits.usage is None
    limit(floor, "firm", "OPEN_ORDERS", "5")
    assert floor.state.limits.usage is not None

    allow(floor, "firm", "OPEN_ORDERS", None, 1)

    assert floor.state.limits.usage is None
    assert floor.state.limits.judging == 1


def test_a_limit_names_its_value_as_it_was_given(floor: Floor) -> None:
    assert told(floor.do(limit_command("firm", "ORDER_VALUE", "0.00000001"))) == "set 1"
    ((_, held),) = floor.state.limits.by_key.items()
    assert units_to_wire(held.value or 0) == "0.00000001"


# --- M15


def test_what_if_changes_nothing_and_takes_of_no_budget(floor: Floor) -> None:
    limit(floor, "account:3", "ORDER_RATE", "1", window=10)
    limit(floor, "account:3", "REPEATED_ORDERS", "1", window=10)
    limit(floor, "account:3", "POSITION", "10")

    for _ in range(3):
        reply = floor.do(commands.WhatIf(submit_command("alice-1", "BUY 4 @ 100")))
        assert isinstance(reply, WhatIfReply)
        assert reply.denied is None
        (view,) = reply.limits
        assert (view.scope, view.kind, view.limit, view.would_be) == (
            "This account", "position", "10", "4",
        )  # fmt: skip
        assert floor.changes.is_empty

    assert floor.place("alice-1", "BUY 4 @ 100") == "ACCEPTED 0/4"


def test_usage_tells_what_limits_come_to_now(floor: Floor) -> None:
    floor.give("alice", "10", "100")
    for kind, value in (("OPEN_ORDERS", "5"), ("POSITION", "50"), ("EXPOSURE", "5000")):
        limit(floor, "firm", kind, value)
    limit(floor, "firm", "LEVERAGE", "2")
    limit(floor, "firm", "ORDER_VALUE", "5000")
    limit(floor, "firm", "DAILY_LOSS", "100")
    floor.place("charlie-1", "BUY 2 @ 90")
    floor.do(EvaluateLosses())
    floor.quote(bids="94x1", asks="96x1")

    reply = floor.do(ReadUsage())

    assert isinstance(reply, UsageReply)
    assert {key: units_to_wire(value) for key, value in reply.used.items()} == {
        "firm OPEN_ORDERS": "1",
        "firm POSITION": "12",
        "firm EXPOSURE": "1140",
        "firm LEVERAGE": "0.09547738",
        "firm DAILY_LOSS": "50",
    }
    assert floor.changes.is_empty


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        (("110", "95"), None),
        (("110", ""), "GROUP_LEGS_INVALID"),
        (("99", "95"), "GROUP_PRICES_INVALID"),
        (("110.001", "95"), "PRICE_OFF_TICK"),
    ],
)
def test_what_if_judges_the_legs_of_a_group_too(
    floor: Floor, legs: tuple[str, str], reason: str | None
) -> None:
    profit, loss = (Decimal(price) if price else None for price in legs)
    group = GroupTerms(OrderClass.BRACKET, profit, loss)
    command = msgspec.structs.replace(submit_command("alice-1", "BUY 4 @ 100"), group=group)

    reply = floor.do(commands.WhatIf(command))

    assert isinstance(reply, WhatIfReply)
    assert (reply.denied and reply.denied.reason) == reason
    assert floor.changes.is_empty


def test_what_if_tells_what_the_order_would_be(floor: Floor) -> None:
    floor.give("alice", "5", "100")
    floor.quote(bids="99x10", asks="101x10")
    value = msgspec.structs.replace(
        submit_command("alice-1", "BUY 1 MARKET"), quantity=Decimal(0), notional=Decimal(350)
    )
    trailing = submit_command("alice-2", "SELL 5 TRAIL 2%")

    views = [floor.do(commands.WhatIf(command)) for command in (value, trailing)]

    assert [view.outlook for view in views if isinstance(view, WhatIfReply)] == [
        OutlookView(quantity="3"),
        OutlookView(quantity="5", stop_price="98", hwm="100"),
    ]
