"""kill -9 of the engine under load, again and again: nothing acknowledged is lost or made up.

Judged by the clients' own logs against the database after the last crash (I1-I5, I8, I10, I15).
"""

import random
import signal
import time
from collections.abc import Callable

import msgspec
import pytest

from orders.domain import commands
from orders.domain.replies import DeniedReply, OrderReply
from orders.models import EngineLease, Order
from tests.engine_process import EngineProcess
from tests.faults.clients import trade_through
from tests.faults.judging import judge
from tests.orders.desk import Desk, assert_clean, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

KILLS = 12
LIFE_SECONDS = (0.03, 0.6)
"""How long an engine lives before it is killed: from its first batches to full flow."""


class Nemesis:
    """Ends the engine at random moments and starts it again."""

    def __init__(self, engine: EngineProcess, how: signal.Signals) -> None:
        self._engine = engine
        self._how = how
        self._random = random.Random(7)
        self.restart_seconds: list[float] = []

    def work(self) -> None:
        for _ in range(KILLS):
            time.sleep(self._random.uniform(*LIFE_SECONDS))
            self._engine.signal(self._how)
            self._engine.wait()
            began = time.monotonic()
            self._engine.start()
            self.restart_seconds.append(round(time.monotonic() - began, 3))
        time.sleep(0.2)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=lambda how: how.name)
def test_nothing_acknowledged_is_lost_and_nothing_is_made_up(
    engine: EngineProcess,
    desk: Desk,
    how: signal.Signals,
    record_property: Callable[[str, object], None],
) -> None:
    nemesis = Nemesis(engine, how)

    traders = trade_through(engine, desk, nemesis.work)

    record_property("restart_seconds", nemesis.restart_seconds)
    entries = [entry for trader in traders for entry in trader.log]
    engine.kill()
    judge(entries)
    assert EngineLease.objects.get().epoch >= KILLS


def test_unknown_outcome_is_resolved_by_the_client_order_id(
    engine: EngineProcess, desk: Desk
) -> None:
    """I10: sent again after a crash, each order exists once, whether it had come through or not."""
    traders = trade_through(engine, desk, Nemesis(engine, signal.SIGKILL).work)
    open_questions = [
        entry.command
        for trader in traders
        for entry in trader.log
        if entry.outcome == "unknown" and isinstance(entry.command, commands.SubmitOrder)
    ]

    for command in open_questions:
        again = msgspec.structs.replace(
            command, order_id=desk.submit("alice", "BUY 1 @ 1").order_id
        )
        reply = engine.ask(again)
        ids = Order.objects.filter(
            account_id=command.account_id, client_order_id=command.client_order_id
        ).values_list("pk", flat=True)
        if isinstance(reply, DeniedReply) and reply.reason == "CLIENT_ORDER_ID_DUPLICATE":
            assert [str(key) for key in ids] == [reply.facts["order_id"]] == [str(command.order_id)]
        else:
            assert command.order_id not in ids
            assert len(ids) == isinstance(reply, OrderReply)

    assert open_questions
    assert_clean()


def test_engine_comes_back_with_ten_thousand_open_orders(
    engine: EngineProcess, desk: Desk, record_property: Callable[[str, object], None]
) -> None:
    """F01, I7: an idle engine is killed; the next one has the same books in the same order."""
    many = 10_000
    engine.ask_together(
        [desk.submit("alice", f"BUY 1 @ 0.{number % 90 + 10}") for number in range(many)]
    )
    engine.kill()
    before = stored_state()
    began = time.monotonic()

    engine.start()

    record_property("restart_seconds", round(time.monotonic() - began, 3))
    engine.kill()
    assert len(before["orders"]) == many
    assert stored_state() == before
