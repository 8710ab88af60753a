"""The end of a day with very many orders: batch by batch, and nobody comes in before it is over."""

import asyncio
from pathlib import Path

import pytest

from core.models import Event
from orders.domain.replies import OrderReply
from orders.engine import core
from orders.models import EngineLease, Order
from orders.services.gateway import in_own_connection
from tests.faults.in_process import InProcessEngine
from tests.orders.desk import Desk, assert_clean
from tests.simulation.floor import SECOND_NS, START_NS, told
from tests.simulation.told_clock import ToldClock

pytestmark = pytest.mark.django_db(transaction=True)
DAY_NS = 86_400 * SECOND_NS


def test_day_end_is_committed_in_bounded_batches_before_anybody_comes_in(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "MAX_EXPIRED", 2)
    offers = [desk.submit("alice", f"BUY 1 @ {price} DAY") for price in range(96, 101)]
    kept = desk.submit("alice", "BUY 1 @ 95")

    def batch() -> int:
        return EngineLease.objects.get().batch

    async def trade() -> tuple[str, int]:
        clock = ToldClock(START_NS)
        async with InProcessEngine(tmp_path / "engine.sock", clock) as engine:
            for command in (*offers, kept):
                await engine.ask(command)
            batches = await asyncio.to_thread(in_own_connection(batch))
            clock.time_ns += DAY_NS
            reply = await engine.ask(desk.submit("charlie", "BUY 1 @ 100"))
        assert isinstance(reply, OrderReply)
        return told(reply.order), batches

    outcome, batches = asyncio.run(trade())

    assert outcome == "ACCEPTED 0/1"
    assert Order.objects.filter(status="EXPIRED").count() == len(offers)
    assert Order.objects.get(pk=kept.order_id).status == "ACCEPTED"
    assert Event.objects.filter(kind="OrderExpired").count() == len(offers)
    assert EngineLease.objects.get().batch - batches == 3 + 1  # 2 and 2 and 1 expire, 1 comes in
    assert_clean()
