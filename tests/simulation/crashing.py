"""An engine that dies at a named place of its work: the real server, core, journal and recovery
over a store in memory (tests/simulation/memory_store.py), without sockets.

The places lie at the engine's own seams: what it asks of its core, its writer, its publisher and a
connection. tests/faults/test_crash_points.py does the same with the real socket and database.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from orders.domain.commands import AnyCommand, ExpireOrders, OrderBatch
from orders.domain.replies import AnyReply
from orders.domain.views import AccountEvent
from orders.engine.changes import Changes
from orders.engine.core import Core
from orders.engine.lease import Lease
from orders.engine.protocol import FrameBuffer, decode_reply
from orders.engine.publisher import Publisher
from orders.engine.rebuild import rebuild
from orders.engine.server import Connection, EngineServer
from orders.engine.state import EngineState, Instrument
from orders.engine.writer import BatchWriter, Prepared
from tests.simulation.memory_store import MemoryStore
from tests.simulation.told_clock import ToldClock

LOOP = asyncio.new_event_loop()
"""Of all engines of a run: making one takes longer than a crash."""


class Point(StrEnum):
    """Where the engine dies, in the order in which a command comes by."""

    RECEIVED = "received, not yet taken into a batch"
    BATCH_TAKEN = "before what is due"
    BEFORE_VALIDATION = "before the command is looked at"
    IN_THE_MIDST = "after its first event, before the rest"
    AFTER_MATCHING = "after the command was carried out"
    BEFORE_WRITING = "before the batch is written"
    BEFORE_COMMIT = "written, before COMMIT"
    AFTER_COMMIT = "after COMMIT, before it is heard of"
    BEFORE_REPLY = "before the reply"
    BEFORE_PUBLISHING = "after the reply, before the events are published"
    PUBLISHED = "published, before the depth is noted"
    DEPTH_NOTED = "before the next batch"


BEFORE = frozenset(
    {
        Point.RECEIVED,
        Point.BATCH_TAKEN,
        Point.BEFORE_VALIDATION,
        Point.IN_THE_MIDST,
        Point.AFTER_MATCHING,
        Point.BEFORE_WRITING,
        Point.BEFORE_COMMIT,
    }
)
"""Where nothing of the command is committed yet."""

ANSWERED = frozenset({Point.BEFORE_PUBLISHING, Point.PUBLISHED, Point.DEPTH_NOTED})
"""Where the client has its reply."""


class Crash(Exception):
    """The engine's end, as a kill at that place would be."""


class Fuse:
    """Ends the engine where it is set, once the command that it waits for is on its way."""

    def __init__(self) -> None:
        self.point: Point | None = None
        self.commands: list[AnyCommand] = []
        self.is_carrying_out = False

    def set(self, point: Point, command: AnyCommand) -> None:
        """`command`: whose events count; those of a batch are asked of the core one by one."""
        self.point = point
        self.commands = [*command.orders] if isinstance(command, OrderBatch) else [command]

    def at(self, point: Point) -> None:
        if point is self.point:
            raise Crash


class Events(list[tuple[int, AccountEvent]]):
    """A batch's events, of which the first may be the last."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def append(self, item: tuple[int, AccountEvent], /) -> None:
        super().append(item)
        if self._fuse.is_carrying_out:
            self._fuse.at(Point.IN_THE_MIDST)


class CrashingCore(Core):
    def __init__(self, state: EngineState, fuse: Fuse) -> None:
        super().__init__(state)
        self._fuse = fuse

    def begin_batch(self) -> None:
        super().begin_batch()
        self.changes.events = Events(self._fuse)

    def apply(self, command: AnyCommand, now_ns: int) -> AnyReply:
        if isinstance(command, ExpireOrders):
            self._fuse.at(Point.BATCH_TAKEN)
        if not any(command is waited_for for waited_for in self._fuse.commands):
            return super().apply(command, now_ns)
        self._fuse.at(Point.BEFORE_VALIDATION)
        self._fuse.is_carrying_out = True
        reply = super().apply(command, now_ns)
        self._fuse.at(Point.AFTER_MATCHING)
        return reply


class MemoryWriter(BatchWriter):
    """Commits to the engine's store; `state` is the memory that the store must say the same as."""

    def __init__(self, engine: "MemoryEngine") -> None:
        self._engine = engine
        self._lease = Lease("main", 1, engine.store.batch)
        self.batch = engine.store.batch

    async def verify_lease(self) -> None:
        """There is no other engine."""

    async def known_client_ids(self, asked: Any) -> dict[tuple[int, str], UUID]:
        known = self._engine.store.client_ids
        return {pair: known[pair] for pair in asked if pair in known}

    def prepare(self, changes: Changes, content: bytes, now_ns: int) -> Prepared:
        engine = self._engine
        engine.fuse.at(Point.BEFORE_WRITING)
        payloads = [msgspec.json.encode(event).decode() for _, event in changes.events]
        self._written = engine.store.with_batch(changes, payloads, engine.core.state)
        self.batch = self._written.batch
        return Prepared(self.batch, changes, payloads, "", [])

    async def write(self, prepared: Prepared) -> None:
        engine = self._engine
        engine.fuse.at(Point.BEFORE_COMMIT)
        engine.store = self._written
        engine.fuse.at(Point.AFTER_COMMIT)


class HeardPublisher(Publisher):
    """Keeps what it is given."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse
        self.heard: list[str] = []

    def publish_events(self, changes: Changes, payloads: list[str]) -> None:
        self._fuse.at(Point.BEFORE_PUBLISHING)
        self.heard += payloads

    def note_books(self, books: Mapping[int, Instrument]) -> None:
        self._fuse.at(Point.PUBLISHED)


class Asker(Connection):
    """A client that keeps the replies."""

    def __init__(self, server: EngineServer, fuse: Fuse) -> None:
        super().__init__(server)
        self._fuse = fuse
        self.replies: list[AnyReply] = []

    def send(self, data: bytes) -> None:
        self._fuse.at(Point.BEFORE_REPLY)
        self.replies += [decode_reply(frame)[1] for frame in FrameBuffer().feed(data)]


class MemoryEngine:
    """Starts on a store, answers, dies where its fuse says; the next one starts on `store`."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.fuse = Fuse()
        self._clock = ToldClock(0)
        self.core = CrashingCore(rebuild(store.rows), self.fuse)
        self.publisher = HeardPublisher(self.fuse)
        self._server = EngineServer(self.core, MemoryWriter(self), self.publisher, self._clock)
        self._asker = Asker(self._server, self.fuse)

    @property
    def replies(self) -> list[AnyReply]:
        return self._asker.replies

    def ask(self, command: AnyCommand, now_ns: int, crash_at: Point | None = None) -> AnyReply:
        """The reply; Crash when the engine died of the command."""
        self._clock.time_ns = now_ns
        if crash_at is not None:
            self.fuse.set(crash_at, command)
        self._server.enqueue(self._asker, 1, command)
        self.fuse.at(Point.RECEIVED)
        LOOP.run_until_complete(self._server.finish())
        self.fuse.at(Point.DEPTH_NOTED)
        return self.replies[-1]
