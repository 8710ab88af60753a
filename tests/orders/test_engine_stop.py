"""SIGTERM: what was received is committed and answered, nothing more is taken in, exit code 0."""

import json
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from core.database import database_dsn
from orders.domain.replies import OrderReply
from orders.engine.client import EngineUnavailableError, UnknownOutcomeError
from orders.engine.server import MAX_BATCH
from orders.models import Order
from tests.engine_process import EngineProcess, wait_until
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_idle_engine_ends_at_once(engine: EngineProcess, number: signal.Signals) -> None:
    engine.signal(number)

    assert engine.wait() == 0
    assert not engine.socket_path.exists()
    assert "Traceback" not in engine.log


def test_engine_under_load_ends_and_keeps_what_it_acknowledged(
    engine: EngineProcess, desk: Desk
) -> None:
    acknowledged: list[str] = []
    unknown: list[str] = []

    def trade() -> None:
        client = engine.client()
        while True:
            command = desk.submit("alice", "BUY 1 @ 0.01")
            try:
                reply = client.request(command)
            except UnknownOutcomeError:
                unknown.append(str(command.order_id))
                return
            except EngineUnavailableError:
                return
            assert isinstance(reply, OrderReply)
            acknowledged.append(reply.order.id)

    threads = [threading.Thread(target=trade) for _ in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 50, "orders flow")
    engine.signal(signal.SIGTERM)
    assert engine.wait(patience=20) == 0
    for thread in threads:
        thread.join()

    stored = {str(key) for key in Order.objects.values_list("pk", flat=True)}
    assert set(acknowledged) <= stored <= {*acknowledged, *unknown}
    assert_clean()


def test_what_was_received_before_the_signal_is_committed_and_answered(
    engine: EngineProcess, desk: Desk
) -> None:
    first, *others = [desk.submit("alice", "BUY 1 @ 1") for _ in range(MAX_BATCH + 200)]

    with ThreadPoolExecutor(2) as pool, psycopg.connect(database_dsn()) as other:
        other.execute("LOCK TABLE orders_enginelease IN ACCESS EXCLUSIVE MODE")
        asking_first = pool.submit(engine.ask_together, [first])
        wait_until(is_commit_held_up, "the first batch waits for the database")
        asking = pool.submit(engine.ask_together, others)
        wait_until(lambda: commands_waiting() >= len(others), "the engine has received all")
        engine.signal(signal.SIGTERM)
        wait_until(lambda: refuses(engine), "the engine takes nothing more in")
        assert not asking_first.done()
        assert not asking.done()
        assert Order.objects.count() == 0
        other.rollback()  # the database answers again
        replies = asking_first.result() + asking.result()

    assert engine.wait() == 0
    answered = [reply.order.id for reply in replies if isinstance(reply, OrderReply)]
    assert answered == [str(command.order_id) for command in (first, *others)]
    assert set(answered) == {str(key) for key in Order.objects.values_list("pk", flat=True)}
    assert_clean()


def is_commit_held_up() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portal-engine'"
            " AND datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone() == (1,))


def commands_waiting() -> int:
    """For the next batch, as the engine's last heartbeat says."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        heartbeat = redis.get(f"{settings.REDIS_PREFIX}engine:alive")
    return int(json.loads(heartbeat)["pending"]) if heartbeat else 0


def refuses(engine: EngineProcess) -> bool:
    with socket.socket(socket.AF_UNIX) as stranger:
        return stranger.connect_ex(str(engine.socket_path)) != 0


def test_engine_says_that_it_lives_and_stops_saying_so(engine: EngineProcess) -> None:
    redis = Redis.from_url(settings.REDIS_URL)
    key = f"{settings.REDIS_PREFIX}engine:alive"
    wait_until(lambda: redis.exists(key) == 1, "the heartbeat is there")

    engine.kill()

    wait_until(lambda: redis.exists(key) == 0, "the heartbeat ends")
    redis.close()
