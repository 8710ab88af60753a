"""The clock of the engine's machine jumps while orders are open, and comes back (F31).

Orders keep their numbers and their turn, nothing that ended comes back to life, and what is stored
is what the journal replays, whatever the clock says (I4, I7, I8, I13).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from orders.domain.commands import SubmitOrder
from orders.domain.replies import OrderReply
from orders.domain.values import TimeInForce
from orders.models import Order
from tests.faults.in_process import InProcessEngine
from tests.orders.desk import Desk, assert_clean, offline, quote
from tests.simulation.floor import told
from tests.simulation.told_clock import ToldClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

HOUR_NS = 3600 * 10**9
JUMPS = {
    "an hour ahead": HOUR_NS,
    "an hour back": -HOUR_NS,
    "four hundred days ahead": 400 * 24 * HOUR_NS,
}


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock(time.time_ns() // 1000 * 1000)


def run(
    directory: Path, clock: ToldClock, story: Callable[[InProcessEngine], Awaitable[None]]
) -> None:
    async def tell() -> None:
        async with InProcessEngine(directory / "engine.sock", clock) as engine:
            await story(engine)

    asyncio.run(tell())


async def place(engine: InProcessEngine, order: SubmitOrder) -> str:
    reply = await engine.ask(order)
    assert isinstance(reply, OrderReply), reply
    return told(reply.order)


@pytest.mark.parametrize("jump_ns", JUMPS.values(), ids=JUMPS.keys())
@pytest.mark.parametrize("is_restarted", [False, True], ids=["running", "restarted"])
def test_orders_keep_their_turn_when_the_clock_jumps_and_comes_back(
    desk: Desk, clock: ToldClock, tmp_path: Path, jump_ns: int, is_restarted: bool
) -> None:
    first = desk.submit("alice", "BUY 2 @ 100")
    second = desk.submit("alice", "BUY 2 @ 100")
    third = desk.submit("alice", "BUY 2 @ 100")

    async def story(engine: InProcessEngine) -> None:
        assert await place(engine, first) == "ACCEPTED 0/2"
        for step_ns, order in ((jump_ns, second), (-jump_ns, third)):
            clock.time_ns += step_ns
            if is_restarted:
                await engine.stop()
                await engine.start()
            assert await place(engine, order) == "ACCEPTED 0/2"
        assert await place(engine, desk.submit("charlie", "SELL 3 @ 100")) == "FILLED 3/3"

    give_shares(desk)
    run(tmp_path, clock, story)

    stored = Order.objects.filter(account=desk.accounts["alice"]).order_by("sequence")
    assert [(order.pk, int(order.filled_quantity)) for order in stored] == [
        (first.order_id, 2),
        (second.order_id, 1),
        (third.order_id, 0),
    ]
    assert_clean()


def test_order_whose_time_has_come_stays_ended_when_the_clock_goes_back(
    desk: Desk, clock: ToldClock, tmp_path: Path
) -> None:
    until_noon = msgspec.structs.replace(
        desk.submit("alice", "BUY 2 @ 100"),
        time_in_force=TimeInForce.GTD,
        expires_ns=clock.time_ns + HOUR_NS,
    )

    async def story(engine: InProcessEngine) -> None:
        assert await place(engine, until_noon) == "ACCEPTED 0/2"
        clock.time_ns += 2 * HOUR_NS
        await engine.stop()
        await engine.start()
        assert await place(engine, desk.submit("alice", "BUY 1 @ 50")) == "ACCEPTED 0/1"
        clock.time_ns -= 2 * HOUR_NS
        await engine.stop()
        await engine.start()
        sale = desk.submit("charlie", "SELL 1 @ 100 IOC")
        assert await place(engine, sale) == "CANCELED 0/1 IOC_REMAINDER"

    give_shares(desk)
    run(tmp_path, clock, story)

    order = Order.objects.get(pk=until_noon.order_id)
    assert (order.status, order.reason, order.filled_quantity) == ("EXPIRED", "GTD_END", 0)
    assert order.closed_at is not None
    assert order.closed_at - order.submitted_at == timedelta(hours=2)
    assert_clean()


def test_order_that_lives_until_a_time_lives_through_a_clock_that_goes_back(
    desk: Desk, clock: ToldClock, tmp_path: Path
) -> None:
    order = msgspec.structs.replace(
        desk.submit("alice", "BUY 2 @ 100"),
        time_in_force=TimeInForce.GTD,
        expires_ns=clock.time_ns + 2 * HOUR_NS,
    )

    async def story(engine: InProcessEngine) -> None:
        assert await place(engine, order) == "ACCEPTED 0/2"
        clock.time_ns -= HOUR_NS
        assert await place(engine, desk.submit("charlie", "SELL 2 @ 100")) == "FILLED 2/2"

    give_shares(desk)
    run(tmp_path, clock, story)

    assert Order.objects.get(pk=order.order_id).status == "FILLED"
    assert_clean()


def give_shares(desk: Desk) -> None:
    """Charlie owns ten shares, bought from the street before anything happens."""
    offline(quote(asks="10x10"), desk.submit("charlie", "BUY 10 MARKET"), quote())
