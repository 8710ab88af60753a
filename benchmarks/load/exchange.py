"""One keep-alive HTTP/1.1 connection that has one request under way: bytes out, status and body in.

Far cheaper than a client library, because the machine under test also runs this.
"""

import asyncio
import re
from collections.abc import Callable
from typing import cast

CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD_END = b"\r\n\r\n"
LOST = 0
"""Status of a request whose connection broke before the answer came."""


class Exchange(asyncio.Protocol):
    """Calls `on_answer(status, body)` for each answer."""

    def __init__(self, on_answer: Callable[[int, bytes], None]) -> None:
        self._on_answer = on_answer
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._is_waiting:
            self._is_waiting = False
            self._on_answer(LOST, repr(exc).encode())

    def send(self, request: bytes) -> None:
        """Send the next request; the one before must have been answered."""
        if self._transport is None:
            self._on_answer(LOST, b"closed by the server")
            return
        self._is_waiting = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received + data if self._received else data
        head_end = received.find(HEAD_END)
        if head_end >= 0:
            length = CONTENT_LENGTH.search(received, 0, head_end)
            body_start = head_end + len(HEAD_END)
            end = body_start + (int(length[1]) if length else 0)
            if len(received) >= end:
                self._received = b""
                self._is_waiting = False
                self._on_answer(int(received[9:12]), received[body_start:end])
                return
        self._received = received

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
