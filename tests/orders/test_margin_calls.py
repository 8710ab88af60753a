"""Margin calls with a real engine and the real tables: docs/fees-and-margin.md L9 to L15."""

from typing import Any

import pytest
from alpaca.trading.enums import OrderStatus
from alpaca.trading.models import Order as AlpacaOrder
from django.test import Client

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from core.models import AuditEntry, Event
from orders.domain.market_commands import CheckMargin
from orders.models import Order
from portfolio.models import Position, TradingAccount
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote
from tests.orders.test_margin import let_borrow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def borrow(engine: EngineProcess, desk: Desk) -> None:
    """Alice has borrowed 5150 for 150 shares: called below 45.78, not waited for below 39.24."""
    let_borrow(engine, desk)
    assert desk.place(engine, "alice", "BUY 150 @ 101") == "FILLED 150/150"


def look(engine: EngineProcess, bid: int) -> TradingAccount:
    engine.ask(quote(bids=f"{bid}x500", asks=f"{bid + 2}x500"))
    engine.ask(CheckMargin())
    return TradingAccount.objects.get(name="Alice")


def kinds(account: TradingAccount) -> list[str]:
    told = Event.objects.filter(account_id=account.pk, kind__contains="Margin").order_by("id")
    return list(told.values_list("kind", flat=True))


def test_a_call_outlives_a_kill_and_is_met_by_a_deposit(engine: EngineProcess, desk: Desk) -> None:
    borrow(engine, desk)

    called = look(engine, 44)
    engine.restart_after_kill()

    assert (called.margin_called_at is None, called.forced_closing) == (False, "")
    assert desk.place(engine, "alice", "BUY 1 @ 20") == "MARGIN_CALLED"
    assert desk.place(engine, "alice", "SELL 1 @ 200") == "ACCEPTED 0/1"
    engine.ask(desk.deposit("alice", "100000"))
    assert kinds(called) == ["MarginCalled", "MarginCallMet"]
    called.refresh_from_db()
    assert called.margin_called_at is None
    assert_clean()


def test_forced_closing_is_flagged_audited_and_ends(engine: EngineProcess, desk: Desk) -> None:
    borrow(engine, desk)
    desk.place(engine, "alice", "SELL 150 @ 200")

    account = look(engine, 38)
    engine.restart_after_kill()
    while account.margin_called_at is not None:
        account = look(engine, 38)

    forced = Order.objects.exclude(forced="")
    assert set(forced.values_list("forced", "type", "side", "status", "submitted_by_id")) == {
        ("MARGIN_FLOOR", "MARKET", "SELL", "FILLED", 0)
    }
    assert Order.objects.get(limit_price=200).reason == "MARGIN_CALL"
    audited = AuditEntry.objects.filter(action="PositionClosedByForce")
    assert audited.count() == forced.count()
    assert 0 < Position.objects.get(account=account).quantity < 150
    assert kinds(account)[0] == "MarginCalled"
    assert kinds(account)[-1] == "MarginCallMet"
    told = as_told_to_alice()
    assert {order["forced"] for order in told} == {None, "MARGIN_FLOOR"}
    assert {order["id"] for order in told if order["forced"]} == {str(row.pk) for row in forced}
    read = [AlpacaOrder(**order) for order in told]
    assert {order.status for order in read if order.type == "market"} == {OrderStatus.FILLED}
    assert_clean()


def as_told_to_alice() -> list[dict[str, Any]]:  # Any: JSON
    """Her orders in the dialect, as a program of hers reads them."""
    key, secret = create_api_key(
        user=User.objects.get(username="alice"),
        scopes=[Scope.READ],
        origin=Origin(now=SystemClock().now()),
    )
    client = Client(headers={"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": secret})
    orders: list[dict[str, Any]] = client.get("/v2/orders?status=all").json()
    return orders


def test_the_engine_looks_by_itself(engine: EngineProcess, desk: Desk) -> None:
    borrow(engine, desk)

    engine.ask(quote(bids="44x500", asks="46x500"))
    while not kinds(desk.accounts["alice"]):
        engine.ask(quote(bids="44x500", asks="46x500"))

    assert kinds(desk.accounts["alice"]) == ["MarginCalled"]
