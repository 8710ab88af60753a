"""One engine writes at a time: standby, takeover, a leader that slept, lost connections."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from core.database import database_dsn
from orders.domain import commands
from orders.engine.client import EngineUnavailableError, UnknownOutcomeError
from orders.engine.lease import acquire
from orders.engine.process import connect
from orders.engine.protocol import encode
from orders.models import EngineLease, Order
from tests.engine_process import EngineProcess, Zygote, wait_until
from tests.orders.desk import SEGMENT, Desk, assert_clean, offline, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.fixture
def standby(
    engine: EngineProcess, engine_zygote: Zygote, tmp_path: Path
) -> Iterator[EngineProcess]:
    """A second engine on the same socket path that waits for the first to end."""
    directory = tmp_path / "standby"
    directory.mkdir()
    standby = EngineProcess(engine_zygote, directory, engine.socket_path)
    standby.start(is_leading=False)
    wait_until(lambda: waiting_for_the_lock() == 1, "the standby waits")
    yield standby
    standby.kill()


def waiting_for_the_lock() -> int:
    return count(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


def count(query: str) -> int:
    with psycopg.connect(database_dsn()) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def cut_connection(engine: EngineProcess) -> None:
    """End the engine's database session, as an administrator or a failover does."""
    holder = EngineLease.objects.get().holder
    assert holder.endswith(f":{engine.pid}")
    cut = count(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
        " AND granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND pid <> pg_backend_pid()"
    )
    assert cut == 1


def test_standby_waits_and_takes_over(
    engine: EngineProcess, standby: EngineProcess, desk: Desk
) -> None:
    desk.place(engine, "alice", "BUY 5 @ 100")
    assert standby.poll() is None
    epoch = EngineLease.objects.get().epoch

    engine.kill()
    standby.wait_until_it_answers()

    assert EngineLease.objects.get().epoch == epoch + 1
    assert desk.cancel_all(standby, "alice") == ["CANCELED 0/5 USER_REQUESTED"]
    assert_clean()


def test_standby_takes_over_from_a_leader_that_stops(
    engine: EngineProcess, standby: EngineProcess, desk: Desk
) -> None:
    assert engine.terminate() == 0

    standby.wait_until_it_answers()

    assert desk.place(standby, "alice", "BUY 5 @ 100") == "ACCEPTED 0/5"


def test_waiting_for_the_lease_is_not_bound_by_the_time_limit_of_statements(
    engine: EngineProcess,
) -> None:
    async def wait_and_lead() -> str:
        async with await connect(database_dsn()) as connection:
            await connection.execute("SET statement_timeout = '20ms'")
            waiting = asyncio.ensure_future(acquire(connection, SEGMENT, "a standby"))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            engine.kill()
            await waiting
            cursor = await connection.execute("SHOW statement_timeout")
            return str(await cursor.fetchone())

    assert asyncio.run(wait_and_lead()) == "('30s',)"


def test_standby_that_is_told_to_stop_ends_well(standby: EngineProcess) -> None:
    assert standby.terminate() == 0
    assert waiting_for_the_lock() == 0


def test_standby_that_is_killed_waits_no_longer(
    engine: EngineProcess, standby: EngineProcess
) -> None:
    standby.kill()

    wait_until(lambda: waiting_for_the_lock() == 0, "the server ends its session")

    assert engine.poll() is None  # its leader leads all the while


def test_leader_that_slept_through_a_takeover_cannot_write(
    engine: EngineProcess, standby: EngineProcess, desk: Desk
) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(engine.socket_path))
        client.sendall(encode(1, desk.submit("alice", "BUY 1 @ 100")))
        assert client.recv(65_536)
        engine.pause()
        cut_connection(engine)
        standby.wait_until_it_answers()
        client.sendall(encode(2, desk.submit("alice", "BUY 2 @ 100")))

        engine.resume()
        assert client.recv(65_536) == b""

    assert engine.wait() not in {0, -signal.SIGKILL}
    assert list(Order.objects.values_list("quantity", flat=True)) == [1]
    assert desk.place(standby, "alice", "BUY 3 @ 100") == "ACCEPTED 0/3"
    assert standby.answers()  # its socket was left alone by the one that ended late
    assert_clean()


def test_old_epoch_cannot_commit_even_with_its_connection(
    engine: EngineProcess, desk: Desk
) -> None:
    EngineLease.objects.update(epoch=99)

    with pytest.raises(UnknownOutcomeError):
        engine.ask(desk.submit("alice", "BUY 1 @ 100"))

    assert engine.wait() == 1
    assert Order.objects.count() == 0
    assert_clean()


def test_idle_leader_notices_a_new_epoch_by_itself(engine: EngineProcess) -> None:
    EngineLease.objects.update(epoch=99)

    assert engine.wait(patience=10) == 1
    assert "LeaseLostError" in engine.log


def test_leader_without_its_connection_ends(engine: EngineProcess, desk: Desk) -> None:
    cut_connection(engine)

    assert engine.wait(patience=10) == 1
    with pytest.raises(EngineUnavailableError):
        engine.ask(desk.submit("alice", "BUY 1 @ 100"))
    engine.start()
    assert desk.place(engine, "alice", "BUY 1 @ 100") == "ACCEPTED 0/1"


def test_connection_lost_during_traffic_loses_nothing_acknowledged(
    engine: EngineProcess, desk: Desk
) -> None:
    client, acknowledged = engine.client(), []
    with pytest.raises((UnknownOutcomeError, EngineUnavailableError)):
        for number in range(10_000):
            command = desk.submit("alice", "BUY 1 @ 0.01")
            client.request(command)
            acknowledged.append(command.order_id)
            if number == 20:
                cut_connection(engine)

    assert engine.wait() == 1
    assert Order.objects.filter(pk__in=acknowledged).count() == len(acknowledged) > 20
    assert Order.objects.count() - len(acknowledged) in {0, 1}
    assert_clean()


def test_segments_have_their_own_lease(engine: EngineProcess, desk: Desk) -> None:
    with pytest.raises(EngineUnavailableError):
        offline(quote())

    assert EngineLease.objects.count() == 1
    assert EngineLease.objects.get().segment == settings.ENGINE_SEGMENT


def test_many_starts_leave_one_leader(
    engine: EngineProcess, engine_zygote: Zygote, tmp_path: Path, desk: Desk
) -> None:
    rivals = [EngineProcess(engine_zygote, tmp_path, engine.socket_path) for _ in range(8)]
    for rival in rivals:
        rival.start(is_leading=False)
    wait_until(lambda: waiting_for_the_lock() == len(rivals), "all rivals wait")

    epoch = EngineLease.objects.get().epoch
    assert desk.place(engine, "alice", "BUY 1 @ 100") == "ACCEPTED 0/1"

    for rival in rivals:
        rival.kill()
    assert EngineLease.objects.get().epoch == epoch
    assert engine.ask(commands.CancelOrder(uuid4(), desk.accounts["alice"].pk, "r"))
