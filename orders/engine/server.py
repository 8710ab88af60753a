"""The engine's socket and its batch loop: take what waits, apply, commit, then reply and publish.

Natural group commit: while one batch commits, the next one gathers; there is no timer. One process
leads a market segment; whatever goes wrong ends it, and the next start rebuilds from the database.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

import structlog

from core.domain.clock import Clock
from orders.domain.commands import (
    AnyCommand,
    ExpireOrders,
    OrderBatch,
    ReplaceOrder,
    SubmitOrder,
)
from orders.domain.market_commands import CheckMargin
from orders.domain.replies import AnyReply, BatchReply, BusyReply, CheckedReply
from orders.domain.session_commands import AnnounceSessions, EndSession
from orders.engine import metrics
from orders.engine.core import Core, duplicate_client_order_id
from orders.engine.journal import Journal
from orders.engine.liveness import Liveness
from orders.engine.protocol import (
    MAX_REPLY_BYTES,
    NO_REPLY,
    FrameBuffer,
    FrameError,
    decode_command,
    encode,
)
from orders.engine.publisher import Publisher
from orders.engine.writer import BatchWriter
from risk.domain.commands import EvaluateLosses

logger = structlog.get_logger(__name__)

MAX_BATCH = 512
"""Commands in one transaction: bounds how long the first of them waits for the last. Each order of
a client's batch counts.
"""

MAX_PENDING = 20_000
"""Commands that may wait; beyond it the engine says busy instead of growing without bound."""

MAX_UNREAD_BYTES = 2 * MAX_REPLY_BYTES
"""Replies that may wait for a client which does not read; beyond it the client is cut off."""

TICK_SECONDS = 1.0
NEW_ORDERS: Final = (SubmitOrder, ReplaceOrder)
"""Commands that bring a new order: unique by its client order id, and not good for ever."""


class Waiting(NamedTuple):
    """A command, where its reply goes (None: the engine asked itself) and the frame it came in."""

    connection: "Connection | None"
    request_id: int
    command: AnyCommand
    received_ns: int
    frame: bytes | None


class Connection(asyncio.Protocol):
    """One client of the engine: gateway, web, feed or a management command."""

    def __init__(self, server: "EngineServer") -> None:
        self._server = server
        self._frames = FrameBuffer()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._frames.feed(data):
                request_id, command = decode_command(frame)
                self._server.enqueue(self, request_id, command, frame)
        except FrameError as error:
            logger.warning("engine_client_frame_refused", error=str(error))
            self.close()

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            logger.warning("engine_client_does_not_read")
            self._transport.abort()

    def stop_reading(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class EngineServer:
    """Runs one market segment until it is told to stop or loses its footing (then it raises)."""

    def __init__(self, core: Core, writer: BatchWriter, publisher: Publisher, clock: Clock) -> None:
        self.core = core
        self.connections: set[Connection] = set()
        self._journal = Journal(core)
        self._writer = writer
        self._publisher = publisher
        self._clock = clock
        self._liveness = Liveness(core.state.order_sessions, clock.now_ns())
        self._pending: list[Waiting] = []
        self._pending_weight = 0
        self._has_pending = asyncio.Event()
        self._is_stopping = False
        self._margin_looked_at = 0
        self._looks_at_losses = False
        self._listener: asyncio.Server | None = None

    @property
    def pending(self) -> int:
        return self._pending_weight

    def now_ns(self) -> int:
        return self._clock.now_ns()

    @property
    def batch(self) -> int:
        return self._writer.batch

    def enqueue(
        self,
        connection: Connection | None,
        request_id: int,
        command: AnyCommand,
        frame: bytes | None = None,
    ) -> None:
        """Put a command into the next batch, or answer busy. What gateways announce is heard at
        once, and changes nothing.
        """
        if isinstance(command, AnnounceSessions):
            self._liveness.hear(command.session_ids, self._clock.now_ns())
            return
        if self._pending_weight >= MAX_PENDING and connection is not None:
            if request_id != NO_REPLY:
                connection.send(encode(request_id, BusyReply()))
            return
        now_ns = self._clock.now_ns()
        self._pending.append(Waiting(connection, request_id, command, now_ns, frame))
        self._pending_weight += _weight(command)
        self._has_pending.set()

    async def serve(self, socket_path: Path) -> None:
        """Listen and process until stop(); what was received by then is still committed."""
        socket_path.parent.mkdir(parents=True, exist_ok=True)
        socket_path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_unix_server(lambda: Connection(self), str(socket_path))
        socket_path.chmod(0o600)
        inode = socket_path.stat().st_ino
        ticker = loop.create_task(self._tick())
        try:
            while not self._is_stopping or self._pending:
                await self._has_pending.wait()
                batch = self._take_batch()
                if batch:
                    await self._process(batch)
        finally:
            ticker.cancel()
            self._listener.close()
            for connection in tuple(self.connections):
                connection.close()
            _unlink_own(socket_path, inode)

    def stop(self) -> None:
        """Take nothing more in, finish what waits, then return from serve()."""
        self._is_stopping = True
        if self._listener is not None:
            self._listener.close()
        for connection in self.connections:
            connection.stop_reading()
        self._has_pending.set()

    def _take_batch(self) -> list[Waiting]:
        """What waits, oldest first, as much as one transaction may hold."""
        weight = 0
        batch: list[Waiting] = []
        for waiting in self._pending:
            if weight + _weight(waiting.command) > MAX_BATCH:
                break
            weight += _weight(waiting.command)
            batch.append(waiting)
        del self._pending[: len(batch)]
        self._pending_weight -= weight
        if not self._pending:
            self._has_pending.clear()
        return batch

    async def _tick(self) -> None:
        """Once a second: end the sessions that fell silent, let orders expire, and let the loop
        notice a lost database.
        """
        while True:
            await asyncio.sleep(TICK_SECONDS)
            sessions = self.core.state.order_sessions
            for session_id in self._liveness.silent(sessions, self._clock.now_ns()):
                logger.warning("order_session_silent", session=str(session_id))
                self.enqueue(None, NO_REPLY, EndSession(session_id, f"silent-{session_id}"))
            self._looks_at_losses = self.core.state.limits.watching > 0
            self.enqueue(None, NO_REPLY, ExpireOrders())
            if self.core.state.margin_accounts:
                self.enqueue(None, NO_REPLY, CheckMargin(self._margin_looked_at))

    async def _process(self, batch: Sequence[Waiting]) -> None:
        known = await self._known_client_ids(batch)
        now_ns = await self._expire_due()
        replies: list[AnyReply] = []
        for waiting in batch:
            replies.append(self._apply(waiting, known, now_ns))
            if self.core.is_clearing:
                await self._clear(now_ns)
        changes = self.core.changes
        if changes.executions and self.core.state.limits.watching:
            self._looks_at_losses = True
            self.enqueue(None, NO_REPLY, ExpireOrders())
        payloads: list[str] | None = None
        if not changes.is_empty or self._journal.is_full:
            payloads = await self._write(now_ns)
        elif any(isinstance(waiting.command, ExpireOrders) for waiting in batch):
            await self._writer.verify_lease()
        self._reply(batch, replies)
        longest_wait_ns = self._clock.now_ns() - batch[0].received_ns
        await asyncio.sleep(0)  # the loop writes now: who waits goes on while we tell the world
        if payloads is not None:
            self._tell(payloads)
        self._publisher.note_books(changes.books)
        self._note_margin(replies)
        if self.core.is_electing:
            self.enqueue(None, NO_REPLY, ExpireOrders())  # a batch that goes on with it, now
        metrics.observe_batch(replies, longest_wait_ns, changes, len(self._pending))

    def _note_margin(self, replies: Sequence[AnyReply]) -> None:
        """Where the next look at margin accounts goes on."""
        for reply in replies:
            if isinstance(reply, CheckedReply):
                self._margin_looked_at = reply.last

    async def _expire_due(self) -> int:
        """Take orders whose time has come out of the market and finish the elections of the batch
        before; returns the time for a new batch, at which nothing is due.
        """
        while True:
            # Whole microseconds: what the database keeps, so that a restart sees the same times.
            now_ns = self._clock.now_ns() // 1000 * 1000
            self.core.begin_batch()
            self._journal.apply(ExpireOrders(), now_ns)
            if self._looks_at_losses and not self.core.is_clearing:
                self._journal.apply(EvaluateLosses(), now_ns)
            if self.core.changes.is_empty:
                self._looks_at_losses = False
                return now_ns
            await self._commit(now_ns)
            self._publisher.note_books(self.core.changes.books)

    async def _clear(self, now_ns: int) -> None:
        """Commit and go on until a switch has canceled all its orders, so that nothing trades in
        between and the commands after it find none of them (docs/risk.md W2).
        """
        while self.core.is_clearing:
            await self._commit(now_ns)
            self._publisher.note_books(self.core.changes.books)
            metrics.count_changes(self.core.changes)
            self.core.begin_batch()
            self._journal.apply(ExpireOrders(), now_ns)

    async def _commit(self, now_ns: int) -> None:
        """Commit what the core changed for none but itself."""
        self._tell(await self._write(now_ns))

    async def _write(self, now_ns: int) -> list[str]:
        """Commit what the core changed; returns the events as JSON."""
        return await self._writer.commit(self.core.changes, self._journal.take(), now_ns)

    def _tell(self, payloads: list[str]) -> None:
        """Publish what the core changed, and log whose requests it was."""
        changes = self.core.changes
        self._publisher.publish_events(changes, payloads)
        logger.info(
            "batch_committed",
            batch=self._writer.batch,
            requests=sorted({event.request_id for _, event in changes.events}),
        )

    def _apply(self, waiting: Waiting, known: dict[tuple[int, str], UUID], now_ns: int) -> AnyReply:
        """The core's reply, or the refusal of an order that comes too late or a second time."""
        command = waiting.command
        if not isinstance(command, NEW_ORDERS):
            if isinstance(command, OrderBatch):
                each = [waiting._replace(command=part, frame=None) for part in command.orders]
                parts = [self._apply(part, known, now_ns) for part in each]
                return BatchReply(cast(list[Any], parts))
            return self._journal.apply(command, now_ns, waiting.frame)
        if command.good_until_ns is not None and now_ns > command.good_until_ns:
            return BusyReply()
        if not command.client_order_id:
            return self._journal.apply(command, now_ns, waiting.frame)
        key = (command.account_id, command.client_order_id)
        if key in known:
            return duplicate_client_order_id(known[key])
        reply = self._journal.apply(command, now_ns, waiting.frame)
        if command.order_id in self.core.changes.new_orders:
            known[key] = command.order_id
        return reply

    def _reply(self, batch: Sequence[Waiting], replies: Sequence[AnyReply]) -> None:
        """Send the replies, those of one connection in one write."""
        outgoing: dict[Connection, list[bytes]] = {}
        for waiting, reply in zip(batch, replies, strict=True):
            if waiting.connection is not None and waiting.request_id != NO_REPLY:
                outgoing.setdefault(waiting.connection, []).append(
                    encode(waiting.request_id, reply)
                )
        for connection, frames in outgoing.items():
            connection.send(b"".join(frames))

    async def _known_client_ids(self, batch: Sequence[Waiting]) -> dict[tuple[int, str], UUID]:
        """Which (account, client order id) pairs of the batch stored orders already bear.

        Unique for ever, terminal orders included, so memory cannot answer. Orders sent without one
        get their own id and are not asked for.
        """
        asked = [
            (command.account_id, command.client_order_id)
            for waiting in batch
            for command in _parts(waiting.command)
            if isinstance(command, NEW_ORDERS) and command.client_order_id
        ]
        return await self._writer.known_client_ids(asked) if asked else {}


def _parts(command: AnyCommand) -> Sequence[AnyCommand]:
    """A batch's orders, or the command alone."""
    return command.orders if isinstance(command, OrderBatch) else (command,)


def _weight(command: AnyCommand) -> int:
    return len(command.orders) if isinstance(command, OrderBatch) else 1


def _unlink_own(socket_path: Path, inode: int) -> None:
    """Remove the socket unless an engine that took over has put its own in the same place."""
    if socket_path.exists() and socket_path.stat().st_ino == inode:
        socket_path.unlink(missing_ok=True)
