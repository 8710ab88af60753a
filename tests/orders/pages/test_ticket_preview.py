"""The ticket's what-if before a running engine: its verdict, limits, margin and what it alone knows
(docs/risk.md M15).
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from core.domain.origin import Origin
from orders.domain import commands
from orders.models import Order
from orders.services.limits import Wanted, set_limit
from risk.domain.limit_tree import LimitKey, LimitKind
from risk.domain.scopes import Scope, ScopeKind
from tests.engine_process import EngineProcess, wait_until
from tests.orders.desk import Desk, quote
from tests.orders.pages.asked import JSON, ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
BRACKET = {"order_class": "BRACKET", "take_profit": "110", "stop_loss": "95"}


@pytest.fixture
def alice(desk: Desk, engine: EngineProcess) -> Client:
    """Alice, signed in; the street stands at 99 and 101."""
    engine.ask(quote(bids="99x50", asks="101x50"))
    client = Client()
    client.force_login(User.objects.get(username="alice"))
    wait_until(lambda: seen(client, type="MARKET")["estimated_price"] == "101", "pages see it")
    return client


def seen(client: Client, **changes: str) -> dict[str, Any]:  # Any: JSON
    query = ticket(symbol="AAPL", limit_price="100", **changes)
    answer: dict[str, Any] = client.get("/orders/preview", query, headers=JSON).json()
    return answer


def limit(desk: Desk, kind: LimitKind, value: str) -> None:
    scope = Scope(ScopeKind.ACCOUNT, desk.accounts["alice"].pk)
    set_limit(
        key=LimitKey(scope, kind), wanted=Wanted(Decimal(value)), reason="a quiet day",
        actor=None, origin=Origin(now=desk.accounts["alice"].created_at),
    )  # fmt: skip


def test_the_engine_tells_what_a_value_buys_and_where_a_trail_begins(
    alice: Client, desk: Desk, engine: EngineProcess
) -> None:
    desk.place(engine, "alice", "BUY 10 @ 101 IOC")

    value = seen(alice, type="MARKET", size_by="VALUE", notional="350", quantity="")
    trail = seen(alice, side="SELL", type="TRAILING_STOP", trail="2", trail_by="PERCENT")
    too_little = seen(alice, type="MARKET", size_by="VALUE", notional="50", quantity="")

    assert (value["quantity"], value["estimated_price"]) == ("3", "101")
    assert (trail["accepted"], trail["hwm"], trail["stop_price"]) == (True, "101", "98.98")
    assert trail["estimated_price"] == "98.98"
    assert (too_little["reason"], too_little["field"]) == ("NOTIONAL_TOO_SMALL", "notional")
    assert "worth 101" in too_little["message"]


def test_the_exits_are_judged_and_drawn_with_what_they_bring(
    alice: Client, desk: Desk, engine: EngineProcess
) -> None:
    whole = seen(alice, **BRACKET)
    wrong = seen(alice, **{**BRACKET, "take_profit": "99"})
    nothing_to_close = seen(alice, side="SELL", order_class="OCO", stop_loss="90")
    desk.place(engine, "alice", "BUY 10 @ 101 IOC")
    pair = seen(alice, side="SELL", order_class="OCO", stop_loss="90")

    assert whole["accepted"]
    assert [(row["text"], row["gain"]) for row in whole["scale"]["levels"]] == [
        ("Take profit 110.00 +10.0%", "+100.00"),
        ("Entry 100.00", ""),
        ("Stop loss 95.00 −5.0%", "−50.00"),
    ]
    assert whole["scale"]["ratio"] == "Reward to risk 2.0"
    assert (wrong["reason"], wrong["field"]) == ("GROUP_PRICES_INVALID", "take_profit")
    assert nothing_to_close["reason"] == "POSITION_INSUFFICIENT"
    assert [(row["text"], row["gain"]) for row in pair["scale"]["levels"]] == [
        ("Entry 101.00", ""),
        ("Take profit 100.00 −1.0%", "−10.00"),
        ("Stop loss 90.00 −10.9%", "−110.00"),
    ]
    assert not Order.objects.exclude(type="LIMIT", status="FILLED").exists()


def test_the_limit_that_is_nearest_is_told_with_what_is_left(alice: Client, desk: Desk) -> None:
    nothing = seen(alice)
    for kind, value in (("POSITION", "50"), ("ORDER_VALUE", "1250"), ("OPEN_ORDERS", "20")):
        limit(desk, LimitKind(kind), value)

    passing = seen(alice)
    refused = seen(alice, quantity="13")

    assert (nothing["headroom"], nothing["headroom_note"]) == ("none on its path", "")
    assert passing["headroom"] == "250.00 USD left"
    assert passing["headroom_note"] == (
        "Value of an order, This account: 1,000.00 USD of 1,250.00 USD"
    )
    assert (refused["accepted"], refused["reason"]) == (False, "LIMIT_ORDER_VALUE")
    assert refused["headroom"] == "exceeded by 50.00 USD"


def test_a_margin_account_reads_from_which_price_on_it_is_called(
    alice: Client, desk: Desk, engine: EngineProcess
) -> None:
    cash = seen(alice)
    engine.ask(commands.SetMargin(desk.accounts["alice"].pk, 2, True, "r", "a reason"))

    texts = [
        seen(alice, quantity=quantity, side=side)["margin_call"]
        for quantity, side in (("10", "BUY"), ("150", "BUY"), ("100", "SELL"))
    ]

    assert cash["margin_call"] == ""
    assert texts == ["at no price", "below 44.45", "above 153.84"]


def test_without_scripts_the_ticket_asks_what_if_and_then_places_all_of_it(
    alice: Client, desk: Desk
) -> None:
    form = ticket(symbol="AAPL", limit_price="100", **BRACKET)

    asked = alice.post("/orders/place", {**form, "what_if": "1"})
    html = asked.content.decode()
    assert asked.status_code == 200
    assert "Take profit 110.00 +10.0%" in html
    assert 'value="110"' in html
    assert not Order.objects.exists()
    wrong = alice.post("/orders/place", {**form, "stop_loss": "95.001"}, headers=JSON)
    assert (wrong.status_code, wrong.json()["facts"]["field"]) == (422, "stop_loss")
    assert alice.post("/orders/place", form).status_code == 302

    orders = {order.leg: order for order in Order.objects.all()}
    assert {leg: order.status for leg, order in orders.items()} == {
        "ENTRY": "ACCEPTED", "TAKE_PROFIT": "HELD", "STOP_LOSS": "HELD",
    }  # fmt: skip
    shown = alice.get(f"/orders/{orders['STOP_LOSS'].pk}", headers=JSON).json()
    assert [
        (row["part"], row["text"], row["status"], row["is_chosen"]) for row in shown["group"]
    ] == [
        ("Entry", "Buy 10 AAPL, Limit 100.00", "Working", False),
        ("Take profit", "Sell 10 AAPL, Limit 110.00", "Waits for its entry", False),
        ("Stop loss", "Sell 10 AAPL, Stop 95.00", "Waits for its entry", True),
    ]
    assert [UUID(row["url"][-36:]) for row in shown["group"][:2]] == [
        orders["ENTRY"].pk, orders["TAKE_PROFIT"].pk,
    ]  # fmt: skip
    assert [row["gain"] for row in shown["scale"]["levels"]] == ["+100.00", "", "−50.00"]
