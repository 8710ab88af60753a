"""Limits on every path, with a real engine: docs/risk.md M1, M2, W5."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.models import AuditEntry
from orders.services import change_requests
from risk.domain.limit_tree import LimitKind
from risk.models import ChangeRequest, Limit, TradingState, Watermark
from tests.accounts.console import run, shown
from tests.engine_process import EngineProcess, wait_until
from tests.orders.desk import Desk, assert_clean, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Ask = Callable[..., HttpResponse]


@pytest.fixture
def people(desk: Desk, make_user: Callable[..., User]) -> dict[str, User]:
    """The traders of the desk, Olga who operates, and Rita who manages risk."""
    made = {name: User.objects.get(username=name) for name in ("alice", "bob", "charlie")}
    for name, role in (("olga", "operator"), ("rita", "risk_manager")):
        made[name] = make_user(name, role=role)
    return made


@pytest.fixture
def ask(people: dict[str, User]) -> Ask:
    """Calls the limits' API as somebody, with a key of all the scopes that their roles allow."""
    headers: dict[str, dict[str, str]] = {}
    for name, user in people.items():
        is_trader = name in {"alice", "bob", "charlie"}
        scopes = [Scope.READ, Scope.TRADE if is_trader else Scope.RISK]
        key, secret = create_api_key(
            user=user, scopes=scopes, origin=Origin(now=SystemClock().now())
        )
        headers[name] = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret}

    def call(who: str, path: str = "", **fields: object) -> HttpResponse:
        client = Client(headers=headers[who])
        if not fields:
            return client.get(f"/api/v1/risk/limits{path}")  # type: ignore[return-value]
        body = {} if fields == {"send": True} else fields
        return client.post(f"/api/v1/risk/limits{path}", body, content_type="application/json")  # type: ignore[return-value]

    return call


def body(response: HttpResponse) -> Any:  # Any: JSON
    return response.json()  # type: ignore[attr-defined]


def account_scope(desk: Desk, who: str) -> str:
    return f"account:{desk.accounts[who].public_id}"


def test_a_limit_binds_at_once_and_after_a_restart(
    engine: EngineProcess, desk: Desk, ask: Ask
) -> None:
    answer = ask("olga", scope="firm", kind="order_quantity", value="5", reason="the first day")

    assert answer.status_code == 200
    assert body(answer) == {
        "scope": "firm", "kind": "order_quantity", "symbol": None, "value": "5",
        "window_seconds": 0, "version": 1,
    }  # fmt: skip
    assert desk.place(engine, "alice", "BUY 6 @ 90") == "LIMIT_ORDER_QUANTITY"
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "BUY 6 @ 90") == "LIMIT_ORDER_QUANTITY"
    assert desk.place(engine, "charlie", "BUY 5 @ 90") == "ACCEPTED 0/5"
    entry = AuditEntry.objects.get(action="LimitChanged")
    assert (entry.actor and entry.actor.username, entry.reason) == ("olga", "the first day")
    assert_clean()


def test_a_raise_takes_two_persons(engine: EngineProcess, desk: Desk, ask: Ask) -> None:
    ask("olga", scope="firm", kind="order_value", symbol="AAPL", value="500", reason="a test")
    wanted = {"scope": "firm", "kind": "order_value", "symbol": "AAPL", "reason": "a big day"}

    alone = ask("olga", **wanted, value="600")
    assert (alone.status_code, body(alone)["reason"]) == (403, "FOUR_EYES_REQUIRED")
    asked = body(ask("olga", "/raise", **wanted, value="600"))
    assert (asked["status"], asked["value"], asked["symbol"]) == ("pending", "600", "AAPL")
    own = ask("olga", f"/requests/{asked['id']}/approve", send=True)
    assert (own.status_code, body(own)["reason"]) == (403, "SAME_PERSON")
    assert desk.place(engine, "alice", "BUY 6 @ 100") == "LIMIT_ORDER_VALUE"
    approved = ask("rita", f"/requests/{asked['id']}/approve", send=True)

    assert (approved.status_code, body(approved)["status"]) == (200, "approved")
    assert desk.place(engine, "alice", "BUY 6 @ 100") == "ACCEPTED 0/6"
    (limit,) = body(ask("alice"))["limits"]
    assert (limit["scope"], limit["value"], limit["version"]) == ("firm", "600", 2)
    assert (limit["label"], limit["unit"], limit["used"]) == ("Order value", "money", None)
    trail = AuditEntry.objects.filter(action__startswith="Limit").order_by("id")
    assert [(entry.actor and entry.actor.username, entry.action) for entry in trail] == [
        ("olga", "LimitChanged"), ("olga", "LimitRaiseRequested"), ("rita", "LimitChanged"),
    ]  # fmt: skip
    assert_clean()


