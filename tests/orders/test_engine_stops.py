"""Stop orders through the whole engine: socket, batches, rows, and that the rows agree."""

import asyncio
from pathlib import Path

import pytest
from django.db import connection

from core.models import Event
from orders.domain.commands import AnyCommand
from orders.models import EngineLease, Order
from orders.services.gateway import in_own_connection
from tests.faults.in_process import InProcessEngine
from tests.orders.desk import Desk, assert_clean, offline, quote
from tests.simulation.floor import START_NS
from tests.simulation.told_clock import ToldClock

pytestmark = pytest.mark.django_db(transaction=True)


def test_more_elections_than_fit_go_on_in_batches_of_their_own(desk: Desk, tmp_path: Path) -> None:
    stops = [desk.submit("alice", "SELL 1 STOP 99") for _ in range(5)]
    story: list[AnyCommand] = [
        quote(bids="99x50", asks="101x50"),
        desk.submit("alice", "BUY 5 MARKET"),
        desk.submit("charlie", "BUY 1 MARKET"),
        *stops,
        desk.submit("charlie", "SELL 1 MARKET"),
    ]

    def batch() -> int:
        return EngineLease.objects.get().batch

    async def trade() -> int:
        clock = ToldClock(START_NS)
        async with InProcessEngine(tmp_path / "engine.sock", clock, max_elections=2) as engine:
            for command in story[:-1]:
                await engine.ask(command)
            batches = await asyncio.to_thread(in_own_connection(batch))
            await engine.ask(story[-1])
        return batches

    before = asyncio.run(trade())

    assert set(Order.objects.filter(stop_price=99).values_list("status", flat=True)) == {"FILLED"}
    assert Event.objects.filter(kind="OrderTriggered").count() == len(stops)
    assert EngineLease.objects.get().batch - before == 3  # 2 with the trade, then 2, then 1
    assert_clean()


@pytest.fixture
def elected(desk: Desk) -> None:
    """One stop of Alice's waits, one was elected and rests, one was elected and is filled."""
    offline(
        quote(bids="99x50", asks="101x50"),
        desk.submit("alice", "BUY 5 MARKET"),
        desk.submit("charlie", "BUY 1 MARKET"),
        desk.submit("alice", "SELL 1 STOP 98"),
        desk.submit("alice", "SELL 1 @ 110 STOP 99"),
        desk.submit("alice", "SELL 1 STOP 99"),
        desk.submit("charlie", "SELL 1 MARKET"),
    )


def test_the_rows_of_stop_orders_agree(elected: None) -> None:
    rows = Order.objects.filter(stop_price__isnull=False).order_by("sequence")

    assert [row.status for row in rows] == ["ACCEPTED", "TRIGGERED", "FILLED"]
    assert [row.rank - row.sequence for row in rows] == [0, 3, 3]
    assert_clean()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE orders_order SET status = 'TRIGGERED' WHERE stop_price = 98",
        "UPDATE orders_order SET status = 'ACCEPTED' WHERE status = 'TRIGGERED'",
        "UPDATE orders_order SET rank = sequence WHERE status = 'FILLED'"
        " AND stop_price IS NOT NULL",
        "UPDATE orders_order SET rank = 9 WHERE stop_price = 98",
        "UPDATE orders_order SET stop_price = 97 WHERE stop_price = 98",
        "DELETE FROM core_event WHERE kind = 'OrderTriggered'",
    ],
)
def test_a_changed_stop_order_is_found(elected: None, tampering: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(AssertionError):
        assert_clean()
