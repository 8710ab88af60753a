"""The next batch is carried out while one is on its way to the database, and nobody hears of either
before it is committed. The real server and core over a store in memory whose commits wait.
"""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from core.domain.clock import wire_time
from orders.domain import commands
from orders.domain.replies import AnyReply, BusyReply, DeniedReply, OrderReply
from orders.engine.batches import MAX_OPEN_NS
from orders.engine.changes import Changes
from orders.engine.protocol import FrameBuffer, decode_reply
from orders.engine.server import MIN_AHEAD, Connection, EngineServer
from orders.engine.writer import Prepared
from tests.simulation.crashing import MemoryEngine, MemoryWriter
from tests.simulation.floor import ALICE, SECOND_NS, START_NS, new_state, submit_command
from tests.simulation.memory_store import MemoryStore
from tests.simulation.told_clock import ToldClock

TURNS = 20
"""Turns of the loop in which everything that can go on has gone on."""

PATIENCE = 10_000
"""Turns after which what has not come about will not."""


class WaitingWriter(MemoryWriter):
    """Each commit waits until it is let go; so does a look-up, when that is asked for."""

    def __init__(self, engine: MemoryEngine) -> None:
        super().__init__(engine)
        self.written: list[Prepared] = []
        self.contents: list[bytes] = []
        """Of the journal, by batch."""
        self.failure: Exception | None = None
        self.lets_go = asyncio.Semaphore(0)
        self.lets_look = asyncio.Event()
        self.lets_look.set()
        self.turns_of_a_look = 0

    async def known_client_ids(self, asked: Any) -> dict[tuple[int, str], UUID]:
        known = await super().known_client_ids(asked)  # what is stored when the database looks
        await self.lets_look.wait()
        for _ in range(self.turns_of_a_look):
            await asyncio.sleep(0)
        return known

    def prepare(self, changes: Changes, content: bytes, now_ns: int) -> Prepared:
        self.contents.append(content)
        return super().prepare(changes, content, now_ns)

    def let_go(self, commits: int) -> None:
        for _ in range(commits):
            self.lets_go.release()

    async def write(self, prepared: Prepared) -> None:
        self.written.append(prepared)
        await self.lets_go.acquire()
        if self.failure is not None:
            raise self.failure
        await super().write(prepared)


class Client(Connection):
    """Keeps the replies by the number of the request."""

    def __init__(self, server: EngineServer) -> None:
        super().__init__(server)
        self.replies: dict[int, AnyReply] = {}

    def send(self, data: bytes) -> None:
        self.replies.update(decode_reply(frame) for frame in FrameBuffer().feed(data))


class Engine(MemoryEngine):
    """A server that works by itself, with Alice's account and her 10,000."""

    def __init__(self) -> None:
        state = new_state()
        state.accounts[ALICE].balance.total = 10_000 * 10**8
        super().__init__(MemoryStore.of(state))
        self.writer = WaitingWriter(self)
        self.clock = ToldClock(START_NS)
        self.server = EngineServer(self.core, self.writer, self.publisher, self.clock)
        self.client = Client(self.server)
        self.work: asyncio.Future[None] = asyncio.Future()
        self._asked = 0

    @property
    def heard(self) -> list[str]:
        return self.publisher.heard

    def enqueue(self, *orders: commands.SubmitOrder) -> None:
        for command in orders:
            self._asked += 1
            self.server.enqueue(self.client, self._asked, command)


def buy(name: str, client_order_id: str = "") -> commands.SubmitOrder:
    return submit_command(f"alice-{name}", "BUY 1 @ 10", client_order_id=client_order_id)


def play(scenario: Callable[[Engine], Awaitable[None]]) -> None:
    async def played() -> None:
        engine = Engine()
        engine.work = asyncio.ensure_future(engine.server.run())
        try:
            await scenario(engine)
        finally:
            engine.work.cancel()

    asyncio.run(played())


async def begin_two(engine: Engine) -> None:
    """An order is on its way to the database, and MIN_AHEAD more are in the open batch."""
    engine.enqueue(buy("first"))
    await turn()
    engine.enqueue(*(buy(str(number)) for number in range(MIN_AHEAD)))
    await turn()


async def until(engine: Engine, is_so: Callable[[], bool]) -> None:
    for _ in range(PATIENCE):
        if is_so():
            return
        if engine.work.done():
            engine.work.result()
        await asyncio.sleep(0)
    raise AssertionError("it did not come about")


async def turn() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def test_the_next_batch_is_carried_out_meanwhile_and_nobody_hears_of_it() -> None:
    async def scenario(engine: Engine) -> None:
        await begin_two(engine)

        assert len(engine.core.state.orders) == 1 + MIN_AHEAD
        assert [len(batch.changes.new_orders) for batch in engine.writer.written] == [1]
        assert (engine.client.replies, engine.heard) == ({}, [])
        engine.writer.let_go(1)
        await turn()
        assert [*engine.client.replies] == [1]
        assert len(engine.heard) == 1
        assert [len(batch.changes.new_orders) for batch in engine.writer.written] == [1, MIN_AHEAD]
        engine.writer.let_go(1)
        await turn()
        assert [*engine.client.replies] == [*range(1, 2 + MIN_AHEAD)]
        assert len(engine.heard) == 1 + MIN_AHEAD

    play(scenario)