def test_kinds_have_words_and_the_recommended_ones_are_set_over_the_api(
    engine: EngineProcess, desk: Desk, ask: Ask
) -> None:
    kinds = body(ask("alice", "/kinds"))["kinds"]
    refused = ask("alice", "/recommended", reason="for me")
    made = ask("olga", "/recommended", reason="the first day")
    desk.place(engine, "alice", "BUY 1 STOP 200")

    assert [kind["kind"] for kind in kinds] == [kind.value.lower() for kind in LimitKind]
    assert kinds[8] == {
        "kind": "order_rate", "label": "Order rate", "unit": "orders",
        "meaning": "How many orders may come within its window of 1 to 3,600 seconds.",
        "has_window": True, "recommended": "20000", "recommended_window_seconds": 1,
    }  # fmt: skip
    assert (refused.status_code, body(refused)["reason"]) == (403, "NOT_PERMITTED")
    assert body(made) == {
        "set": [
            "order_quantity", "order_value", "open_orders", "price_collar", "order_rate",
            "repeated_orders",
        ]
    }  # fmt: skip
    used = {row["kind"]: (row["used"], row["value"]) for row in body(ask("alice"))["limits"]}
    assert used["open_orders"] == ("1", "200000")
    assert used["price_collar"] == (None, "1000")


def test_a_change_in_between_refuses_the_approval(engine: EngineProcess, ask: Ask) -> None:
    ask("olga", scope="firm", kind="open_orders", value="10", reason="a test")
    asked = body(
        ask("olga", "/raise", scope="firm", kind="open_orders", value=None, reason="a test")
    )
    ask("rita", scope="firm", kind="open_orders", value="3", reason="a worry")

    late = ask("rita", f"/requests/{asked['id']}/approve", send=True)

    assert (late.status_code, body(late)["reason"]) == (409, "STATE_CHANGED_MEANWHILE")
    assert Limit.objects.get().value == 3
    assert ChangeRequest.objects.get().status == "PENDING"


def test_a_request_is_rejected_once_and_expires(
    engine: EngineProcess, people: dict[str, User], ask: Ask
) -> None:
    ask("olga", scope="firm", kind="open_orders", value="10", reason="a test")
    wanted = {"scope": "firm", "kind": "open_orders", "value": "20", "reason": "a test"}
    first, second = (body(ask("olga", "/raise", **wanted))["id"] for _ in range(2))

    assert body(ask("rita", f"/requests/{first}/reject", reason="no"))["status"] == "rejected"
    assert ask("rita", f"/requests/{first}/approve", send=True).status_code == 409
    with pytest.raises(Refusal, match="expired"):
        change_requests.approve(
            request=ChangeRequest.objects.get(pk=second),
            actor=people["rita"],
            origin=Origin(now=SystemClock().now() + timedelta(hours=25)),
        )

    assert Limit.objects.get().value == 10


