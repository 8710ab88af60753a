"""Commands while no engine runs: the same core and writer under the same lease, or not at all."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from django.db import transaction

from accounts.models import User
from core.domain.clock import SystemClock
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.models import AuditEntry, Event
from marketdata.models import Instrument
from orders.domain import commands
from orders.domain.replies import BalanceReply, DeniedReply, DoneReply
from orders.engine.client import EngineUnavailableError
from orders.models import EngineLease, Journal, Order
from orders.services.asking import ask_running_or_not
from orders.services.money import open_account
from portfolio.models import Balance, TradingAccount, Transfer
from risk.domain.reasons import DenialReason
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, offline

ORIGIN = Origin(now=SystemClock().now(), request_id="opening")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_commands_are_committed_as_one_batch_after_the_start(desk: Desk) -> None:
    batch = EngineLease.objects.get().batch

    first, second = offline(desk.deposit("alice", "5"), desk.deposit("alice", "7"))

    assert isinstance(first, BalanceReply)
    assert isinstance(second, BalanceReply)
    assert (first.balance.total, second.balance.total) == ("10005", "10012")
    assert EngineLease.objects.get().batch == batch + 2
    kinds = Journal.objects.filter(batch__gt=batch).order_by("batch").values_list("kind", flat=True)
    assert list(kinds) == ["START", "BATCH"]
    assert_clean()


def test_each_turn_has_an_epoch_of_its_own(desk: Desk) -> None:
    epoch = EngineLease.objects.get().epoch

    offline(desk.deposit("alice", "5"))
    offline(desk.deposit("alice", "5"))

    assert EngineLease.objects.get().epoch == epoch + 2


def test_refusal_among_them_does_not_stop_the_others(desk: Desk) -> None:
    refused, done = offline(
        desk.deposit("alice", "-99999", "ADJUSTMENT"), desk.deposit("alice", "1")
    )

    assert isinstance(refused, DeniedReply)
    assert isinstance(done, BalanceReply)
    assert Balance.objects.get(account=desk.accounts["alice"]).total == Decimal(10_001)


def test_running_engine_is_never_competed_with(engine: EngineProcess, desk: Desk) -> None:
    transfers = Transfer.objects.count()

    with pytest.raises(EngineUnavailableError):
        offline(desk.deposit("alice", "5"))

    assert Transfer.objects.count() == transfers
    assert engine.poll() is None


def test_engine_that_starts_later_knows_what_was_done(
    desk: Desk, start_engine: Callable[[], EngineProcess]
) -> None:
    offline(desk.submit("alice", "BUY 5 @ 100"))

    engine = start_engine()

    assert desk.cancel_all(engine, "alice") == ["CANCELED 0/5 USER_REQUESTED"]
    assert_clean()


def test_account_can_be_opened_without_an_engine(
    instruments: dict[str, Instrument], charlie: User
) -> None:
    account = open_account(
        owner=charlie, name="Main", cash=Decimal("250.5"), actor=None, origin=ORIGIN
    )

    assert Balance.objects.get(account=account).total == Decimal("250.5")
    assert Event.objects.get(account_id=account.pk).kind == "CashDeposited"
    trail = AuditEntry.objects.order_by("id").values_list("action", "target")
    target = f"trading-account:{account.pk}"
    assert [*trail] == [("TradingAccountOpened", target), ("CashDeposited", target)]
    assert_clean()


def test_account_opened_while_the_engine_runs_can_trade_at_once(
    engine: EngineProcess, desk: Desk, make_user: Callable[..., User]
) -> None:
    dora = make_user("dora")

    account = open_account(owner=dora, name="Main", cash=Decimal(100), actor=None, origin=ORIGIN)
    again = engine.ask(
        commands.OpenAccount(account.pk, account.public_id, account.kind, account.currency_id)
    )

    assert again == DoneReply()
    command = desk.submit("alice", "BUY 1 @ 100")
    engine.ask(msgspec.structs.replace(command, account_id=account.pk))
    assert Order.objects.get().account_id == account.pk
    assert_clean()


def test_cash_cannot_be_moved_inside_a_transaction_that_the_engine_cannot_see(
    desk: Desk,
) -> None:
    with transaction.atomic(), pytest.raises((EngineUnavailableError, Refusal)):
        ask_running_or_not([desk.deposit("alice", "5")])
    assert_clean()


def test_account_is_not_opened_with_an_amount_that_could_not_be_deposited(charlie: User) -> None:
    with pytest.raises(Refusal) as refused:
        open_account(
            owner=charlie, name="Main", cash=Decimal("10000000001"), actor=None, origin=ORIGIN
        )

    assert refused.value.reason is DenialReason.AMOUNT_INVALID
    assert not TradingAccount.objects.exists()
    assert not AuditEntry.objects.exists()
