"""The kill switch on every path, with a real engine: docs/risk.md W2, W3, W5 and W6."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.models import AuditEntry, Event
from orders.models import Order
from orders.services import trading_states
from portfolio.models import Desk as DeskRow
from portfolio.models import TradingAccount
from risk.domain.scopes import FIRM
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest, ScheduledSwitch, TradingState
from tests.accounts.console import run, shown
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Ask = Callable[..., HttpResponse]


@pytest.fixture
def people(desk: Desk, make_user: Callable[..., User]) -> dict[str, User]:
    """The traders of the desk, Olga and Odin who operate, and Rita who manages risk."""
    made = {name: User.objects.get(username=name) for name in ("alice", "bob", "charlie")}
    for name, role in (("olga", "operator"), ("odin", "operator"), ("rita", "risk_manager")):
        made[name] = make_user(name, role=role)
    return made


@pytest.fixture
def ask(people: dict[str, User]) -> Ask:
    """Calls the API as somebody, with a key of all the scopes that their roles allow."""
    headers: dict[str, dict[str, str]] = {}
    for name, user in people.items():
        is_trader = name in {"alice", "bob", "charlie"}
        scopes = [Scope.READ, Scope.TRADE if is_trader else Scope.RISK]
        key, secret = create_api_key(
            user=user, scopes=scopes, origin=Origin(now=SystemClock().now())
        )
        headers[name] = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}

    def call(who: str, path: str, **fields: object) -> HttpResponse:
        client = Client(headers=headers[who])
        if not fields:
            return client.get(f"/api/v1/{path}")  # type: ignore[return-value]
        body = {} if fields == {"send": True} else fields
        return client.post(f"/api/v1/{path}", body, content_type="application/json")  # type: ignore[return-value]

    return call


def body(response: HttpResponse) -> Any:  # Any: JSON
    return response.json()  # type: ignore[attr-defined]


def account_scope(desk: Desk, who: str) -> str:
    return f"account:{desk.accounts[who].public_id}"


# --- the API


def test_a_trader_halts_her_own_account(engine: EngineProcess, desk: Desk, ask: Ask) -> None:
    desk.place(engine, "alice", "BUY 5 @ 90")
    desk.place(engine, "alice", "BUY 5 STOP 120")
    desk.place(engine, "charlie", "BUY 5 @ 89")

    answer = ask("alice", "kill", scope="account", reason="runaway program")

    assert answer.status_code == 200
    assert body(answer) == {
        "scope": account_scope(desk, "alice"), "state": "halted", "version": 1, "canceled": 2,
    }  # fmt: skip
    ends = Order.objects.order_by("sequence").values_list("status", "reason")
    assert list(ends) == [
        ("CANCELED", "KILL_SWITCH"), ("CANCELED", "KILL_SWITCH"), ("ACCEPTED", ""),
    ]  # fmt: skip
    assert desk.place(engine, "bob", "BUY 5 @ 90") == "TRADING_HALTED"
    assert desk.place(engine, "charlie", "BUY 5 @ 90") == "ACCEPTED 0/5"
    entry = AuditEntry.objects.get(action="TradingStateChanged")
    assert (entry.actor and entry.actor.username, entry.reason) == ("alice", "runaway program")
    halted = Event.objects.filter(kind="TradingHalted").values_list("account_id", flat=True)
    house = TradingAccount.objects.get(kind="HOUSE").pk
    assert sorted(halted) == sorted([desk.accounts["alice"].pk, house])
    assert_clean()


def test_nobody_halts_what_is_not_theirs(engine: EngineProcess, desk: Desk, ask: Ask) -> None:
    strange = ask("charlie", "kill", scope=account_scope(desk, "alice"), reason="envy")
    firm = ask("charlie", "kill", scope="firm", reason="envy")
    symbol = ask("charlie", "kill", scope="symbol:AAPL", reason="envy")
    nothing = ask("olga", "kill", scope="desk:Nobody", reason="a typo")

    assert [each.status_code for each in (strange, firm, symbol, nothing)] == [404, 403, 403, 404]
    assert TradingState.objects.count() == 0
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "ACCEPTED 0/5"


def test_a_trader_may_not_approve(engine: EngineProcess, ask: Ask) -> None:
    ask("alice", "kill", scope="account", reason="a test")
    asked = body(ask("alice", "enable", scope="account", reason="all is well"))

    assert ask("bob", f"enable/{asked['id']}/approve", send=True).status_code == 403
    assert ask("bob", f"enable/{asked['id']}/reject", reason="no").status_code == 403


def test_enabling_takes_two_persons(engine: EngineProcess, desk: Desk, ask: Ask) -> None:
    ask("olga", "kill", scope="firm", reason="a test")
    asked = body(ask("olga", "enable", scope="firm", reason="all is well"))
    assert asked["status"] == "pending"

    own = ask("olga", f"enable/{asked['id']}/approve", send=True)
    assert (own.status_code, body(own)["reason"]) == (403, "SAME_PERSON")
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "TRADING_HALTED"
    approved = ask("rita", f"enable/{asked['id']}/approve", send=True)

    assert body(approved) == {"scope": "firm", "state": "active", "version": 2, "canceled": 0}
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "ACCEPTED 0/5"
    request = ChangeRequest.objects.get()
    assert (request.status, request.decided_by and request.decided_by.username) == (
        "APPROVED",
        "rita",
    )
    trail = AuditEntry.objects.order_by("id").values_list("actor__username", "action")
    assert [*trail][-3:] == [
        ("olga", "TradingStateChanged"),
        ("olga", "TradingEnableRequested"),
        ("rita", "TradingStateChanged"),
    ]
    assert ask("rita", f"enable/{asked['id']}/approve", send=True).status_code == 409


def test_two_approvals_at_once_have_one_effect(
    engine: EngineProcess, ask: Ask, people: dict[str, User]
) -> None:
    ask("olga", "kill", scope="firm", reason="a test")
    asked = ask("olga", "enable", scope="firm", reason="all is well")
    request = ChangeRequest.objects.get(pk=body(asked)["id"])

    def approve(name: str) -> str:
        try:
            origin = Origin(now=SystemClock().now(), request_id=name)
            trading_states.approve(request=request, actor=people[name], origin=origin)
        except Refusal as refusal:
            return str(refusal.reason)
        finally:
            connection.close()
        return "approved"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(approve, ("odin", "rita")))

    assert outcomes == ["STATE_CHANGED_MEANWHILE", "approved"]
    assert TradingState.objects.get().version == 2


def test_a_request_does_not_take_back_a_later_switch(engine: EngineProcess, ask: Ask) -> None:
    ask("olga", "kill", scope="firm", reason="first")
    first = body(ask("olga", "enable", scope="firm", reason="all is well"))
    second = body(ask("odin", "enable", scope="firm", reason="all is well"))
    ask("rita", f"enable/{first['id']}/approve", send=True)
    ask("olga", "kill", scope="firm", reason="again")

    late = ask("rita", f"enable/{second['id']}/approve", send=True)

    assert (late.status_code, body(late)["reason"]) == (409, "STATE_CHANGED_MEANWHILE")
    assert TradingState.objects.get().state == "HALTED"


def test_a_request_expires_and_can_be_rejected(engine: EngineProcess, ask: Ask) -> None:
    ask("olga", "kill", scope="firm", reason="a test")
    asked = body(ask("olga", "enable", scope="firm", reason="all is well"))
    turned_down = body(ask("olga", "enable", scope="firm", reason="once more"))
    ChangeRequest.objects.filter(pk=asked["id"]).update(expires_at=SystemClock().now())

    late = ask("rita", f"enable/{asked['id']}/approve", send=True)
    rejected = ask("rita", f"enable/{turned_down['id']}/reject", reason="not yet")

    assert late.status_code == 409
    assert body(rejected)["status"] == "rejected"
    assert ask("odin", f"enable/{turned_down['id']}/approve", send=True).status_code == 409
    assert TradingState.objects.get().state == "HALTED"


def test_everybody_sees_what_binds_them(engine: EngineProcess, desk: Desk, ask: Ask) -> None:
    ask("alice", "kill", scope="account", reason="a test")
    ask("alice", "kill", scope="strategy:momentum", reason="a test")
    ask("olga", "kill", scope="symbol:AAPL", reason="a test", state="cancel_only")
    ask("alice", "enable", scope="account", reason="all is well")

    def seen(who: str) -> tuple[list[str], int]:
        found = body(ask(who, "risk/state"))
        return sorted(row["scope"] for row in found["scopes"]), len(found["requests"])

    own = account_scope(desk, "alice")
    everything = [own, own.replace("account", "strategy") + ":momentum", "symbol:AAPL"]
    assert seen("alice") == seen("bob") == seen("rita") == (everything, 1)
    assert seen("charlie") == (["symbol:AAPL"], 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"scope": "firm"},
        {"scope": "firm", "reason": ""},
        {"scope": "firm", "reason": "x" * 501},
        {"scope": "firm", "reason": 5},
        {"scope": "firm", "reason": "a\0b"},
        {"scope": "firm", "reason": "r", "state": "active"},
        {"scope": "firm", "reason": "r", "state": "HALTED"},
        {"scope": "firm", "reason": "r", "force": True},
    ],
)
def test_a_malformed_switch_is_refused(
    engine: EngineProcess, ask: Ask, fields: dict[str, object]
) -> None:
    assert ask("olga", "kill", **fields).status_code in {400, 422}
    assert TradingState.objects.count() == 0


# --- pages, console, command line, schedule


def test_the_page_s_button_halts_the_account(
    engine: EngineProcess, desk: Desk, people: dict[str, User]
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 90")
    client = Client(headers={"Accept": "application/json"})
    client.force_login(people["alice"])

    answer = client.post("/risk/kill", {"reason": "runaway"})
    asked = client.post("/risk/enable", {"reason": "all is well"})
    strange = client.post("/risk/kill", {"reason": "r", "scope": "firm"})

    assert answer.json() == {"state": "HALTED", "canceled": 1}
    assert asked.status_code == 201
    assert strange.status_code == 403
    assert ChangeRequest.objects.get().asked_by == people["alice"]


def test_the_console_halts_and_enables(
    engine: EngineProcess, desk: Desk, people: dict[str, User]
) -> None:
    consoles = {}
    for name in ("olga", "odin"):
        consoles[name] = Client()
        consoles[name].force_login(people[name])

    halted = run(consoles["olga"], TradingAccount, "kill", desk.accounts["alice"])
    state = TradingState.objects.get()
    run(consoles["olga"], TradingState, "ask_to_enable", state, state="ACTIVE")
    request = ChangeRequest.objects.get()
    own = run(consoles["olga"], ChangeRequest, "approve", request)
    assert "somebody else has to approve it" in shown(own)[0]
    approved = run(consoles["odin"], ChangeRequest, "approve", request)

    assert shown(halted)[0].endswith("halted; 0 orders were canceled.")
    assert shown(approved)[0].endswith("approved; the scope is ACTIVE now.")
    assert TradingState.objects.get().state == "ACTIVE"


def test_the_console_restricts_any_scope_and_makes_desks(
    engine: EngineProcess, desk: Desk, people: dict[str, User]
) -> None:
    console = Client()
    console.force_login(people["rita"])
    form = {"act_id": "8e03978e-40d5-43e8-bc93-6894a57f9324", "reason": "a good reason"}

    console.post("/admin/portfolio/desk/add/", {**form, "name": "Equities"})
    row = DeskRow.objects.get()
    joined = run(console, TradingAccount, "join_desk", desk.accounts["alice"], desk=str(row.pk))
    console.post(
        "/admin/risk/tradingstate/add/", {**form, "scope": "desk:Equities", "state": "HALTED"}
    )

    assert shown(joined)[0].endswith("joined Equities.")
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "TRADING_HALTED"
    assert desk.place(engine, "charlie", "BUY 5 @ 90") == "ACCEPTED 0/5"
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "TRADING_HALTED"


@pytest.mark.parametrize("is_running", [True, False])
def test_the_command_line_halts_a_running_and_a_stopped_portal(
    engine: EngineProcess, desk: Desk, people: dict[str, User], is_running: bool
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 90")
    if not is_running:
        engine.kill()

    call_command("kill", "--scope", "firm", "--reason", "fire alarm")
    with pytest.raises(CommandError, match="no such scope"):
        call_command("kill", "--scope", "desk:Nobody", "--reason", "a typo")

    if not is_running:
        engine.start()
    assert Order.objects.get().reason == "KILL_SWITCH"
    assert desk.place(engine, "alice", "BUY 5 @ 90") == "TRADING_HALTED"
    assert_clean()


def test_a_scheduled_switch_is_made_once_at_its_time(
    engine: EngineProcess, desk: Desk, people: dict[str, User], now: datetime
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 90")
    for minutes, state in ((5, State.HALTED), (6, State.REDUCE_ONLY)):
        trading_states.schedule_switch(
            scope=FIRM,
            state=state,
            reason="a planned stop",
            due_at=now + timedelta(minutes=minutes),
            actor=people["olga"],
            origin=Origin(now=now),
        )

    early = trading_states.make_due_switches(now)
    on_time = trading_states.make_due_switches(now + timedelta(minutes=5))
    later = trading_states.make_due_switches(now + timedelta(minutes=7))

    assert (early, on_time, later) == (0, 1, 1)
    outcomes = ScheduledSwitch.objects.order_by("due_at").values_list("outcome", flat=True)
    assert list(outcomes) == [
        "HALTED, 1 orders canceled",
        "From HALTED to REDUCE_ONLY takes two persons: one asks for it, another approves.",
    ]
    assert TradingState.objects.get().state == "HALTED"


def test_a_trader_may_not_schedule(engine: EngineProcess, people: dict[str, User]) -> None:
    now = SystemClock().now()
    with pytest.raises(Refusal, match="role"):
        trading_states.schedule_switch(
            scope=FIRM,
            state=State.HALTED,
            reason="envy",
            due_at=now,
            actor=people["alice"],
            origin=Origin(now=now),
        )
