"""The way between engine and database breaks: cut, swallowed, or a commit whose answer is lost.

What the engine has not seen committed it never acknowledges, and each order can be found out by
its client order id afterwards (I2, I3, I10, I15; F03, F05).
"""

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from core.database import database_dsn
from orders.domain.commands import SubmitOrder
from orders.domain.replies import DeniedReply, OrderReply
from orders.engine.client import EngineUnavailableError, UnknownOutcomeError
from orders.models import EngineLease, Order
from tests.engine_process import EngineProcess, Zygote
from tests.faults.clients import trade_through
from tests.faults.judging import judge
from tests.faults.proxy import Proxy
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

CUTS = 10
LIFE_SECONDS = (0.03, 0.5)
"""How long the connection lives before it is cut: from the first batches to full flow."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """Stands before the tests' database."""
    dsn = conninfo_to_dict(database_dsn())
    with Proxy((str(dsn["host"]), int(str(dsn["port"])))) as proxy:
        yield proxy


@pytest.fixture
def engine(
    desk: Desk, proxy: Proxy, engine_zygote: Zygote, tmp_path: Path
) -> Iterator[EngineProcess]:
    """A running engine that reaches its database through the proxy."""
    dsn = make_conninfo(database_dsn(), host="127.0.0.1", port=proxy.port)
    engine = EngineProcess(engine_zygote, tmp_path, Path(settings.ENGINE_SOCKET), dsn=dsn)
    yield engine.start()
    engine.kill()


@pytest.fixture
def order(desk: Desk) -> SubmitOrder:
    """An order of Alice's; its request id is in the commit and in nothing that is asked before."""
    return desk.submit("alice", "BUY 3 @ 100", client_order_id="alice-1")


def test_commit_whose_answer_is_lost_is_found_out_by_the_client_order_id(
    engine: EngineProcess, desk: Desk, proxy: Proxy, order: SubmitOrder
) -> None:
    proxy.lose_answer(order.request_id.encode())

    with pytest.raises(UnknownOutcomeError):
        engine.ask(order)
    assert engine.wait() == 1
    assert list(Order.objects.values_list("pk", flat=True)) == [order.order_id]

    engine.start()
    again = engine.ask(desk.submit("alice", "BUY 3 @ 100", client_order_id="alice-1"))
    assert isinstance(again, DeniedReply)
    assert again.reason == "CLIENT_ORDER_ID_DUPLICATE"
    assert again.facts == {"order_id": str(order.order_id)}
    assert Order.objects.count() == 1
    assert_clean()


def test_commit_that_never_arrived_left_nothing_and_may_be_sent_again(
    engine: EngineProcess, desk: Desk, proxy: Proxy, order: SubmitOrder
) -> None:
    proxy.lose_question(order.request_id.encode())

    with pytest.raises(UnknownOutcomeError):
        engine.ask(order)
    assert engine.wait() == 1
    assert Order.objects.count() == 0
    assert_clean()

    engine.start()
    again = desk.submit("alice", "BUY 3 @ 100", client_order_id="alice-1")
    assert isinstance(engine.ask(again), OrderReply)
    assert list(Order.objects.values_list("pk", flat=True)) == [again.order_id]
    assert_clean()


def test_nothing_is_acknowledged_while_the_database_is_silent(
    engine: EngineProcess, desk: Desk, proxy: Proxy, order: SubmitOrder
) -> None:
    """The one who asks hears that the outcome is unknown; once the way is open again, the order
    stands, and looking it up says so.
    """
    impatient = engine.client(timeout_seconds=1)
    proxy.go_silent()

    with pytest.raises((UnknownOutcomeError, EngineUnavailableError)):
        impatient.request(order)
    assert Order.objects.count() == 0

    proxy.recover()
    again = engine.ask(desk.submit("alice", "BUY 3 @ 100", client_order_id="alice-1"))
    assert isinstance(again, DeniedReply)
    assert again.facts == {"order_id": str(order.order_id)}
    assert list(Order.objects.values_list("pk", flat=True)) == [order.order_id]
    assert engine.poll() is None
    assert_clean()


def test_nothing_acknowledged_is_lost_when_the_connection_is_cut_again_and_again(
    engine: EngineProcess, desk: Desk, proxy: Proxy
) -> None:
    draw = random.Random(11)

    def cut_again_and_again() -> None:
        for _ in range(CUTS):
            time.sleep(draw.uniform(*LIFE_SECONDS))
            proxy.cut()
            assert engine.wait() == 1
            engine.start()

    traders = trade_through(engine, desk, cut_again_and_again)

    engine.kill()
    judge([entry for trader in traders for entry in trader.log])
    assert EngineLease.objects.get().epoch >= CUTS
