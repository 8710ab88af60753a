"""Finished frames go past ASGI to a socket that is open, and to no other."""

from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from marketdata.domain.frames import FRAME_WRITER
from tests.marketdata.gateway import serving

TEXT = "a price, ≥ 126 bytes so that the frame needs its longer length: " + "1" * 126


def test_a_finished_frame_reaches_an_open_socket_and_no_other() -> None:
    frame = Frame(Opcode.TEXT, TEXT.encode()).serialize(mask=False)
    written: list[bool] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's types
        write_frame = scope["extensions"][FRAME_WRITER]
        await receive()
        written.append(write_frame(frame))  # before the handshake is finished
        await send({"type": "websocket.accept"})
        written.append(write_frame(frame))
        await send({"type": "websocket.send", "text": "by ASGI"})
        written.append(write_frame(frame))
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        written.append(write_frame(frame))  # behind the closing frame nothing may come

    with serving(application) as port, connect(f"ws://127.0.0.1:{port}/") as client:
        heard = [client.recv(60) for _ in range(3)]
        client.send("enough")
        with pytest.raises(ConnectionClosedOK):
            client.recv(60)

    assert heard == [TEXT, "by ASGI", TEXT]
    assert written == [False, True, True, False]
