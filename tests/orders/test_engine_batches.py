"""A client's batch in the engine: one commit, a bound on what a transaction takes, nothing late."""

import msgspec
import pytest

from core.domain.clock import SystemClock
from orders.domain import commands
from orders.domain.command_parts import MAX_BATCH_ORDERS
from orders.domain.replies import BatchReply, BusyReply, OrderReply
from orders.models import EngineLease, Order
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def batch(desk: Desk, size: int = MAX_BATCH_ORDERS, **fields: object) -> commands.OrderBatch:
    orders = [desk.submit(f"alice-{number}", "BUY 1 @ 1") for number in range(size)]
    return commands.OrderBatch([msgspec.structs.replace(order, **fields) for order in orders])


def test_a_batch_is_one_commit(engine: EngineProcess, desk: Desk) -> None:
    before = EngineLease.objects.get().batch

    reply = engine.ask(batch(desk))

    assert isinstance(reply, BatchReply)
    assert {type(part) for part in reply.replies} == {OrderReply}
    assert EngineLease.objects.get().batch == before + 1
    assert Order.objects.values("submitted_at").distinct().count() == 1
    assert_clean()


def test_many_batches_at_once_make_transactions_of_bounded_size(
    engine: EngineProcess, desk: Desk
) -> None:
    replies = engine.ask_together([batch(desk) for _ in range(60)])

    assert {type(reply) for reply in replies} == {BatchReply}
    assert Order.objects.count() == 60 * MAX_BATCH_ORDERS
    for moment in Order.objects.values_list("submitted_at", flat=True).distinct():
        assert Order.objects.filter(submitted_at=moment).count() <= 512
    engine.kill()
    stored = stored_state()
    assert len(stored["orders"]) == 60 * MAX_BATCH_ORDERS
    assert_clean()


def test_a_batch_that_nobody_waits_for_any_more_is_not_taken(
    engine: EngineProcess, desk: Desk
) -> None:
    late = batch(desk, 3, good_until_ns=SystemClock().now_ns() - 1)

    reply = engine.ask(late)

    assert reply == BatchReply([BusyReply(), BusyReply(), BusyReply()])
    assert not Order.objects.exists()


def test_a_known_client_order_id_is_refused_inside_a_batch(
    engine: EngineProcess, desk: Desk
) -> None:
    desk.place(engine, "alice-1", "BUY 1 MARKET", client_order_id="refused, so free")
    assert desk.place(engine, "alice-1", "BUY 1 @ 1 IOC", client_order_id="used") == (
        "CANCELED 0/1 IOC_REMAINDER"
    )
    orders = [
        desk.submit("alice-2", "BUY 1 @ 1", client_order_id=name)
        for name in ("used", "refused, so free", "new", "new")
    ]

    reply = engine.ask(commands.OrderBatch(orders))

    assert isinstance(reply, BatchReply)
    assert [getattr(part, "reason", "placed") for part in reply.replies] == [
        "CLIENT_ORDER_ID_DUPLICATE",
        "placed",
        "placed",
        "CLIENT_ORDER_ID_DUPLICATE",
    ]
    assert_clean()
