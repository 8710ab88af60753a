"""Margin accounts end to end: set on the console, stored, restarted, shown, proven."""

from collections.abc import Callable
from decimal import Decimal

import httpx
import pytest
from django.db import connection
from django.test import Client

from accounts.domain.roles import Role
from accounts.models import User
from core.models import AuditEntry
from orders.domain import commands
from orders.models import Order
from orders.verification import discrepancies
from portfolio.models import Balance, Hold, Position, TradingAccount
from tests.accounts.console import REASON, run, shown
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Make = Callable[..., httpx.Client]


def let_borrow(engine: EngineProcess, desk: Desk, multiplier: int = 2) -> None:
    """Alice has a margin account that may sell short; the street stands at 99 and 101."""
    engine.ask(commands.SetMargin(desk.accounts["alice"].pk, multiplier, True, "r"))
    engine.ask(quote(bids="99x500", asks="101x500"))


def test_an_operator_makes_a_margin_account(
    engine: EngineProcess, desk: Desk, make_user: Callable[..., User]
) -> None:
    alice, console = desk.accounts["alice"], Client()
    console.force_login(make_user("olga", role=Role.OPERATOR))

    done = run(
        console, TradingAccount, "set_margin", alice, multiplier="4", is_shorting_enabled="on"
    )

    assert shown(done)[0].endswith("the multiplier is now 4; it may sell short.")
    alice.refresh_from_db()
    assert (alice.margin_multiplier, alice.is_shorting_enabled) == (4, True)
    assert Balance.objects.get(account=alice).is_overdraft_allowed
    entry = AuditEntry.objects.get(action="AccountMarginSet")
    assert (entry.reason, entry.facts["multiplier_before"]) == (REASON, "1")
    assert_clean()


def test_only_operators_set_margin(desk: Desk, make_user: Callable[..., User]) -> None:
    console = Client()
    console.force_login(make_user("rita", role=Role.RISK_MANAGER))

    run(console, TradingAccount, "set_margin", desk.accounts["alice"], multiplier="4")

    assert not TradingAccount.objects.filter(margin_multiplier=4).exists()


def test_loans_shorts_and_holds_are_stored_and_come_back(engine: EngineProcess, desk: Desk) -> None:
    let_borrow(engine, desk)
    alice = desk.accounts["alice"].pk
    for text in ("SELL 20 MARKET", "BUY 5 @ 95", "SELL 3 @ 110", "SELL 2 STOP 90"):
        desk.place(engine, "alice", text)
    engine.kill()
    before = stored_state()

    engine.start()
    engine.ask(commands.ExpireOrders())

    assert stored_state() == before
    position = Position.objects.get(account_id=alice)
    assert (position.quantity, position.locked, position.is_short_allowed) == (-20, 5, True)
    closing, opening, stop = Order.objects.filter(closed_at=None).order_by("sequence")
    assert (closing.is_opening, opening.is_opening, stop.is_opening) == (False, True, True)
    assert (opening.margin_percent, opening.hold_price, stop.hold_price) == (50, 110, 100)
    assert Hold.objects.get(order_id=closing.pk).instrument_id == closing.instrument_id
    assert Hold.objects.get(order_id=opening.pk).amount == 165
    assert desk.place(engine, "alice", "BUY 16 @ 95") == "POSITION_INSUFFICIENT"
    engine.ask(quote(bids="99x500", asks="101x500"))
    assert desk.place(engine, "alice", "BUY 15 @ 101") == "FILLED 15/15"
    assert_clean()


def test_the_account_and_its_short_position_are_shown(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    let_borrow(engine, desk)
    desk.place(engine, "alice", "SELL 20 MARKET")
    http = http_for("alice")

    account, position = http.get("/v2/account").json(), http.get("/v2/positions/AAPL").json()

    assert (account["multiplier"], account["shorting_enabled"]) == ("2", True)
    assert (account["cash"], account["short_market_value"]) == ("11980", "-1980")
    assert (account["equity"], account["initial_margin"]) == ("10000", "990")
    assert (account["maintenance_margin"], account["buying_power"]) == ("594", "18020")
    assert (position["side"], position["qty"], position["qty_available"]) == ("short", "-20", "-20")
    assert (position["market_value"], position["cost_basis"]) == ("-1980", "-1980")
    assert http.get("/v2/assets/AAPL").json()["shortable"] is True
    assert http.get("/v2/assets/BTCUSD").json()["shortable"] is False
    settings = http.get("/v2/account/configurations").json()
    assert settings["max_margin_multiplier"] == "2"


def test_a_short_position_is_closed_over_the_api(
    http_for: Make, engine: EngineProcess, desk: Desk
) -> None:
    let_borrow(engine, desk)
    desk.place(engine, "alice", "SELL 20 MARKET")
    http = http_for("alice")

    desk.place(engine, "alice", "BUY 15 @ 50")
    held = http.delete("/v2/positions/AAPL")
    half = http.delete("/v2/positions/AAPL?percentage=25").json()
    desk.cancel_all(engine, "alice")
    rest = http.delete("/v2/positions").json()

    assert (held.status_code, held.json()["reason"]) == (403, "REDUCE_ONLY_EXCEEDS")
    assert (half["side"], half["filled_qty"], half["reduce_only"]) == ("buy", "5", True)
    assert (rest[0]["status"], rest[0]["body"]["filled_qty"]) == (200, "15")
    assert http.get("/v2/positions").json() == []
    assert_clean()


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE portfolio_tradingaccount SET margin_multiplier = 1, is_shorting_enabled = false"
         " WHERE id = {alice}", "overdraft"),
        ("UPDATE portfolio_tradingaccount SET is_shorting_enabled = false WHERE id = {alice}",
         "short_position"),
        ("UPDATE orders_order SET margin_percent = 25 WHERE is_opening", "hold"),
        ("UPDATE orders_order SET hold_price = 99 WHERE hold_price IS NOT NULL", "hold"),
        ("UPDATE orders_order SET is_opening = true WHERE side = 'BUY'", "hold"),
    ],
)  # fmt: skip
def test_tampering_with_margin_is_found(
    engine: EngineProcess, desk: Desk, statement: str, check: str
) -> None:
    let_borrow(engine, desk)
    for text in ("SELL 20 MARKET", "BUY 5 @ 95", "SELL 3 @ 110"):
        desk.place(engine, "alice", text)
    engine.kill()
    assert_clean()

    with connection.cursor() as cursor:
        cursor.execute(statement.format(alice=desk.accounts["alice"].pk))

    assert check in {found.check for found in discrepancies()}


def test_cash_below_zero_is_a_loan_that_the_ledger_knows(engine: EngineProcess, desk: Desk) -> None:
    let_borrow(engine, desk, multiplier=4)

    assert desk.place(engine, "alice", "BUY 300 MARKET") == "FILLED 300/300"

    assert Balance.objects.get(account=desk.accounts["alice"]).total == Decimal(-20300)
    assert_clean()
