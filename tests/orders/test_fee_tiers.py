"""Fee tiers end to end: made on the console, paid on fills, kept over a restart, on the record."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client

from accounts.domain.roles import Role
from accounts.models import User
from core.models import AuditEntry
from orders.domain import commands
from orders.models import Execution, Order
from orders.selectors import execution_view, executions_of
from portfolio.models import Balance, FeeTier, TradingAccount, Transfer
from tests.accounts.console import REASON, address, run, shown
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def as_role(make_user: Callable[..., User]) -> Callable[[str], Client]:
    def enter(role: str) -> Client:
        client = Client()
        client.force_login(make_user(f"one-{role}", role=role))
        return client

    return enter


TIER = {"code": "GOLD", "name": "Gold", "maker_bps": "1.5", "taker_bps": "10", "reason": REASON}


def give_gold(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(commands.SetFeeTier("GOLD", "Gold", Decimal("1.5"), Decimal(10), "r"))
    engine.ask(commands.SetAccountTier(desk.accounts["alice"].pk, "GOLD", "r"))


def test_an_operator_makes_a_tier_gives_it_and_changes_it(
    engine: EngineProcess, desk: Desk, as_role: Callable[[str], Client]
) -> None:
    console, alice = as_role(Role.OPERATOR), desk.accounts["alice"]

    made = console.post(address(FeeTier, "add"), TIER, follow=True)
    tier = FeeTier.objects.get()
    given = run(console, TradingAccount, "set_fee_tier", alice, tier="GOLD")
    changed = run(console, FeeTier, "set_rates", tier, maker_bps="2", taker_bps="20")

    assert shown(made) == ["Gold is set."]
    assert shown(given)[0].endswith("pays Gold (GOLD) from now on.")
    assert shown(changed) == ["Gold (GOLD): the rates are now 2 and 20."]
    alice.refresh_from_db()
    assert alice.fee_tier == FeeTier.objects.get(maker_bps=2, taker_bps=20)
    trail = AuditEntry.objects.filter(action__contains="Tier").order_by("id")
    assert [(entry.action, entry.reason) for entry in trail] == [
        ("FeeTierSet", REASON),
        ("AccountFeeTierSet", REASON),
        ("FeeTierSet", REASON),
    ]


def test_rates_that_cannot_be_are_refused_with_the_form(
    engine: EngineProcess, as_role: Callable[[str], Client]
) -> None:
    console = as_role(Role.OPERATOR)

    answer = console.post(address(FeeTier, "add"), {**TIER, "maker_bps": "11"})

    assert b"0 &lt;= maker &lt;= taker &lt;= 1000" in answer.content
    assert not FeeTier.objects.exists()


@pytest.mark.parametrize("role", ["auditor", "support", "risk_manager"])
def test_only_operators_set_fees(as_role: Callable[[str], Client], role: str) -> None:
    assert as_role(role).post(address(FeeTier, "add"), TIER).status_code == 403


def test_fees_are_paid_stored_and_told(engine: EngineProcess, desk: Desk) -> None:
    give_gold(engine, desk)
    engine.ask(quote(asks="100x5"))

    assert desk.place(engine, "alice", "BUY 5 @ 100") == "FILLED 5/5"

    alice = desk.accounts["alice"]
    execution = Execution.objects.get()
    fee = Transfer.objects.get(kind="FEE")
    assert (execution.fee, fee.amount, fee.trade_id) == (Decimal("0.5"), Decimal("0.5"), 1)
    assert (fee.debit_account_id, fee.credit_account.kind) == (alice.pk, "HOUSE")
    balance = Balance.objects.get(account=alice)
    assert (balance.total, balance.fees_paid) == (Decimal("9499.5"), Decimal("0.5"))
    assert execution_view(executions_of(alice)[0]).fee == "0.5"
    assert_clean()


def test_tiers_and_caps_survive_a_restart(engine: EngineProcess, desk: Desk) -> None:
    give_gold(engine, desk)
    desk.place(engine, "alice", "BUY 5 @ 100")
    engine.ask(commands.SetFeeTier("GOLD", "Gold", Decimal(50), Decimal(100), "r"))
    before = stored_state()
    engine.kill()

    engine.start()

    assert Order.objects.get().fee_bps == 10
    engine.ask(quote(asks="99x5"))
    assert Execution.objects.get().fee == Decimal("0.5")
    assert before["accounts"][desk.accounts["alice"].pk]["fee_tier"] == "GOLD"
    assert (
        stored_state()["fee_tiers"] == before["fee_tiers"] == {"GOLD": ("Gold", 500_000, 1_000_000)}
    )
    assert_clean()
