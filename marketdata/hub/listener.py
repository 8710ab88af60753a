"""One socket as the hub sees it: a bounded queue in front of the socket's own send.

A socket that keeps up is written to at once, without a queue, a task or a wake-up: a finished frame
where the server takes one (FRAME_WRITER in marketdata/domain/frames.py), else through its send.
When the send has to wait (the client reads slowly), a task carries that send on and drains what
queued meanwhile.
"""

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable
from typing import Any, cast

from marketdata.domain.conflation import ConflatingQueue
from marketdata.hub.messages import AsgiEvent, Form, Message, Outgoing

Send = Callable[[AsgiEvent], Awaitable[None]]
WriteFrame = Callable[[bytes], bool]

TOPIC_LIMIT = 200
"""Topics a socket; a terminal shows some tens."""
QUEUE_LIMIT = 512
"""Facts that wait for a slow socket; beyond it the topic starts over from a snapshot."""
STUCK_SECONDS = 10
"""A socket that took nothing for so long is closed (4408)."""

SOCKET_GONE = (OSError, RuntimeError)
"""What an ASGI server raises for a send to a socket that has closed."""


class Listener:
    """`on_stuck` is called once when the socket has taken nothing for STUCK_SECONDS."""

    def __init__(
        self,
        send: Send,
        form: Form,
        on_stuck: Callable[[], None],
        write_frame: WriteFrame | None = None,
    ) -> None:
        self.form = form
        self.topics: set[str] = set()
        self.paused: set[str] = set()
        """Log topics that overflowed: the hub starts them over when the queue is empty."""
        self._delivered = 0
        self.on_drained: Callable[[Listener], None] | None = None
        self._send = send
        self._write_frame = write_frame
        self._on_stuck = on_stuck
        self._queue: ConflatingQueue[Outgoing] = ConflatingQueue(QUEUE_LIMIT)
        self._writer: asyncio.Task[None] | None = None
        self._progress_at = 0.0
        self._is_gone = False

    def take_counts(self) -> tuple[int, int]:
        """Frames delivered and states conflated since the last call."""
        counts = (self._delivered, self._queue.conflated)
        self._delivered = self._queue.conflated = 0
        return counts

    def take_finished(self, frame: bytes) -> bool:
        """Write a finished frame past the queue; False when nothing was written and it has to be
        put instead.
        """
        if self._writer is not None or self._write_frame is None or self._is_gone:
            return False
        if not self._write_frame(frame):
            return False
        self._delivered += 1
        return True

    def put_state(self, key: Hashable, outgoing: Outgoing) -> None:
        """Send the newest state of `key`, now or when the socket can take it."""
        if self._writer is None:
            self._write(outgoing)
        else:
            self._queue.put_state(key, outgoing)

    def put_newest(self, message: Message) -> None:
        """Send a message that takes the place of an older one of its topic, if the form has it."""
        outgoing = message.outgoing_for(self.form)
        if outgoing is not None:
            self.put_state(message.topic, outgoing)

    def put_log(self, outgoing: Outgoing) -> bool:
        """Send a fact, now or in its turn; False when the queue is full and it was dropped."""
        if self._writer is None:
            self._write(outgoing)
            return True
        return self._queue.put_log(outgoing)

    def check_progress(self, now: float) -> None:
        """Called every second by the hub with the loop's time."""
        if self._writer is not None and now - self._progress_at > STUCK_SECONDS:
            self.stop()
            self._on_stuck()

    def stop(self) -> None:
        """Send nothing more."""
        self._is_gone = True
        self._queue.clear()
        if self._writer is not None:
            self._writer.cancel()

    def _write(self, outgoing: Outgoing) -> None:
        """Write the frame, or run the socket's send right here; most finish without waiting, and
        need no task.
        """
        if self._is_gone:
            return
        if self.take_finished(outgoing.frame):
            return
        sending = cast(Coroutine[Any, Any, None], self._send(outgoing.event))
        try:
            waits_for = sending.send(None)
        except StopIteration:
            self._delivered += 1
        except SOCKET_GONE:
            self._is_gone = True
        else:
            loop = asyncio.get_running_loop()
            self._progress_at = loop.time()
            self._writer = loop.create_task(self._carry_on(sending, waits_for))

    async def _carry_on(self, sending: Coroutine[Any, Any, None], waits_for: object) -> None:
        loop = asyncio.get_running_loop()
        try:
            await _resumed(sending, waits_for)
            self._delivered += 1
            while self._queue:
                self._progress_at = loop.time()
                await self._send(self._queue.pop().event)
                self._delivered += 1
        except SOCKET_GONE:
            self._is_gone = True
            self._queue.clear()
        finally:
            self._writer = None
        if self.paused and self.on_drained is not None:
            self.on_drained(self)


@types.coroutine
def _resumed(
    coroutine: Coroutine[Any, Any, None], waits_for: object
) -> Generator[object, object, None]:
    """Await a coroutine that was started by hand and now waits for `waits_for`."""
    try:
        while True:
            result = yield waits_for
            try:
                waits_for = coroutine.send(result)
            except StopIteration:
                return
    finally:
        coroutine.close()  # after a cancellation: its own clean-up runs, its work is given up
