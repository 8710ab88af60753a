"""Cash and accounts from the operators' console: once, on record, and by operators only."""

from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client

from accounts.domain.roles import Role
from accounts.models import User
from core.domain.clock import SystemClock
from core.models import AuditEntry
from marketdata.models import Currency
from portfolio.models import Balance, TradingAccount
from tests.accounts.console import run, shown

pytestmark = pytest.mark.django_db


def make_account(owner: User) -> TradingAccount:
    """A row to act on; money is the engine's, so it has none."""
    return TradingAccount.objects.create(
        name="Main",
        owner=owner,
        currency=Currency.objects.get_or_create(code="USD", defaults={"name": "US dollar"})[0],
        created_at=SystemClock().now(),
    )


def test_without_an_engine_cash_stays_as_it_is(client: Client, alice: User, olga: User) -> None:
    account = make_account(alice)
    client.force_login(olga)

    response = run(client, TradingAccount, "adjust_cash", account, amount="500")

    assert shown(response) == [
        f"Main of alice ({account.public_id}): "
        "The order engine cannot be reached. Nothing was done; try again in a moment."
    ]
    assert not Balance.objects.filter(account=account, total=Decimal(500)).exists()
    assert not AuditEntry.objects.filter(action="CashAdjusted").exists()


def test_the_mode_of_self_trade_prevention_is_the_engines_to_set(
    client: Client, alice: User, olga: User
) -> None:
    account = make_account(alice)
    client.force_login(olga)

    response = run(client, TradingAccount, "set_stp_mode", account, stp_mode="DECREMENT")
    odd = run(client, TradingAccount, "set_stp_mode", account, stp_mode="TRANSFER")

    assert shown(response) == [
        f"Main of alice ({account.public_id}): "
        "The order engine cannot be reached. Nothing was done; try again in a moment."
    ]
    assert odd.context["form"].errors["stp_mode"]  # type: ignore[attr-defined]
    account.refresh_from_db()
    assert account.stp_mode == "REJECT"


@pytest.mark.parametrize("amount", ["0", "1e3", "1_000", "１００", "NaN", "", "0.0000000001"])
def test_an_odd_amount_is_refused(client: Client, alice: User, olga: User, amount: str) -> None:
    account = make_account(alice)
    client.force_login(olga)

    response = run(client, TradingAccount, "adjust_cash", account, amount=amount)

    assert response.context["form"].errors["amount"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ["auditor", "support", "risk_manager"])
def test_only_operators_move_money(
    as_role: Callable[[str], Client], alice: User, role: str
) -> None:
    account = make_account(alice)
    client = as_role(role)

    response = run(client, TradingAccount, "adjust_cash", account, amount="500")

    assert "core/confirm_action.html" not in [
        template.name for template in getattr(response, "templates", [])
    ]
    assert client.post("/admin/portfolio/tradingaccount/add/", {}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_a_form_for_a_new_account_that_is_sent_twice_opens_one(
    as_role: Callable[[str], Client], make_user: Callable[..., User]
) -> None:
    dora = make_user("dora")
    form = {"act_id": str(uuid4()), "owner": "dora", "name": "Main", "cash": "250"}
    console = as_role(Role.OPERATOR)
    page = "/admin/portfolio/tradingaccount/add/"
    refused = console.post(page, {**form, "cash": "10000000001"})

    answers = [console.post(page, form, follow=True) for _ in range(2)]

    assert b"at most 10000000000" in refused.content
    account = TradingAccount.objects.get(owner=dora)
    assert Balance.objects.get(account=account).total == 250
    assert [b"This form was sent before" in answer.content for answer in answers] == [False, True]
    trail = AuditEntry.objects.filter(target=f"trading-account:{account.pk}").order_by("id")
    assert [entry.action for entry in trail] == ["TradingAccountOpened", "CashDeposited"]
    assert {entry.address for entry in trail} == {"127.0.0.1"}