def test_traders_limit_what_is_theirs_and_nothing_else(
    engine: EngineProcess, desk: Desk, ask: Ask
) -> None:
    limit = {"kind": "order_quantity", "value": "5", "reason": "to be safe"}
    own = ask("alice", scope="account", **limit)
    strategy = ask("bob", scope="strategy:momentum", **limit)
    strange = ask("charlie", scope=account_scope(desk, "alice"), **limit)
    firm = ask("charlie", scope="firm", **limit)
    raised = ask("alice", "/raise", scope="account", **{**limit, "value": "6"})

    statuses = [each.status_code for each in (own, strategy, strange, firm, raised)]
    assert statuses == [200, 200, 404, 403, 201]
    assert body(ask("charlie")) == {"limits": [], "requests": []}
    assert len(body(ask("bob"))["limits"]) == 2
    request_id = body(raised)["id"]
    assert ask("alice", f"/requests/{request_id}/approve", send=True).status_code == 403
    assert ask("rita", f"/requests/{request_id}/approve", send=True).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"kind": "nonsense"}, 422),
        ({"value": "-1"}, 422),
        ({"value": "NaN"}, 422),
        ({"value": "1.5"}, 422),
        ({"value": True}, 422),
        ({"value": "1", "unheard_of": "3"}, 400),
        ({"symbol": "NONE"}, 404),
        ({"scope": "desk:Nobody"}, 404),
        ({"reason": ""}, 422),
    ],
)
def test_a_malformed_limit_is_refused(
    engine: EngineProcess, ask: Ask, fields: dict[str, object], status: int
) -> None:
    good = {"scope": "firm", "kind": "open_orders", "value": "1", "reason": "a test"}

    answer = ask("olga", **(good | fields))

    assert answer.status_code == status
    assert Limit.objects.count() == 0


def test_the_console_sets_lowers_and_asks(
    engine: EngineProcess, desk: Desk, people: dict[str, User]
) -> None:
    olga, rita = Client(), Client()
    olga.force_login(people["olga"])
    rita.force_login(people["rita"])
    form = {
        "act_id": "00000000-0000-4000-8000-000000000001", "scope": "firm", "reason": "a first one",
        "kind": "ORDER_QUANTITY", "symbol": "AAPL", "value": "10",
    }  # fmt: skip
    assert olga.post("/admin/risk/limit/add/", form).status_code == 302
    (limit,) = Limit.objects.all()

    run(olga, Limit, "lower", limit, value="5")
    run(olga, Limit, "ask_for_raise", limit, value="7")
    approved = run(rita, ChangeRequest, "approve", ChangeRequest.objects.get())

    assert shown(approved)[0].endswith(f"ORDER_QUANTITY 7 in instrument {limit.instrument_id} now.")
    limit.refresh_from_db()
    assert (limit.value, limit.version) == (7, 3)
    assert desk.place(engine, "alice", "BUY 8 @ 90") == "LIMIT_ORDER_QUANTITY"
    assert_clean()


def test_losses_stop_an_account_and_are_measured_on_after_a_restart(
    engine: EngineProcess, desk: Desk, ask: Ask
) -> None:
    engine.ask(quote(asks="100x10"))
    assert desk.place(engine, "alice", "BUY 10 MARKET") == "FILLED 10/10"
    ask("olga", scope="firm", kind="daily_loss", value="100", reason="a careful day")
    account_id = desk.accounts["alice"].pk
    wait_until(Watermark.objects.filter(account=account_id).exists, "the account is measured")

    engine.restart_after_kill()
    engine.ask(quote(bids="89x5", asks="91x5"))

    stopped = TradingState.objects.filter(scope=f"account:{account_id}")
    wait_until(stopped.exists, "the account is stopped")
    assert (stopped.get().state, stopped.get().reason) == (
        "REDUCE_ONLY", "Lost 100 USD today; the limit is 100",
    )  # fmt: skip
    assert desk.place(engine, "alice", "BUY 1 @ 80") == "TRADING_REDUCE_ONLY"
    assert desk.place(engine, "charlie", "BUY 1 @ 80") == "ACCEPTED 0/1"
    assert_clean()
