"""A response leaves as one write, and what has nothing to wait for does not wait."""

import asyncio
import http.client
from collections.abc import Callable
from typing import Any, cast

from websockets.sync.client import connect

from tests.marketdata.gateway import serving
from tradeportal.whole_responses import HoldingTransport


class Written(asyncio.Transport):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self._is_closing = False

    def write(self, data: Any) -> None:
        assert not self._is_closing
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True


def after(*steps: Callable[[HoldingTransport], object]) -> list[bytes]:
    """What was written when each step had a turn of the loop to itself."""
    written = Written()

    async def play() -> None:
        transport = HoldingTransport(written, asyncio.get_running_loop())
        for step in steps:
            step(transport)
            await asyncio.sleep(0)

    asyncio.run(play())
    return written.writes


def head_and_body(transport: HoldingTransport) -> None:
    transport.write(b"head ")
    transport.write(b"body")


def test_a_head_and_its_body_are_one_write() -> None:
    assert after(head_and_body, head_and_body) == [b"head body", b"head body"]


def test_a_head_alone_waits_for_no_longer_than_the_turn() -> None:
    assert after(lambda to: to.write(b"head"), lambda to: to.write(b"late")) == [b"head", b"late"]


def test_what_is_held_goes_out_before_the_end_and_nothing_after_it() -> None:
    def head_and_end(transport: HoldingTransport) -> None:
        transport.write(b"head")
        transport.close()

    def after_the_end(transport: HoldingTransport) -> None:
        transport.write(b"too late")

    assert after(head_and_end, after_the_end) == [b"head"]


def test_a_socket_takes_the_transport_over_with_nothing_held_back() -> None:
    def upgrade(transport: HoldingTransport) -> None:
        transport.write(b"held")
        transport.release().write(b"frame")

    assert after(upgrade) == [b"held", b"frame"]


async def application(scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's types
    """A body, none, parts that come one by one, and an echoing socket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        heard = await receive()
        await send({"type": "websocket.send", "text": heard["text"]})
        await receive()
        return
    status, parts = {
        "/body": (200, [b"whole"]),
        "/none": (204, [b""]),
        "/parts": (200, [b"one,", b"two,", b"three"]),
    }[scope["path"]]
    await send({"type": "http.response.start", "status": status, "headers": []})
    for number, part in enumerate(parts, start=1):
        await asyncio.sleep(0.01 if number > 1 else 0)
        is_last = number == len(parts)
        await send({"type": "http.response.body", "body": part, "more_body": not is_last})


def test_clients_get_every_kind_of_response_over_one_connection() -> None:
    with serving(application) as port:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        heard = []
        for path in ("/body", "/none", "/parts", "/none", "/body"):
            client.request("GET", path)
            answer = client.getresponse()
            heard.append((answer.status, answer.read()))
        client.close()
        with connect(f"ws://127.0.0.1:{port}/") as socket:
            socket.send("echo")
            echoed = socket.recv(10)

    assert heard == [
        (200, b"whole"),
        (204, b""),
        (200, b"one,two,three"),
        (204, b""),
        (200, b"whole"),
    ]
    assert cast(str, echoed) == "echo"
