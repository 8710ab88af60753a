"""Calls to addresses that users typed in, against a real server on this machine."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from core.domain.addresses import AddressRefusedError
from core.outbound import Answer, Call, Limits, OutboundError, send, send_async

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Handler = Callable[[bytes, asyncio.StreamWriter], object]


class Server:
    """Answers each connection with its next scripted answer and remembers what was asked."""

    def __init__(self, *answers: bytes | Callable[[asyncio.StreamWriter], object]) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)  # type: ignore[misc]
        except ConnectionError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


def accept(address: str) -> None:
    """Test servers live on loopback."""


async def here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def call(
    server: Server, *, method: str = "GET", seconds: float = 2.0, is_repeatable: bool = False
) -> Answer:
    async def go() -> Answer:
        async with server.running():
            limits = Limits(
                total_seconds=seconds,
                first_pause_seconds=0.001,
                allowed_ports=frozenset({server.port}),
                check=accept,
            )
            request = Call(
                method, f"http://hook.example:{server.port}/x?y=1", is_repeatable=is_repeatable
            )
            return await send_async(request, limits, here, lambda: 0.5)

    return asyncio.run(go())


def test_an_answer_comes_back_with_status_and_body() -> None:
    server = Server(OK)

    answer = call(server)

    assert (answer.status, answer.body) == (200, b"ok")
    head = server.asked[0].decode()
    assert head.startswith("GET /x?y=1 HTTP/1.1\r\n")
    assert f"Host: hook.example:{server.port}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    server = Server(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    )

    answer = call(server)

    assert answer.status == 302
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 100000", b"Connection: close"],
    ids=["announced", "unannounced"],
)
def test_an_answer_that_is_too_large_is_cut_off(head: bytes) -> None:
    with pytest.raises(OutboundError, match="larger than 65536 bytes"):
        call(Server(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + b"x" * 100_000))


def test_a_compressed_answer_is_refused_unopened() -> None:
    with pytest.raises(OutboundError, match="compressed"):
        call(
            Server(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzz"),
            method="POST",
        )


async def _drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_head(writer: asyncio.StreamWriter) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("drip", [_drip_body, _drip_head])
def test_a_slow_answer_ends_at_the_deadline(drip: Callable[[asyncio.StreamWriter], object]) -> None:
    started = time.monotonic()

    with pytest.raises(OutboundError, match="took too long"):
        call(Server(drip), method="POST", seconds=0.3)

    assert time.monotonic() - started < 2


def test_an_idempotent_call_is_tried_again() -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    server = Server(busy, busy, OK)

    assert call(server).status == 200
    assert len(server.asked) == 3


def test_the_last_answer_stands_when_tries_run_out() -> None:
    server = Server(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    assert call(server).status == 503
    assert len(server.asked) == 3


@pytest.mark.parametrize(("is_repeatable", "tries"), [(False, 1), (True, 3)])
def test_a_post_is_repeated_only_when_it_may_be(is_repeatable: bool, tries: int) -> None:
    server = Server(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")

    assert call(server, method="POST", is_repeatable=is_repeatable).status == 503
    assert len(server.asked) == tries


def test_a_refusal_of_the_other_side_is_an_answer() -> None:
    server = Server(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

    assert call(server).status == 410
    assert len(server.asked) == 1


def test_a_name_that_resolves_inside_is_refused_unconnected() -> None:
    async def go(addresses: list[str]) -> None:
        async def resolver(host: str, port: int) -> list[str]:
            return addresses

        await send_async(Call("GET", "http://rebind.example/"), Limits(), resolver)

    for addresses in (["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"]):
        with pytest.raises(AddressRefusedError):
            asyncio.run(go(addresses))


def test_a_name_is_resolved_once_so_rebinding_gains_nothing() -> None:
    answers = [["127.0.0.1"], ["10.9.9.9"]]
    asked: list[str] = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers.pop(0)

    async def go() -> Answer:
        async with Server(OK).running() as server:
            limits = Limits(allowed_ports=frozenset({server.port}), check=accept)
            return await send_async(
                Call("GET", f"http://rebind.example:{server.port}/"), limits, resolver
            )

    assert asyncio.run(go()).status == 200
    assert asked == ["rebind.example"]


def test_localhost_is_refused_by_its_address() -> None:
    with pytest.raises(AddressRefusedError):
        send(Call("GET", "http://localhost/"))


def test_a_name_that_does_not_exist_says_so() -> None:
    async def nothing(host: str, port: int) -> list[str]:
        raise OutboundError("The host name cannot be resolved.")

    with pytest.raises(OutboundError, match="resolved"):
        asyncio.run(send_async(Call("POST", "http://no-such-name.example/"), Limits(), nothing))
