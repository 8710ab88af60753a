"""The clients of the engine: what never reached it is told apart from what may have."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from orders.domain import commands
from orders.domain.replies import DoneReply, OrderReply
from orders.engine.client import (
    AsyncEngineClient,
    EngineClient,
    EngineUnavailableError,
    UnknownOutcomeError,
    _is_alive,
)
from orders.engine.protocol import FrameBuffer, decode_command, encode
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, quote

ASK = commands.ExpireOrders()
Ask = Callable[..., object]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.sock"


class Scripted:
    """Stands on the engine's socket and answers each connection with the given bytes, then ends."""

    def __init__(self, path: Path, *answers: bytes) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._answers = answers
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        for answer in self._answers:
            connection, _ = self._listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)
        self._listener.close()


def ask_async(path: Path, timeout_seconds: float = 5) -> object:
    async def ask() -> object:
        client = AsyncEngineClient(path, timeout_seconds)
        try:
            return await client.request(ASK)
        finally:
            await client.close()

    return asyncio.run(ask())


def ask_blocking(path: Path, timeout_seconds: float = 5) -> object:
    client = EngineClient(path, timeout_seconds)
    try:
        return client.request(ASK)
    finally:
        client.close()


BOTH = pytest.mark.parametrize("ask", [ask_async, ask_blocking])


@BOTH
def test_engine_that_is_not_there_is_unavailable(ask: Ask, path: Path) -> None:
    with pytest.raises(EngineUnavailableError):
        ask(path)


@BOTH
def test_socket_of_an_engine_that_was_killed_is_unavailable(ask: Ask, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with pytest.raises(EngineUnavailableError):
        ask(path)


@BOTH
def test_connection_that_ends_without_an_answer_leaves_the_outcome_unknown(
    ask: Ask, path: Path
) -> None:
    Scripted(path, b"")

    with pytest.raises(UnknownOutcomeError):
        ask(path)


@BOTH
def test_half_an_answer_leaves_the_outcome_unknown(ask: Ask, path: Path) -> None:
    Scripted(path, encode(1, DoneReply())[:-1])

    with pytest.raises(UnknownOutcomeError):
        ask(path)


@BOTH
def test_nonsense_for_an_answer_leaves_the_outcome_unknown(ask: Ask, path: Path) -> None:
    Scripted(path, b"\xff\xff\xff\xff")

    with pytest.raises(UnknownOutcomeError):
        ask(path)


@BOTH
def test_no_answer_in_time_leaves_the_outcome_unknown(ask: Ask, path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    with pytest.raises(UnknownOutcomeError):
        ask(path, 0.1)
    listener.close()


@BOTH
def test_answer(ask: Ask, path: Path) -> None:
    Scripted(path, encode(1, DoneReply()))

    assert ask(path) == DoneReply()


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_async_client_asks_many_at_once_and_survives_a_restart(
    engine: EngineProcess, desk: Desk
) -> None:
    async def trade() -> list[object]:
        client = AsyncEngineClient(engine.socket_path, 20)
        await client.tell(quote(asks="100x400"))
        first = await asyncio.gather(
            *(client.request(desk.submit("alice", "BUY 1 @ 100 IOC")) for _ in range(50))
        )
        await asyncio.to_thread(engine.restart_after_kill)
        second = await client.request(desk.submit("alice", "BUY 1 @ 99"))
        await client.close()
        return [*first, second]

    replies = asyncio.run(trade())

    statuses = [reply.order.status for reply in replies if isinstance(reply, OrderReply)]
    assert statuses == ["FILLED"] * 50 + ["ACCEPTED"]


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_blocking_client_notices_that_its_engine_was_replaced(
    engine: EngineProcess, desk: Desk
) -> None:
    client = engine.client()
    client.request(desk.submit("alice", "BUY 1 @ 99"))

    engine.restart_after_kill()

    assert isinstance(client.request(desk.submit("alice", "BUY 1 @ 99")), OrderReply)


def test_async_client_leaves_an_engine_that_hangs(path: Path) -> None:
    accepted: list[socket.socket] = []

    def hang_then_answer(listener: socket.socket) -> None:
        accepted.append(listener.accept()[0])  # takes what is sent and never says a word
        answering, _ = listener.accept()
        with answering:
            answering.recv(65_536)
            answering.sendall(encode(1, DoneReply()))

    async def ask_twice() -> object:
        client = AsyncEngineClient(path, timeout_seconds=0.2)
        with pytest.raises(UnknownOutcomeError):
            await client.request(ASK)
        try:
            return await client.request(ASK)
        finally:
            await client.close()

    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=hang_then_answer, args=(listener,), daemon=True).start()

        assert asyncio.run(ask_twice()) == DoneReply()

    accepted[0].close()


def test_a_command_that_is_answered_in_time_outlives_one_that_is_not(path: Path) -> None:
    accepted: list[socket.socket] = []

    def answer_all_but_the_first(listener: socket.socket) -> None:
        engine = listener.accept()[0]
        accepted.append(engine)
        frames = FrameBuffer()
        while data := engine.recv(65_536):
            for frame in frames.feed(data):
                request_id, _ = decode_command(frame)
                if request_id > 1:
                    engine.sendall(encode(request_id, DoneReply()))

    async def ask_thrice() -> list[object]:
        client = AsyncEngineClient(path, timeout_seconds=0.2)
        silence = asyncio.create_task(client.request(ASK))
        await asyncio.sleep(0)
        answered = await client.request(ASK)
        silent = (await asyncio.gather(silence, return_exceptions=True))[0]
        again = await client.request(ASK)
        await client.close()
        return [type(silent), answered, again]

    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=answer_all_but_the_first, args=(listener,), daemon=True).start()

        told = asyncio.run(ask_thrice())

    assert told == [UnknownOutcomeError, DoneReply(), DoneReply()]
    assert len(accepted) == 1  # an engine that answers others is not left


def test_blocking_client_takes_no_reply_to_another_request(path: Path) -> None:
    Scripted(path, encode(7, DoneReply()), encode(2, DoneReply()))
    client = EngineClient(path, timeout_seconds=5)

    with pytest.raises(UnknownOutcomeError):
        client.request(ASK)

    assert client.request(ASK) == DoneReply()


def test_connection_on_which_a_reply_waits_is_not_used_again() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        assert _is_alive(ours)

        theirs.sendall(encode(9, DoneReply()))
        assert not _is_alive(ours)

        ours.recv(65_536)
        assert _is_alive(ours)
        theirs.close()
        assert not _is_alive(ours)
