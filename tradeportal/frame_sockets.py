"""The gateway's WebSocket protocol: uvicorn's, with a second way out for frames that are finished.

A price goes to a thousand sockets. Through ASGI each of them builds the same frame again; here the
hub builds it once (marketdata/hub/messages.py) and writes it past ASGI. Sockets find the way as an
extension of their scope; every check and every wait stays with uvicorn's own send.
"""

from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from marketdata.domain.frames import FRAME_WRITER


class FrameSocket(WebSocketsSansIOProtocol):
    """Offers `write_frame` to the application while frames need no extension's treatment."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent and not self.conn.extensions:
            # The application has not run yet: its task was only just made.
            extensions = cast(dict[str, object], self.scope["extensions"])  # uvicorn expects dicts
            extensions[FRAME_WRITER] = self.write_frame

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame, unmasked; False when only `send` can say what is to be done: it is
        not open yet or no more, or its client reads slower than is written.
        """
        if (
            not self.handshake_complete
            or self.close_sent
            or not self.writable.is_set()
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(frame)
        return True
