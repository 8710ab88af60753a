"""Replace and amend through the whole engine: rows, restarts, client order ids, verify_ledger."""

from decimal import Decimal
from uuid import uuid4

import msgspec
import pytest
from django.db import connection

from orders.domain import commands
from orders.domain.replies import AnyReply, DeniedReply, OrderReply
from orders.models import Order
from portfolio.models import Hold
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, offline, quote, stored_state
from tests.simulation.floor import replace_command, told

pytestmark = pytest.mark.django_db(transaction=True)


def replacement(
    old: commands.SubmitOrder | commands.ReplaceOrder, text: str, client_order_id: str = ""
) -> commands.ReplaceOrder:
    """The command that replaces what `old` placed."""
    return msgspec.structs.replace(
        replace_command("alice-old", "alice-new", text, client_order_id),
        order_id=uuid4(),
        replaces=old.order_id,
        account_id=old.account_id,
    )


def amendment(order: commands.SubmitOrder, quantity: int) -> commands.AmendOrder:
    return commands.AmendOrder(order.order_id, order.account_id, Decimal(quantity), "amend")


def outcome(reply: AnyReply) -> str:
    if isinstance(reply, DeniedReply):
        return reply.reason
    assert isinstance(reply, OrderReply)
    return told(reply.order)


@pytest.fixture
def changed(desk: Desk) -> list[commands.AnyCommand]:
    """A chain of two replaces that kept their place before another order, one that lost it, an
    elected stop that was replaced, an amended order after a part was filled.
    """
    first = desk.submit("alice", "BUY 9 @ 99")
    second = replacement(first, "7", "my-second")
    third = replacement(second, "5")
    behind = desk.submit("charlie", "BUY 5 @ 99")
    moved = desk.submit("charlie", "BUY 3 @ 98")
    stop = desk.submit("alice", "BUY 4 @ 103 STOP 101")
    partly = desk.submit("charlie", "BUY 6 @ 97")
    offline(quote(bids="95x5", asks="101x9"), first, behind, moved, partly)
    offline(second, stop)
    offline(third, replacement(moved, "@ 96"))
    offline(quote(asks="101x9"), desk.submit("charlie", "BUY 1 MARKET"), quote(asks="104x1"))
    offline(replacement(stop, "3"), amendment(partly, 4))
    return [third, behind]


def test_the_rows_of_a_chain_agree(changed: list[commands.AnyCommand]) -> None:
    chain = list(Order.objects.filter(side="BUY", limit_price=99).order_by("sequence"))

    assert [row.status for row in chain] == ["REPLACED", "ACCEPTED", "REPLACED", "ACCEPTED"]
    first, _, second, third = chain
    assert (first.replaced_by, second.replaces) == (second.pk, first.pk)
    assert (second.replaced_by, third.replaces) == (third.pk, second.pk)
    assert {row.rank for row in (first, second, third)} == {first.sequence}
    assert (third.quantity, second.client_order_id) == (5, "my-second")
    assert [hold.state for hold in Hold.objects.filter(order_id__in=[first.pk, second.pk])] == [
        "VOIDED",
        "VOIDED",
    ]
    assert_clean()


def test_an_amended_hold_is_as_if_the_order_had_never_asked_for_more(
    changed: list[commands.AnyCommand],
) -> None:
    amended = Order.objects.get(limit_price=97)

    hold = Hold.objects.get(order_id=amended.pk)

    assert (amended.quantity, hold.amount, hold.remaining) == (4, 388, 388)


@pytest.mark.processes
def test_places_survive_a_restart(
    changed: list[commands.AnyCommand], engine: EngineProcess, desk: Desk
) -> None:
    before = stored_state()
    engine.kill()
    engine.start()
    third, behind = changed
    assert isinstance(third, commands.ReplaceOrder)

    engine.ask(quote())
    desk.place(engine, "charlie", "BUY 1 @ 95")
    reply = engine.ask(commands.CancelOrder(third.order_id, third.account_id, "look"))

    assert stored_state()["counters"][0] == before["counters"][0] + 1
    assert not isinstance(reply, DeniedReply)
    books = [row["book"] for row in before["instruments"].values() if row["book"]]
    at_99 = [row[0] for row in books[0] if row[3] == 9900]
    assert at_99 == [str(third.order_id), str(behind.order_id)]  # type: ignore[union-attr]
    assert_clean()


@pytest.mark.processes
def test_a_client_order_id_is_used_once_also_by_a_replace(
    engine: EngineProcess, desk: Desk
) -> None:
    first = desk.submit("alice", "BUY 9 @ 99", client_order_id="mine")
    assert outcome(engine.ask(first)) == "ACCEPTED 0/9"

    assert outcome(engine.ask(replacement(first, "7", "mine"))) == "CLIENT_ORDER_ID_DUPLICATE"
    assert outcome(engine.ask(replacement(first, "7", "yours"))) == "ACCEPTED 0/7"
    again = desk.submit("alice", "BUY 1 @ 99", client_order_id="yours")
    assert outcome(engine.ask(again)) == "CLIENT_ORDER_ID_DUPLICATE"
    assert_clean()


@pytest.mark.processes
def test_a_replace_that_comes_too_late_is_not_taken(engine: EngineProcess, desk: Desk) -> None:
    first = desk.submit("alice", "BUY 9 @ 99")
    engine.ask(first)

    reply = engine.ask(msgspec.structs.replace(replacement(first, "7"), good_until_ns=1))

    assert reply.__class__.__name__ == "BusyReply"
    assert Order.objects.get().status == "ACCEPTED"


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE orders_order SET replaced_by = NULL WHERE status = 'REPLACED'",
        "UPDATE orders_order SET replaces = NULL",
        "UPDATE orders_order SET replaces = id WHERE replaces IS NOT NULL",
        "UPDATE orders_order SET reason = 'USER_REQUESTED' WHERE status = 'REPLACED'",
        "UPDATE orders_order SET status = 'CANCELED', replaced_by = NULL WHERE status = 'REPLACED'",
        "UPDATE orders_order SET quantity = 6 WHERE limit_price = 97",
        "UPDATE orders_order SET quantity = 3 WHERE limit_price = 97",
        "DELETE FROM core_event WHERE kind = 'OrderAmended'",
        "DELETE FROM core_event WHERE kind = 'OrderReplaced'",
        "UPDATE orders_order SET rank = sequence - 1 WHERE replaces IS NULL AND limit_price = 97",
    ],
)
def test_a_changed_replacement_is_found(changed: list[commands.AnyCommand], tampering: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(AssertionError):
        assert_clean()
