"""Orders that hide a part through the whole engine: a kill in the middle of one, its rows."""

from decimal import Decimal

import msgspec
import pytest
from django.db import connection

from orders.domain.replies import OrderReply
from orders.domain.values import StpMode
from orders.models import Order
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, offline, quote, stored_state

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.processes
def test_slices_and_places_survive_a_kill(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="100x40"))
    for who in ("alice", "charlie"):
        desk.place(engine, who, "BUY 20 MARKET")
    engine.ask(quote())
    command = desk.submit("alice", "SELL 10 @ 101")
    reply = engine.ask(msgspec.structs.replace(command, display_quantity=Decimal(3)))
    assert isinstance(reply, OrderReply)
    desk.place(engine, "charlie", "SELL 2 @ 101")
    taker = msgspec.structs.replace(
        desk.submit("charlie", "BUY 3 @ 101"), stp_mode=StpMode.EXPIRE_TAKER
    )
    engine.ask(taker)
    before = stored_state()

    engine.restart_after_kill()

    assert stored_state() == before
    row = Order.objects.get(display_quantity=3)
    assert (row.displayed_quantity, row.filled_quantity, row.rank > row.sequence) == (3, 3, True)
    book = next(iter(before["instruments"].values()))["book"]
    assert [(entry[1], entry[4]) for entry in book] == [
        (desk.accounts["charlie"].owner_id, 2),
        (desk.accounts["alice"].owner_id, 3),
    ]
    assert_clean()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE orders_order SET displayed_quantity = 2 WHERE display_quantity > 0",
        "UPDATE orders_order SET display_quantity = 4 WHERE display_quantity > 0",
        "UPDATE orders_order SET rank = rank + 1 WHERE display_quantity > 0",
    ],
)
def test_a_changed_slice_is_found(desk: Desk, tampering: str) -> None:
    order = desk.submit("alice", "BUY 10 @ 90")
    offline(msgspec.structs.replace(order, display_quantity=Decimal(3)))
    assert_clean()
    with connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(AssertionError):
        assert_clean()
