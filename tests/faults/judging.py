"""The judge of a run with faults: the clients' own logs against the database, nothing else.

After the engine has ended for good. A command's outcome is acknowledged, refused, unknown or never
sent (tests/faults/clients.py).
"""

from collections.abc import Sequence

import msgspec

from core.domain.clock import SystemClock
from core.verification.audit_trail import AuditTrailWalk
from orders.domain import commands
from orders.domain.replies import BalanceReply, CanceledReply, DeniedReply, OrderReply
from orders.domain.views import OrderView
from orders.models import Execution, Order
from orders.selectors import order_view
from portfolio.models import Transfer
from tests.core.sealing import seal_all, today_key
from tests.faults.clients import Entry
from tests.orders.desk import assert_clean


def judge(entries: Sequence[Entry]) -> None:
    """I1-I5, I8, I12 and I13 hold, and the faults have met at least one command on its way."""
    orders = Order.objects.select_related("instrument").order_by("sequence")
    stored = {str(order.pk): order_view(order) for order in orders}
    check_acknowledged_orders(entries, stored)
    check_acknowledged_cancels(entries, stored)
    check_deposits(entries)
    check_nobody_made_orders_up(entries, stored)
    check_order_in_time(entries, stored)
    check_numbers()
    assert_clean()
    seal_all()
    assert [*AuditTrailWalk([today_key()], SystemClock().now()).problems()] == []
    unknown = sum(entry.outcome == "unknown" for entry in entries)
    assert unknown > 0, "no fault met a command on its way: the test has shown nothing"


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
