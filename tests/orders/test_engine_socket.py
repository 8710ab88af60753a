"""The engine's socket against broken clients: what is no frame closes that connection, no other."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import msgspec
import psycopg
import pytest

from core.database import database_dsn
from orders.domain import commands
from orders.domain.replies import (
    AnyReply,
    BalanceReply,
    BusyReply,
    CanceledReply,
    DeniedReply,
    OrderReply,
)
from orders.engine.client import UnknownOutcomeError
from orders.engine.protocol import FrameBuffer, decode_reply, encode
from orders.engine.server import MAX_BATCH, MAX_PENDING
from tests.engine_process import EngineProcess
from tests.orders.broken_frames import BROKEN
from tests.orders.desk import Desk, assert_clean, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def raw(engine: EngineProcess) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(20)
        connection.connect(str(engine.socket_path))
        yield connection


def test_broken_frames_close_only_their_own_connection(engine: EngineProcess, desk: Desk) -> None:
    bystander = engine.client()
    bystander.request(quote(asks="101x5"))

    for name, data in BROKEN.items():
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(engine.socket_path))
            connection.sendall(data)
            assert connection.recv(1) == b"", name

    reply = bystander.request(desk.submit("alice", "BUY 5 MARKET"))
    assert isinstance(reply, OrderReply)
    assert reply.order.status == "FILLED"
    assert engine.poll() is None
    assert_clean()


def test_good_frame_before_a_broken_one_still_counts(
    engine: EngineProcess, desk: Desk, raw: socket.socket
) -> None:
    raw.sendall(encode(1, desk.deposit("alice", "5")) + BROKEN["no msgpack"])

    assert raw.recv(1) == b""
    assert engine.ask(desk.deposit("alice", "5")).balance.total == "10010"  # type: ignore[union-attr]


def test_half_a_frame_and_gone_has_no_effect(
    engine: EngineProcess, desk: Desk, raw: socket.socket
) -> None:
    raw.sendall(encode(1, desk.deposit("alice", "5"))[:-1])
    raw.close()

    assert engine.ask(desk.deposit("alice", "1")).balance.total == "10001"  # type: ignore[union-attr]


def test_replies_carry_the_number_of_their_request(
    engine: EngineProcess, desk: Desk, raw: socket.socket
) -> None:
    raw.sendall(b"".join(encode(number, desk.deposit("alice", "1")) for number in (7, 3, 9)))

    buffer = FrameBuffer()
    replies: list[tuple[int, AnyReply]] = []
    while len(replies) < 3:
        replies += [decode_reply(frame) for frame in buffer.feed(raw.recv(65_536))]
    assert [number for number, _ in replies] == [7, 3, 9]
    totals = [reply.balance.total for _, reply in replies]  # type: ignore[union-attr]
    assert totals == ["10001", "10002", "10003"]


def test_command_without_a_number_is_done_without_a_word(
    engine: EngineProcess, desk: Desk, raw: socket.socket
) -> None:
    raw.sendall(encode(0, desk.deposit("alice", "1")) + encode(1, desk.deposit("alice", "1")))

    ((number, reply),) = [decode_reply(frame) for frame in FrameBuffer().feed(raw.recv(65_536))]
    assert number == 1
    assert reply.balance.total == "10002"  # type: ignore[union-attr]


def test_cancel_of_very_many_orders_is_answered(engine: EngineProcess, desk: Desk) -> None:
    many = 1_500
    engine.ask_together([desk.submit("alice", "BUY 1 @ 1") for _ in range(many)])

    reply = engine.ask(commands.CancelAllOrders(desk.accounts["alice"].pk, "r"))

    assert isinstance(reply, CanceledReply)
    assert len(reply.orders) == many
    assert_clean()


def test_engine_with_a_full_queue_says_busy_and_takes_orders_again(
    engine: EngineProcess, desk: Desk
) -> None:
    excess = 500
    flood: list[commands.AnyCommand] = [
        desk.deposit("alice", "1"),
        *[quote()] * (MAX_PENDING + MAX_BATCH + excess),
    ]

    refusals = threading.Semaphore(0)

    def hear(reply: AnyReply) -> None:
        if isinstance(reply, BusyReply):
            refusals.release()

    with psycopg.connect(database_dsn()) as other:
        other.execute("LOCK TABLE orders_enginelease IN ACCESS EXCLUSIVE MODE")
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(engine.ask_together, flood, hear)
            assert all(refusals.acquire(timeout=60) for _ in range(excess))
            other.rollback()  # the database answers again
            replies = asking.result()

    first, *others = replies
    assert isinstance(first, BalanceReply)
    busy = sum(isinstance(reply, BusyReply) for reply in others)
    assert excess <= busy <= excess + MAX_BATCH
    assert desk.place(engine, "alice", "BUY 1 @ 100") == "ACCEPTED 0/1"
    assert_clean()


def test_database_that_does_not_answer_delays_and_loses_nothing(
    engine: EngineProcess, desk: Desk
) -> None:
    command = desk.submit("alice", "BUY 1 @ 100", client_order_id="mine")
    hurried = engine.client(timeout_seconds=0.3)

    with psycopg.connect(database_dsn()) as other:
        other.execute("LOCK TABLE orders_enginelease IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(UnknownOutcomeError):
            hurried.request(command)
        other.rollback()

    reply = engine.ask(msgspec.structs.replace(command, order_id=uuid4()))
    assert isinstance(reply, DeniedReply)
    assert reply.facts == {"order_id": str(command.order_id)}
    assert_clean()
