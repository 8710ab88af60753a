"""Self-trade prevention through the whole engine: owners, rows, restarts, the account's default."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from django.db import connection

from core.models import AuditEntry
from orders.domain import commands
from orders.domain.values import StpMode
from orders.models import Order
from portfolio.models import TradingAccount
from portfolio.services.accounts import create_account
from tests.engine_process import EngineProcess
from tests.orders.desk import CASH, Desk, assert_clean, offline, quote, stored_state

pytestmark = pytest.mark.django_db(transaction=True)


def with_mode(order: commands.SubmitOrder, mode: StpMode) -> commands.SubmitOrder:
    return msgspec.structs.replace(order, stp_mode=mode)


@pytest.fixture
def second(desk: Desk) -> TradingAccount:
    """Another account of Alice's, which no command told the engine of."""
    owner = desk.accounts["alice"].owner
    assert owner is not None
    account = create_account(owner=owner, name="Second", now=datetime.now(UTC))
    offline(
        commands.OpenAccount(
            account.pk, account.public_id, account.kind, account.currency_id, owner.pk
        ),
        commands.MoveCash(account.pk, CASH, "DEPOSIT", "", "cash"),
    )
    return account


@pytest.fixture
def prevented(desk: Desk, second: TradingAccount) -> None:
    """Alice's offers lost 3 and 2 to orders of her second account; a part of each side is left."""
    offline(quote(asks="100x20"), desk.submit("alice", "BUY 20 MARKET"), quote())
    offline(desk.submit("alice", "SELL 5 @ 101"), desk.submit("alice", "SELL 2 @ 101"))
    for text in ("BUY 3 @ 101", "BUY 9 @ 101"):
        order = msgspec.structs.replace(desk.submit("alice", text), account_id=second.pk)
        offline(with_mode(order, StpMode.DECREMENT))


def test_prevented_quantity_is_stored_on_both_orders(prevented: None) -> None:
    rows = Order.objects.filter(type="LIMIT").order_by("sequence")

    assert [(row.side, row.status, row.prevented_quantity) for row in rows] == [
        ("SELL", "CANCELED", 5),
        ("SELL", "CANCELED", 2),
        ("BUY", "CANCELED", 3),
        ("BUY", "ACCEPTED", 4),
    ]
    assert_clean()


@pytest.mark.processes
def test_what_was_prevented_and_who_owns_what_survive_a_restart(
    prevented: None, desk: Desk, second: TradingAccount, start_engine: Callable[[], EngineProcess]
) -> None:
    before = stored_state()
    engine = start_engine()

    refused = desk.place(engine, "alice", "SELL 1 @ 101")
    engine.ask(
        with_mode(desk.submit("alice", "SELL 1 @ 101"), StpMode.DECREMENT),
    )

    assert (
        before["accounts"][second.pk]["stp"] == before["accounts"][desk.accounts["alice"].pk]["stp"]
    )
    assert refused == "SELF_TRADE"
    assert Order.objects.get(side="BUY", status="ACCEPTED").prevented_quantity == 5
    assert_clean()


def test_the_accounts_default_is_stored_with_an_audit_entry(desk: Desk) -> None:
    account = desk.accounts["alice"]
    actor = account.owner_id

    offline(commands.SetStpMode(account.pk, StpMode.EXPIRE_MAKER, "asked to", "r", actor, "::1"))

    account.refresh_from_db()
    assert account.stp_mode == "EXPIRE_MAKER"
    assert stored_state()["accounts"][account.pk]["stp"][1] == "EXPIRE_MAKER"
    entry = AuditEntry.objects.get(action="StpModeSet")
    assert entry.facts == {"stp_mode": "EXPIRE_MAKER", "stp_mode_before": "REJECT"}
    assert (entry.actor_id, entry.reason) == (actor, "asked to")
    offline(desk.submit("alice", "BUY 1 @ 90"))
    assert Order.objects.get().stp_mode == "EXPIRE_MAKER"
    assert_clean()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE orders_order SET prevented_quantity = 3 WHERE status = 'ACCEPTED'",
        "UPDATE orders_order SET prevented_quantity = 0 WHERE side = 'SELL'",
        "UPDATE orders_order SET status = 'FILLED', reason = '' WHERE prevented_quantity = 3",
        "DELETE FROM core_event WHERE kind = 'OrderDecremented'",
    ],
)
def test_a_changed_prevention_is_found(prevented: None, tampering: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(AssertionError):
        assert_clean()


def test_conditions_of_an_order_are_stored_and_a_post_only_taker_is_found(desk: Desk) -> None:
    offline(quote(asks="100x20"), desk.submit("alice", "BUY 5 MARKET"), quote())
    post_only = msgspec.structs.replace(desk.submit("alice", "BUY 1 @ 90"), post_only=True)
    reduce_only = msgspec.structs.replace(desk.submit("alice", "SELL 5 @ 110"), reduce_only=True)
    offline(post_only, reduce_only)

    found = Order.objects.filter(type="LIMIT").order_by("sequence")
    assert [(row.post_only, row.reduce_only) for row in found] == [(True, False), (False, True)]
    assert [(row["post_only"], row["reduce_only"]) for row in stored_state()["orders"]] == [
        (True, False),
        (False, True),
    ]
    assert_clean()
    Order.objects.filter(type="MARKET").update(post_only=True)
    with pytest.raises(AssertionError):
        assert_clean()
