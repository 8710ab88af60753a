"""Orders that end with their socket, over real sockets, a real gateway and a real engine (N1 to
N5); and what a gateway that dies leaves behind.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from orders.domain.commands import AwaitCommit
from orders.domain.replies import DoneReply
from orders.domain.session_commands import AnnounceSessions, OpenSession
from orders.engine.liveness import SILENT_AFTER_NS, START_GRACE_NS
from orders.models import Order, OrderSession
from orders.services.gateway import in_own_connection
from tests.engine_process import EngineProcess, wait_until
from tests.faults.in_process import InProcessEngine
from tests.orders.desk import Desk, assert_clean
from tests.orders.test_order_entry import Socket, browser, opened, order, program
from tests.simulation.floor import START_NS
from tests.simulation.told_clock import ToldClock

__all__ = ["browser", "opened", "program"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def reasons() -> list[str]:
    return list(Order.objects.order_by("sequence").values_list("reason", flat=True))


@pytest.mark.parametrize("door", ["program", "browser"])
def test_the_orders_of_a_session_end_with_its_socket(
    request: pytest.FixtureRequest, door: str
) -> None:
    open_socket: Callable[[str], Socket] = request.getfixturevalue(door)
    socket, other = open_socket("alice"), open_socket("bob")
    assert socket.ask("order.place", **order())["status"] == 200  # before it asks
    session = socket.ask("order.session")["data"]["session_id"]
    assert socket.ask("order.session")["data"]["session_id"] == session
    assert socket.ask("order.place", **order())["status"] == 200
    assert socket.ask("order.batch", orders=[order(), order()])["status"] == 207
    assert other.ask("order.place", **order())["status"] == 200

    socket.connection.close()

    wait_until(lambda: reasons().count("DISCONNECTED") == 3, "the orders of the session end")
    assert reasons() == ["", "DISCONNECTED", "DISCONNECTED", "DISCONNECTED", ""]
    named = set(Order.objects.filter(reason="DISCONNECTED").values_list("session_id", flat=True))
    assert named == {UUID(session)}
    assert OrderSession.objects.get().ended_at is not None
    assert_clean()


def test_a_session_outlives_the_engine_and_is_announced_again(
    engine: EngineProcess, program: Callable[..., Socket]
) -> None:
    socket = program("alice")
    socket.ask("order.session")
    socket.ask("order.place", **order())

    engine.restart_after_kill()

    assert socket.ask("order.place", **order())["status"] == 200
    assert reasons() == ["", ""]
    socket.connection.close()
    wait_until(lambda: reasons() == ["DISCONNECTED", "DISCONNECTED"], "the session ends")
    assert_clean()


def test_what_a_dead_gateway_leaves_is_canceled(desk: Desk, tmp_path: Path) -> None:
    """Nobody announces the first session; the second is announced until a restart."""
    first, second = uuid4(), uuid4()
    account = desk.accounts["alice"].pk

    async def live() -> None:
        clock = ToldClock(START_NS)
        async with InProcessEngine(tmp_path / "engine.sock", clock) as engine:
            for session in (first, second):
                assert await engine.ask(OpenSession(session, account, "open")) == DoneReply()
                command = desk.submit("alice", "BUY 1 @ 10")
                await engine.ask(msgspec.structs.replace(command, session_id=session))
            await ticked(engine)
            clock.time_ns += SILENT_AFTER_NS - 1_000
            await engine._client.tell(AnnounceSessions((second,)))
            await engine.ask(AwaitCommit())
            clock.time_ns += 1_000_000
            await until(lambda: reasons() == ["DISCONNECTED", ""])
            await engine.stop()

            clock.time_ns += START_GRACE_NS  # an outage does not count
            await engine.start()
            await ticked(engine)
            clock.time_ns += START_GRACE_NS - 1_000
            await ticked(engine)
            assert await asyncio.to_thread(in_own_connection(reasons)) == ["DISCONNECTED", ""]
            clock.time_ns += 1_000
            await until(lambda: reasons() == ["DISCONNECTED", "DISCONNECTED"])

    asyncio.run(live())

    assert_clean()


async def ticked(engine: InProcessEngine) -> None:
    """The server has looked at its sessions since: what was told before has been heard."""
    server = engine._server
    looked, silent = asyncio.Event(), server._liveness.silent

    def look(*arguments: object) -> list[UUID]:
        looked.set()
        return silent(*arguments)  # type: ignore[arg-type]

    server._liveness.silent = look  # type: ignore[method-assign]
    await looked.wait()
    server._liveness.silent = silent  # type: ignore[method-assign]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(in_own_connection(condition)):
            await asyncio.sleep(0.05)
