"""The engine's socket and its queue: takes commands in and hands what waits to the batches.

Natural group commit: while one batch commits, the next one gathers (orders/engine/batches.py);
there is no timer. One process leads a market segment; whatever goes wrong ends it, and the next
start rebuilds from the database.
"""

import asyncio
from pathlib import Path
from typing import cast

import structlog

from core.domain.clock import Clock
from orders.domain.commands import AnyCommand, ExpireOrders
from orders.domain.market_commands import CheckMargin
from orders.domain.replies import BusyReply
from orders.domain.session_commands import AnnounceSessions, EndSession
from orders.engine.batches import MAX_BATCH, Batches, Waiting, weight_of
from orders.engine.core import Core
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
from orders.engine.waiting_line import WaitingLine
from orders.engine.writer import BatchWriter

logger = structlog.get_logger(__name__)

MIN_AHEAD = 16
"""As many must wait before they are carried out while a batch is on its way to the database."""

MAX_PENDING = 20_000
"""Commands that may wait; beyond it the engine says busy instead of growing without bound."""

MAX_UNREAD_BYTES = 2 * MAX_REPLY_BYTES
"""Replies that may wait for a client which does not read; beyond it the client is cut off."""

TICK_SECONDS = 1.0


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
        self._batches = Batches(core, writer, publisher, clock, self)
        self._writer = writer
        self._clock = clock
        self._liveness = Liveness(core.state.order_sessions, clock.now_ns())
        self._line = WaitingLine()
        self._has_work = asyncio.Event()
        self._is_stopping = False
        self._listener: asyncio.Server | None = None

    @property
    def pending(self) -> int:
        """How much has come and is not yet on its way to the database."""
        return self._line.weight + self._batches.weight

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
        """Put a command behind what waits, or answer busy; a quote takes the place of an older one
        of its instrument. What gateways announce is heard at once, and changes nothing.
        """
        if isinstance(command, AnnounceSessions):
            self._liveness.hear(command.session_ids, self._clock.now_ns())
            return
        waiting = Waiting(connection, request_id, command, self._clock.now_ns(), frame)
        if self._line.replace(waiting):
            return
        if self.pending >= MAX_PENDING and connection is not None:
            forgotten = self._line.forget_street(waiting.received_ns)
            if not forgotten:
                if request_id != NO_REPLY:
                    connection.send(encode(request_id, BusyReply()))
                return
            logger.warning("engine_line_full", street_commands_forgotten=forgotten)
        self._line.put(waiting)
        self._has_work.set()

    def ask_itself(self, command: AnyCommand) -> None:
        self.enqueue(None, NO_REPLY, command)

    def wake(self) -> None:
        self._has_work.set()

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
            await self.run()
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
        self._has_work.set()

    async def run(self) -> None:
        """Carry out what comes until stop(), and what has come by then."""
        while not self._is_stopping:
            await self._has_work.wait()
            self._has_work.clear()
            while await self._work():
                pass
        await self.finish()

    async def finish(self) -> None:
        """Carry out and commit all that waits."""
        while self._line or self._batches.is_open:
            if not await self._work():
                await self._batches.land()
        await self._batches.land()
        self._batches.tell()

    async def _work(self) -> bool:
        """Carry on with what waits; False when there is nothing to do before something comes or
        lands.
        """
        batches = self._batches
        if not batches.is_landing:
            await batches.land()
        if not self._may_take() and (batches.is_landing or not batches.is_open):
            batches.tell()
            return False
        await batches.carry_out(self._line.take(self._room) if batches.may_grow else [])
        return True

    def _may_take(self) -> bool:
        """Whether what waits is to be carried out now. While a batch is on its way a few more may
        gather: they cannot be committed before it, and share one look at the client order ids.
        """
        if not self._line or not self._batches.may_grow:
            return False
        if not self._batches.is_landing:
            return True
        has_room = not self._batches.is_open or weight_of(self._line.first) <= self._room
        return has_room and self._line.weight >= MIN_AHEAD

    @property
    def _room(self) -> int:
        """How much the open batch may still take."""
        return MAX_BATCH - self._batches.weight

    async def _tick(self) -> None:
        """Once a second: end the sessions that fell silent, let orders expire, and let the loop
        notice a lost database.
        """
        while True:
            await asyncio.sleep(TICK_SECONDS)
            sessions = self.core.state.order_sessions
            for session_id in self._liveness.silent(sessions, self._clock.now_ns()):
                logger.warning("order_session_silent", session=str(session_id))
                self.ask_itself(EndSession(session_id, f"silent-{session_id}"))
            if self.core.state.limits.watching:
                self._batches.look_at_losses()
            self.ask_itself(ExpireOrders())
            if self.core.state.margin_accounts:
                self.ask_itself(CheckMargin(self._batches.margin_looked_at))


def _unlink_own(socket_path: Path, inode: int) -> None:
    """Remove the socket unless an engine that took over has put its own in the same place."""
    if socket_path.exists() and socket_path.stat().st_ino == inode:
        socket_path.unlink(missing_ok=True)
