"""The ways into the engine: an asyncio client for the gateway, a blocking one for pages and
commands.

Both tell apart what never reached the engine (safe to send again) from what may have (ask by id).
"""

import asyncio
import itertools
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple, cast

from orders.domain.commands import AnyCommand
from orders.domain.replies import AnyReply
from orders.engine.protocol import (
    MAX_REPLY_BYTES,
    NO_REPLY,
    FrameBuffer,
    FrameError,
    decode_reply,
    encode,
)

CONNECT_TIMEOUT_SECONDS = 1.0
MAX_UNSENT_BYTES = 1_048_576
"""What may wait toward an engine that does not read; quotes beyond it are dropped (newer ones
come).
"""


class EngineUnavailableError(ConnectionError):
    """The engine could not be reached: the command was not sent and had no effect."""


class UnknownOutcomeError(Exception):
    """The command was sent and no reply came: it may have taken effect. Ask by its id."""


class AsyncEngineClient:
    """Many requests at once over one connection; reconnects when it is next used."""

    def __init__(self, socket_path: Path, timeout_seconds: float) -> None:
        self._path = str(socket_path)
        self._timeout = timeout_seconds
        self._protocol: _ClientProtocol | None = None
        self._connecting = asyncio.Lock()

    async def request(self, command: AnyCommand) -> AnyReply:
        """The engine's committed answer; raises one of the two errors above without one."""
        protocol = self._protocol
        if protocol is None or protocol.is_closed:
            protocol = await self._connect()
        return await protocol.request(command)

    async def tell(self, command: AnyCommand) -> None:
        """Send without asking for a reply (the feed's quotes)."""
        protocol = self._protocol
        if protocol is None or protocol.is_closed:
            protocol = await self._connect()
        protocol.tell(command)

    async def close(self) -> None:
        if self._protocol is not None:
            self._protocol.close()

    async def _connect(self) -> "_ClientProtocol":
        async with self._connecting:
            if self._protocol is not None and not self._protocol.is_closed:
                return self._protocol
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_SECONDS):
                    _, protocol = await loop.create_unix_connection(
                        lambda: _ClientProtocol(loop, self._timeout), self._path
                    )
            except (OSError, TimeoutError) as error:
                raise EngineUnavailableError(str(error)) from error
            self._protocol = protocol
            return protocol


class _Asked(NamedTuple):
    """A command under way: who waits for its reply, and since when."""

    reply: "asyncio.Future[AnyReply]"
    asked_at: float


class _ClientProtocol(asyncio.Protocol):
    """One connection. Its commands wait equally long, so the first that was asked is the first that
    is late: one timer watches over all of them, where one for each would cost as much as sending.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_seconds: float) -> None:
        self._loop = loop
        self._timeout = timeout_seconds
        self._frames = FrameBuffer(MAX_REPLY_BYTES)
        self._waiting: dict[int, _Asked] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._ids = itertools.count(1)
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self.is_closed = False
        self._heard_at = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if self._watch is not None:
            self._watch.cancel()
        for asked in self._waiting.values():
            if not asked.reply.done():
                asked.reply.set_exception(UnknownOutcomeError("the engine closed the connection"))
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        try:
            for frame in self._frames.feed(data):
                request_id, reply = decode_reply(frame)
                asked = self._waiting.pop(request_id, None)
                if asked is not None and not asked.reply.done():
                    asked.reply.set_result(reply)
        except FrameError:
            self.close()

    def request(self, command: AnyCommand) -> "asyncio.Future[AnyReply]":
        """The reply; UnknownOutcomeError when none comes in time or the connection breaks."""
        assert self._transport is not None
        request_id = next(self._ids)
        frame = encode(request_id, command)
        reply: asyncio.Future[AnyReply] = self._loop.create_future()
        self._waiting[request_id] = _Asked(reply, time.monotonic())
        if self._watch is None:
            self._watch = self._loop.call_later(self._timeout, self._give_up)
        self._send(frame)
        return reply

    def _send(self, frame: bytes) -> None:
        """Write it with whatever else is asked in this turn of the loop: one call of the system."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(frame)

    def _flush(self) -> None:
        frames, self._unsent = self._unsent, []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(frames))

    def _give_up(self) -> None:
        """End the wait of all that were asked too long ago, and look again when the next is due."""
        self._watch = None
        latest = time.monotonic() - self._timeout
        while self._waiting:
            request_id, asked = next(iter(self._waiting.items()))
            if asked.asked_at > latest:
                wait_seconds = asked.asked_at - latest
                self._watch = self._loop.call_later(wait_seconds, self._give_up)
                return
            del self._waiting[request_id]
            if not asked.reply.done():
                asked.reply.set_exception(UnknownOutcomeError("no reply in time"))
                if self._heard_at < asked.asked_at:
                    self.close()  # it hangs; another engine may lead by now

    def tell(self, command: AnyCommand) -> None:
        assert self._transport is not None
        if self._transport.get_write_buffer_size() < MAX_UNSENT_BYTES:
            self._send(encode(NO_REPLY, command))

    def close(self) -> None:
        self.is_closed = True  # at once: the loop tells of a lost connection only later
        self._flush()
        if self._transport is not None:
            self._transport.close()


class EngineClient:
    """Blocking requests, one connection a thread: what pages and commands use."""

    def __init__(self, socket_path: Path, timeout_seconds: float) -> None:
        self._path = str(socket_path)
        self._timeout = timeout_seconds
        self._local = threading.local()
        self._ids = itertools.count(1)

    def request(self, command: AnyCommand) -> AnyReply:
        """The engine's committed answer; raises one of the two errors above without one."""
        connection = self._connection()
        request_id = next(self._ids)
        try:
            connection.sendall(encode(request_id, command))
            return self._read(connection, request_id)
        except (OSError, FrameError) as error:
            self.close()
            raise UnknownOutcomeError(str(error)) from error

    def close(self) -> None:
        connection: socket.socket | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _connection(self) -> socket.socket:
        """This thread's connection, checked for an engine that has gone since it was last used."""
        connection: socket.socket | None = getattr(self._local, "connection", None)
        if connection is not None and _is_alive(connection):
            connection.settimeout(self._timeout)
            return connection
        self.close()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(CONNECT_TIMEOUT_SECONDS)
            connection.connect(self._path)
            connection.settimeout(self._timeout)
        except OSError as error:
            connection.close()
            raise EngineUnavailableError(str(error)) from error
        self._local.connection = connection
        return connection

    def _read(self, connection: socket.socket, request_id: int) -> AnyReply:
        frames = FrameBuffer(MAX_REPLY_BYTES)
        while True:
            data = connection.recv(65_536)
            if not data:
                raise ConnectionResetError("the engine closed the connection")
            for frame in frames.feed(data):
                answered_id, reply = decode_reply(frame)
                if answered_id != request_id:
                    raise FrameError("the reply is to another request")
                return reply


def _is_alive(connection: socket.socket) -> bool:
    """False when there is anything to read: the end, or a reply that nobody waited for."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
