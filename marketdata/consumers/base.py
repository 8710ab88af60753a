"""What every socket on the hub shares: a listener, limits on the client, and an end that comes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer

from marketdata.domain.frames import FRAME_WRITER
from marketdata.hub import Form, Hub, Listener, Outgoing, local_hub
from marketdata.metrics import HUB_TOO_SLOW

logger = structlog.get_logger(__name__)

MESSAGE_LIMIT_BYTES = 65_536
MESSAGES_PER_SECOND = 50
"""What a person's page or a reader of prices may say; the order socket has a number of its own."""
CLOSE_TIMEOUT_SECONDS = 5

CLOSE_SIGNED_OUT = 4401
CLOSE_TOO_SLOW = 4408
CLOSE_POLICY = 1008
CLOSE_TOO_LARGE = 1009


class HubSocket(AsyncWebsocketConsumer):
    """A socket with a listener. Subclasses say what happens on `opened` and `received`.

    Frames go through the listener to the server's own send, past Channels: nothing of it is needed
    there, and a layer per frame would cost more than the frame.
    """

    form: Form
    hub: Hub
    listener: Listener
    messages_per_second = MESSAGES_PER_SECOND

    async def __call__(
        self,
        scope: dict[str, Any],  # Any: ASGI's types
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        self.scope = scope
        self.base_send = send
        self._ended = asyncio.Event()
        self._helpers: set[asyncio.Task[None]] = set()
        self._window = (0, 0)
        self.hub = local_hub()
        write_frame = scope.get("extensions", {}).get(FRAME_WRITER)
        self.listener = Listener(send, self.form, self._on_stuck, write_frame)
        reading = asyncio.create_task(self._read(receive))
        ending = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                reading.result()
        finally:
            self.hub.detach(self.listener)
            for task in (reading, ending, *self._helpers):
                task.cancel()
            await asyncio.gather(reading, ending, *self._helpers, return_exceptions=True)
            await self.closed()

    async def opened(self) -> None:
        """The handshake has come; accept or refuse."""
        raise NotImplementedError

    async def received(self, frame: str | bytes) -> None:
        """The client has sent a frame within the limits."""
        raise NotImplementedError

    async def closed(self) -> None:
        """The socket is gone and detached."""

    async def let_in(self) -> None:
        """Finish the handshake."""
        await self.accept()  # type: ignore[no-untyped-call]  # Channels has no types

    def say(self, frame: str | bytes) -> bool:
        """Queue a frame of our own behind what the hub has queued; False when there is no room."""
        kind = "text" if isinstance(frame, str) else "bytes"
        return self.listener.put_log(Outgoing({"type": "websocket.send", kind: frame}))

    def help_with(self, work: Any) -> None:  # Any: a coroutine of whatever kind
        """Run a task beside the socket, for as long as it lives."""
        task = asyncio.create_task(work)
        self._helpers.add(task)
        task.add_done_callback(self._helper_done)

    async def end(self, code: int) -> None:
        """Close with `code`; a client that does not even take that is cut off."""
        self.listener.stop()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self.close(code)  # type: ignore[no-untyped-call]  # Channels
        except (OSError, RuntimeError) as error:
            logger.debug("socket_gone_before_close", code=code, error=str(error))
        self._ended.set()

    async def _read(self, receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if message["type"] == "websocket.connect":
                await self.opened()
            elif message["type"] == "websocket.receive":
                await self._take(message)

    async def _take(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        frame = message["bytes"] if text is None else text
        if len(frame) > MESSAGE_LIMIT_BYTES:
            await self.end(CLOSE_TOO_LARGE)
        elif self._is_flooding():
            await self.end(CLOSE_POLICY)
        else:
            await self.received(frame)

    def _is_flooding(self) -> bool:
        second = int(asyncio.get_running_loop().time())
        count = self._window[1] + 1 if self._window[0] == second else 1
        self._window = (second, count)
        return count > self.messages_per_second

    def _on_stuck(self) -> None:
        HUB_TOO_SLOW.inc()
        logger.info("socket_too_slow")
        self.help_with(self.end(CLOSE_TOO_SLOW))

    def _helper_done(self, task: "asyncio.Task[None]") -> None:
        self._helpers.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("socket_helper_failed", exc_info=task.exception())
            self._ended.set()
