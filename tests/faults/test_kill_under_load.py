"""kill -9 of the engine under load, again and again: nothing acknowledged is lost or made up.

Judged by the clients' own logs against the database after the last crash (I1-I5, I8, I10, I15).
"""

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
import pytest

from orders.domain import commands
from orders.domain.replies import BalanceReply, CanceledReply, DeniedReply, OrderReply
from orders.domain.views import OrderView
from orders.models import EngineLease, Execution, Order
from orders.selectors import order_view
from portfolio.models import Transfer
from tests.engine_process import EngineProcess
from tests.faults.clients import Entry, Feed, Trader, run_for_a_while
from tests.orders.desk import Desk, assert_clean, stored_state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

KILLS = 12
TRADERS = 6
LIFE_SECONDS = (0.03, 0.6)
"""How long an engine lives before it is killed: from its first batches to full flow."""


def trade_through(engine: EngineProcess, desk: Desk, nemesis: "Nemesis") -> list[Trader]:
    """Traders of both accounts and a feed, while the nemesis is at work."""
    should_stop = threading.Event()
    owners = [desk.accounts["alice"].pk, desk.accounts["charlie"].pk]
    traders = [
        Trader(engine.client(), owners[number % 2], number, should_stop)
        for number in range(TRADERS)
    ]
    run_for_a_while([*traders, Feed(engine.client(), 99, should_stop)], nemesis.work)
    return traders


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

    traders = trade_through(engine, desk, nemesis)

    record_property("restart_seconds", nemesis.restart_seconds)
    entries = [entry for trader in traders for entry in trader.log]
    engine.kill()
    stored = {str(order.pk): order_view(order) for order in all_orders()}
    check_acknowledged_orders(entries, stored)
    check_acknowledged_cancels(entries, stored)
    check_deposits(entries)
    check_nobody_made_orders_up(entries, stored)
    check_order_in_time(entries, stored)
    check_numbers()
    assert_clean()
    assert EngineLease.objects.get().epoch >= KILLS
    unknown = sum(entry.outcome == "unknown" for entry in entries)
    assert unknown > 0, "no crash met a command on its way: the test has shown nothing"


def all_orders() -> Sequence[Order]:
    return list(Order.objects.select_related("instrument").order_by("sequence"))


def answered_orders(entries: Sequence[Entry]) -> list[tuple[Entry, OrderView]]:
    return [(entry, entry.reply.order) for entry in entries if isinstance(entry.reply, OrderReply)]


LATER = ("status", "reason", "filled_quantity", "leaves_quantity", "average_price", "updated_at",
         "closed_at")  # fmt: skip
"""What may have changed after the answer, as long as the order was open then."""


def check_acknowledged_orders(entries: Sequence[Entry], stored: dict[str, OrderView]) -> None:
    """I2: every acknowledged order is stored with the content that was acknowledged."""
    acknowledged = answered_orders(entries)
    assert len(acknowledged) > 100
    for _, told in acknowledged:
        found = stored[told.id]
        if told.closed_at is not None:
            assert found == told
        else:
            same = {name: getattr(told, name) for name in LATER}
            assert msgspec.structs.replace(found, **same) == told


def check_acknowledged_cancels(entries: Sequence[Entry], stored: dict[str, OrderView]) -> None:
    for entry in entries:
        if isinstance(entry.reply, CanceledReply):
            for told in entry.reply.orders:
                assert stored[told.id] == told


def check_deposits(entries: Sequence[Entry]) -> None:
    """Each acknowledged deposit is one transfer; of the unknown ones any part may be."""
    moves = [entry for entry in entries if isinstance(entry.command, commands.MoveCash)]
    done = sum(isinstance(entry.reply, BalanceReply) for entry in moves)
    unknown = sum(entry.outcome == "unknown" for entry in moves)
    stored = Transfer.objects.filter(kind="DEPOSIT").count() - 2  # the desk's own
    assert done <= stored <= done + unknown


def check_nobody_made_orders_up(entries: Sequence[Entry], stored: dict[str, OrderView]) -> None:
    """I3: every stored order was sent by a client whose answer was not a refusal."""
    sent = {
        str(entry.command.order_id): entry
        for entry in entries
        if isinstance(entry.command, commands.SubmitOrder)
    }
    for order_id, found in stored.items():
        entry = sent[order_id]
        command = entry.command
        assert isinstance(command, commands.SubmitOrder)
        assert entry.outcome in {"answered", "unknown"}
        assert not isinstance(entry.reply, DeniedReply)
        assert (found.client_order_id, found.side, found.quantity) == (
            command.client_order_id,
            command.side,
            str(command.quantity),
        )


def check_order_in_time(entries: Sequence[Entry], stored: dict[str, OrderView]) -> None:
    """An order that was answered before another was asked comes before it in the sequence."""
    ranks = {order_id: rank for rank, order_id in enumerate(stored)}
    times = sorted(
        (ranks[told.id], entry.asked_ns, entry.answered_ns)
        for entry, told in answered_orders(entries)
    )
    earliest_answer = times[-1][2]
    for _, asked_ns, answered_ns in reversed(times):
        assert asked_ns < earliest_answer
        earliest_answer = min(earliest_answer, answered_ns)


def check_numbers() -> None:
    """I8: orders, executions and transfers are numbered without gaps through all crashes."""
    for model, number in ((Order, "sequence"), (Execution, "id"), (Transfer, "id")):
        numbers = list(model.objects.order_by(number).values_list(number, flat=True))
        assert numbers == list(range(1, len(numbers) + 1))


def test_unknown_outcome_is_resolved_by_the_client_order_id(
    engine: EngineProcess, desk: Desk
) -> None:
    """I10: sent again after a crash, each order exists once, whether it had come through or not."""
    traders = trade_through(engine, desk, Nemesis(engine, signal.SIGKILL))
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
