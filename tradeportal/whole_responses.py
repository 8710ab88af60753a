"""The gateway's HTTP protocol: uvicorn's, which writes a response's head and body together.

Written apart, as uvicorn does it, each is a packet of its own: twice the calls of the system here
and, for a client in the same machine, twice as often woken.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class WholeResponses(HttpToolsProtocol):
    """Serves HTTP through a transport that holds a head back for what follows it at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, HoldingTransport(transport, self.loop)))

    def handle_websocket_upgrade(self) -> None:
        """A socket's frames are whole already: it gets the transport itself."""
        self.transport = cast(HoldingTransport, self.transport).release()
        super().handle_websocket_upgrade()


class HoldingTransport:
    """A transport whose first write of a turn of the loop waits for the second, or for the turn's
    end. Everything else is the transport's own.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: bytes | None = None
        self.is_closing = transport.is_closing  # asked for each response

    def __getattr__(self, name: str) -> Any:  # Any: whatever a transport has
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._held is None:
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            held, self._held = self._held, None
            self._transport.write(held + data)

    def close(self) -> None:
        """What is held still goes out."""
        self._flush()
        self._transport.close()

    def release(self) -> asyncio.Transport:
        """The transport, with nothing held back."""
        self._flush()
        return self._transport

    def _flush(self) -> None:
        held, self._held = self._held, None
        if held is not None and not self._transport.is_closing():
            self._transport.write(held)
