"""The page of limits and the what-if of the API: docs/risk.md M2, M15."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.models import AuditEntry
from orders.models import Order
from portfolio.models import Desk as PortfolioDesk
from portfolio.models import TradingAccount
from risk.models import ChangeRequest, Limit
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

LIMIT = {"kind": "OPEN_ORDERS", "value": "4", "reason": "a quiet day"}


@pytest.fixture
def people(desk: Desk, make_user: Callable[..., User]) -> dict[str, Client]:
    """Alice and Charlie who trade, Olga who operates, Rita who manages risk, signed in."""
    for name, role in (("olga", "operator"), ("rita", "risk_manager")):
        make_user(name, role=role)
    clients = {}
    for name in ("alice", "charlie", "olga", "rita"):
        clients[name] = Client()
        clients[name].force_login(User.objects.get(username=name))
    return clients


def text(response: Any) -> str:  # Any: the test client's response
    return str(response.content.decode())


def test_a_limit_is_set_shown_with_its_use_and_raised_by_two(
    engine: EngineProcess, desk: Desk, people: dict[str, Client]
) -> None:
    desk.place(engine, "alice", "BUY 1 @ 90")

    made = people["olga"].post("/risk/limits/set", {**LIMIT, "scope": "firm"}, follow=True)
    assert "The limit is in force." in text(made)
    shown = text(people["alice"].get("/risk/limits"))
    assert "The firm" in shown
    assert "Open orders" in shown
    assert 'value="25">25%</meter>' in shown
    assert "1 order in use (25 %), 3 orders left" in shown

    asked = people["olga"].post(
        "/risk/limits/set", {**LIMIT, "scope": "firm", "value": "9"}, follow=True
    )
    assert "Somebody else has to approve it." in text(asked)
    request = ChangeRequest.objects.get()
    own = people["olga"].post(f"/risk/limits/requests/{request.pk}", {"decision": "approve"})
    assert own.status_code == 302
    assert Limit.objects.get().value == 4
    people["rita"].post(f"/risk/limits/requests/{request.pk}", {"decision": "approve"})

    assert Limit.objects.get().value == 9


def test_a_request_is_rejected_on_the_page(
    engine: EngineProcess, people: dict[str, Client]
) -> None:
    for value in ("4", "9"):
        people["olga"].post("/risk/limits/set", {**LIMIT, "scope": "firm", "value": value})
    request = ChangeRequest.objects.get()

    people["rita"].post(f"/risk/limits/requests/{request.pk}", {"decision": "reject"})

    request.refresh_from_db()
    assert request.status == "REJECTED"
    assert Limit.objects.get().value == 4


def test_traders_see_and_set_what_is_theirs(
    engine: EngineProcess, desk: Desk, people: dict[str, Client]
) -> None:
    own = people["alice"].post("/risk/limits/set", {**LIMIT, "scope": "account"}, follow=True)
    firm = people["alice"].post("/risk/limits/set", {**LIMIT, "scope": "firm"})
    strange = people["charlie"].post(
        "/risk/limits/set", {**LIMIT, "scope": f"account:{desk.accounts['alice'].public_id}"}
    )
    people["alice"].post("/risk/limits/set", {**LIMIT, "scope": "account", "value": "9"})
    request = ChangeRequest.objects.get()
    decided = people["alice"].post(f"/risk/limits/requests/{request.pk}", {"decision": "approve"})

    statuses = [own.status_code, firm.status_code, strange.status_code, decided.status_code]
    assert statuses == [200, 403, 404, 404]
    assert "Account Alice" in text(people["alice"].get("/risk/limits"))
    assert "Account Alice" not in text(people["charlie"].get("/risk/limits"))
    assert Limit.objects.get().value == 4


@pytest.mark.parametrize(
    "fields",
    [{"kind": "nonsense"}, {"value": "-1"}, {"value": "1.5"}, {"symbol": "NONE"}, {"reason": ""}],
)
def test_what_cannot_be_is_shown_on_the_form(
    engine: EngineProcess, people: dict[str, Client], fields: dict[str, str]
) -> None:
    answer = people["olga"].post("/risk/limits/set", {**LIMIT, "scope": "firm", **fields})

    assert answer.status_code == 422
    assert "field-error" in text(answer)
    assert Limit.objects.count() == 0


def test_the_page_needs_no_engine_and_nobody_unknown(
    engine: EngineProcess, people: dict[str, Client]
) -> None:
    people["olga"].post("/risk/limits/set", {**LIMIT, "scope": "firm"})
    engine.kill()

    assert "The engine cannot be reached" in text(people["alice"].get("/risk/limits"))
    assert Client().get("/risk/limits").status_code == 302


def test_the_tree_shows_what_binds_and_what_is_never_reached(
    engine: EngineProcess, desk: Desk, people: dict[str, Client]
) -> None:
    name = "a <b>desk</b>"
    offline_desk = PortfolioDesk.objects.create(name=name)
    TradingAccount.objects.filter(name="Alice").update(desk=offline_desk)
    engine.restart_after_kill()
    wide, narrow = {**LIMIT, "scope": "firm"}, {**LIMIT, "scope": "account", "value": "7"}
    people["olga"].post("/risk/limits/set", wide)
    people["alice"].post("/risk/limits/set", narrow)

    shown = text(people["alice"].get("/risk/limits"))

    assert ">The firm</h3>" in shown
    assert "The firm › </span>Desk a &lt;b&gt;desk&lt;/b&gt;</h3>" in shown
    assert "The firm › Desk a &lt;b&gt;desk&lt;/b&gt; › </span>Account Alice</h3>" in shown
    assert "No limit of its own; what stands above it binds it." in shown
    assert shown.count("Never reached: The firm allows no more.") == 1
    assert shown.index(">The firm</h3>") < shown.index("Account Alice</h3>")
    assert "What every order has" in shown
    assert "1,000,000,000.00" in shown


def test_one_press_sets_what_is_recommended_and_leaves_what_is_set(
    engine: EngineProcess, desk: Desk, people: dict[str, Client]
) -> None:
    people["olga"].post(
        "/risk/limits/set", {**LIMIT, "scope": "firm", "kind": "ORDER_VALUE", "value": "500"}
    )

    strange = people["alice"].post("/risk/limits/recommended", {"reason": "for me"})
    made = people["olga"].post("/risk/limits/recommended", {"reason": "the first day"}, follow=True)
    again = people["olga"].post("/risk/limits/recommended", {"reason": "again"}, follow=True)

    assert strange.status_code == 403
    assert "Set for the firm: Order quantity, Open orders, Price collar, Order rate" in text(made)
    assert "none was missing" in text(again)
    held = {row.kind: (row.value, row.window_seconds) for row in Limit.objects.all()}
    assert held == {
        "ORDER_QUANTITY": (10_000_000, 0), "ORDER_VALUE": (500, 0), "OPEN_ORDERS": (200_000, 0),
        "PRICE_COLLAR": (1_000, 0), "ORDER_RATE": (20_000, 1), "REPEATED_ORDERS": (500, 10),
    }  # fmt: skip
    audited = AuditEntry.objects.filter(action="LimitChanged", reason="the first day")
    assert audited.count() == 5
    assert desk.place(engine, "alice", "BUY 1 @ 90") == "REFERENCE_MISSING"


# --- what if


@pytest.fixture
def ask(desk: Desk) -> Callable[..., HttpResponse]:
    alice = User.objects.get(username="alice")
    key, secret = create_api_key(
        user=alice, scopes=[Scope.READ, Scope.TRADE], origin=Origin(now=SystemClock().now())
    )
    client = Client(headers={"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret})

    def call(**fields: str) -> HttpResponse:
        order = {"symbol": "AAPL", "side": "buy", "type": "limit", "time_in_force": "gtc"}
        return client.post(  # type: ignore[return-value]
            "/api/v1/orders/preview", {**order, **fields}, content_type="application/json"
        )

    return call


def test_what_if_tells_what_limits_would_come_to_and_places_nothing(
    engine: EngineProcess, people: dict[str, Client], ask: Callable[..., Any]
) -> None:
    for kind, value in (("ORDER_VALUE", "500"), ("POSITION", "10"), ("PRICE_COLLAR", "100")):
        people["olga"].post(
            "/risk/limits/set", {**LIMIT, "scope": "firm", "kind": kind, "value": value}
        )

    passing = ask(qty="5", limit_price="100").json()
    refused = ask(qty="6", limit_price="100").json()

    assert passing["denied"]["reason"] == "REFERENCE_MISSING"
    assert refused["denied"]["reason"] == "LIMIT_ORDER_VALUE"
    assert refused["denied"]["facts"]["would_be"] == "600"
    assert [(view["kind"], view["limit"], view["would_be"]) for view in passing["limits"]] == [
        ("order_value", "500", "500"), ("position", "10", "5"), ("price_collar", "100", None),
    ]  # fmt: skip
    assert Order.objects.count() == 0


def test_what_if_asks_every_check(engine: EngineProcess, ask: Callable[..., Any]) -> None:
    assert ask(qty="1", limit_price="100").json() == {"denied": None, "limits": []}
    assert ask(qty="101", limit_price="100").json()["denied"]["reason"] == "FUNDS_INSUFFICIENT"
    assert ask(qty="1", limit_price="100.001").json()["denied"]["reason"] == "PRICE_OFF_TICK"
    assert ask(qty="nonsense", limit_price="100").status_code == 422