def test_who_waits_for_what_has_landed_is_answered_while_more_is_carried_out() -> None:
    async def scenario(engine: Engine) -> None:
        engine.enqueue(buy("first"))
        await turn()
        engine.enqueue(*(buy(str(number)) for number in range(4 * MIN_AHEAD)))
        await until(engine, lambda: len(engine.core.state.orders) > 1)

        engine.writer.let_go(1)
        await until(engine, lambda: bool(engine.client.replies))

        assert [*engine.client.replies] == [1]
        assert len(engine.core.state.orders) < 1 + 4 * MIN_AHEAD

    play(scenario)


def test_few_wait_for_the_batch_that_is_on_its_way() -> None:
    async def scenario(engine: Engine) -> None:
        engine.enqueue(buy("first"))
        await turn()

        engine.enqueue(*(buy(str(number)) for number in range(MIN_AHEAD - 1)))
        await turn()

        assert len(engine.core.state.orders) == 1
        engine.writer.let_go(2)
        await turn()
        assert len(engine.client.replies) == MIN_AHEAD

    play(scenario)


def test_a_batch_that_fails_takes_the_one_behind_it_along() -> None:
    async def scenario(engine: Engine) -> None:
        await begin_two(engine)

        engine.writer.failure = ConnectionError("the database has gone")
        engine.writer.let_go(2)
        await turn()

        assert engine.work.exception() is engine.writer.failure
        assert (engine.client.replies, engine.heard, engine.store.batch) == ({}, [], 0)
        assert len(engine.writer.written) == 1

    play(scenario)


def test_a_client_order_id_that_is_on_its_way_is_known() -> None:
    async def scenario(engine: Engine) -> None:
        engine.enqueue(buy("first", "mine"))
        await turn()
        engine.writer.lets_look.clear()
        engine.enqueue(*(buy(str(number), "mine") for number in range(MIN_AHEAD)))
        await turn()

        engine.writer.let_go(2)  # it lands after the database has looked
        await turn()
        engine.writer.lets_look.set()
        await turn()

        first, *others = (engine.client.replies[number] for number in range(1, 2 + MIN_AHEAD))
        assert isinstance(first, OrderReply)
        assert [type(reply) for reply in others] == [DeniedReply] * MIN_AHEAD
        assert {reply.reason for reply in others if isinstance(reply, DeniedReply)} == {
            "CLIENT_ORDER_ID_DUPLICATE"
        }
        balance = engine.core.state.accounts[ALICE].balance
        assert Decimal(balance.locked) / 10**8 == 10

    play(scenario)


def test_an_order_that_comes_too_late_is_refused_however_long_a_batch_was_open() -> None:
    async def scenario(engine: Engine) -> None:
        await begin_two(engine)
        engine.clock.time_ns = START_NS + 10 * SECOND_NS
        late = START_NS + 4 * SECOND_NS

        engine.enqueue(
            msgspec.structs.replace(buy("unwaited"), good_until_ns=late),
            msgspec.structs.replace(buy("unwanted"), deadline_ns=late),
            buy("timely"),
        )
        engine.writer.let_go(3)
        await turn()

        unwaited, unwanted, timely = [*engine.client.replies.values()][-3:]
        assert isinstance(unwaited, BusyReply)
        assert isinstance(unwanted, DeniedReply)
        assert unwanted.reason == "DEADLINE_PASSED"
        assert isinstance(timely, OrderReply)
        assert timely.order.submitted_at == wire_time(START_NS + 10 * SECOND_NS)
        assert len(engine.core.state.orders) == 2 + MIN_AHEAD

    play(scenario)


def test_a_deadline_that_passes_while_a_batch_is_open_is_kept() -> None:
    async def scenario(engine: Engine) -> None:
        await begin_two(engine)
        engine.clock.time_ns = START_NS + MAX_OPEN_NS  # it still takes commands in
        order = msgspec.structs.replace(buy("late"), deadline_ns=START_NS + MAX_OPEN_NS - 1)

        engine.enqueue(*(order for _ in range(MIN_AHEAD)))
        await turn()
        engine.writer.let_go(2)
        await turn()

        reasons = [
            reply.reason
            for reply in engine.client.replies.values()
            if isinstance(reply, DeniedReply)
        ]
        assert reasons == ["DEADLINE_PASSED"] * MIN_AHEAD
        assert [len(batch.changes.new_orders) for batch in engine.writer.written] == [1, MIN_AHEAD]

    play(scenario)


def test_the_world_is_told_though_refusals_never_cease() -> None:
    async def scenario(engine: Engine) -> None:
        engine.enqueue(buy("first", "mine"))
        await turn()
        engine.writer.turns_of_a_look = 2
        engine.writer.let_go(1)
        for _ in range(10 * TURNS):
            engine.enqueue(buy("again", "mine"))  # always one that waits: it is never idle
            await asyncio.sleep(0)

        assert len(engine.heard) == 1

    play(scenario)
