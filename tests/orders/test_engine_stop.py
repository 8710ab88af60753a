"""SIGTERM: what was received is committed and answered, nothing more is taken in, exit code 0."""

import signal
import threading
import time

import pytest
from django.conf import settings
from redis import Redis

from orders.domain.replies import OrderReply
from orders.engine.client import EngineUnavailableError, UnknownOutcomeError
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


def test_what_was_received_before_the_signal_is_committed(
    engine: EngineProcess, desk: Desk
) -> None:
    engine.pause()
    sent = [desk.submit("alice", "BUY 1 @ 1") for _ in range(300)]
    answered: list[object] = []
    sender = threading.Thread(target=lambda: answered.extend(engine.ask_together(sent[:1])))
    sender.start()
    time.sleep(0.2)
    engine.resume()
    sender.join()
    engine.ask_together(sent[1:])

    assert engine.terminate() == 0

    assert Order.objects.count() == 300
    assert_clean()


def test_engine_says_that_it_lives_and_stops_saying_so(engine: EngineProcess) -> None:
    redis = Redis.from_url(settings.REDIS_URL)
    key = f"{settings.REDIS_PREFIX}engine:alive"
    wait_until(lambda: redis.exists(key) == 1, "the heartbeat is there")

    engine.kill()

    wait_until(lambda: redis.exists(key) == 0, "the heartbeat ends")
    redis.close()
