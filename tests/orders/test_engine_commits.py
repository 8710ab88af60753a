"""What the engine acknowledges is what the database holds: same order, same money, same events."""

from decimal import Decimal

import msgspec
import pytest

from accounts.models import User
from core.models import AuditEntry, Event
from orders.domain import commands
from orders.domain.replies import BalanceReply, BusyReply, CanceledReply, DoneReply, OrderReply
from orders.domain.views import AccountEvent, OrderView
from orders.models import EngineLease, Execution, Order
from orders.selectors import account_snapshot, order_by_id, order_view
from portfolio.models import Hold, Transfer
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def order_of(reply: object) -> OrderView:
    assert isinstance(reply, OrderReply), reply
    return reply.order


def stored(view: OrderView, desk: Desk, who: str = "alice") -> OrderView:
    order = order_by_id(desk.accounts[who], Order.objects.get(pk=view.id).pk)
    assert order is not None
    return order_view(order)


ORDERS = {
    "BUY 5 @ 100.5 DAY": "ACCEPTED 0/5",
    "BUY 5 @ 101 GTC": "PARTIALLY_FILLED 3/5",
    "BUY 3 @ 105": "FILLED 3/3",
    "BUY 5 @ 101 IOC": "CANCELED 3/5 IOC_REMAINDER",
    "BUY 5 @ 101 FOK": "CANCELED 0/5 FOK_UNFILLABLE",
    "BUY 2 MARKET": "FILLED 2/2",
    "BUY 50 MARKET": "CANCELED 7/50 LIQUIDITY_EXHAUSTED",
}


@pytest.mark.parametrize("text", ORDERS)
def test_reply_equals_the_stored_order(engine: EngineProcess, desk: Desk, text: str) -> None:
    engine.ask(quote(bids="99x5", asks="101x3 102.5x4"))

    view = order_of(engine.ask(desk.submit("alice", text)))

    told = f"{view.status} {view.filled_quantity}/{view.quantity}"
    assert f"{told} {view.reason or ''}".strip() == ORDERS[text]
    assert stored(view, desk) == view
    assert_clean()


def test_reply_to_a_cancel_equals_the_stored_order(engine: EngineProcess, desk: Desk) -> None:
    view = order_of(engine.ask(desk.submit("alice", "BUY 5 @ 100")))

    reply = engine.ask(
        commands.CancelOrder(Order.objects.get().pk, desk.accounts["alice"].pk, "who-asked")
    )

    assert isinstance(reply, CanceledReply)
    (canceled,) = reply.orders
    assert (canceled.id, canceled.status) == (view.id, "CANCELED")
    assert stored(canceled, desk) == canceled
    assert Hold.objects.get().state == "VOIDED"
    assert_clean()


def test_trade_between_users_is_stored_on_both_sides(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="100x5"))
    desk.place(engine, "charlie", "BUY 5 MARKET")
    desk.place(engine, "charlie", "SELL 5 @ 103")

    view = order_of(engine.ask(desk.submit("alice", "BUY 4 @ 104")))

    assert (view.status, view.average_price) == ("FILLED", "103")
    maker, taker = Execution.objects.order_by("id")[1:]
    assert (maker.account_id, maker.side, maker.liquidity) == (
        desk.accounts["charlie"].pk,
        "SELL",
        "MAKER",
    )
    assert (taker.account_id, taker.side, taker.liquidity) == (
        desk.accounts["alice"].pk,
        "BUY",
        "TAKER",
    )
    transfer = Transfer.objects.latest("id")
    assert transfer.amount == Decimal(412)
    assert transfer.trade_id == maker.trade_id == taker.trade_id == maker.pk
    assert transfer.debit_account_id == desk.accounts["alice"].pk
    assert transfer.credit_account_id == desk.accounts["charlie"].pk
    assert_clean()


def test_snapshot_equals_what_the_events_say(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="99x9", asks="101x3 102x4"))
    for text in ("BUY 5 @ 101", "BUY 1 MARKET", "SELL 2 @ 99", "SELL 1 @ 110 DAY", "BUY 9 @ 50"):
        desk.place(engine, "alice", text)

    snapshot = account_snapshot(desk.accounts["alice"])

    events = [
        msgspec.convert(row.payload, AccountEvent)
        for row in Event.objects.filter(account_id=desk.accounts["alice"].pk).order_by("id")
    ]
    last = {event.order.id: event.order for event in events if event.order}
    fills = [event.execution for event in events if event.execution]
    positions = [event.position for event in events if event.position]
    assert snapshot.sequence == len(events)
    assert {order.id: order for order in snapshot.orders} == last
    assert list(snapshot.fills) == fills[::-1]
    assert snapshot.balance == events[-1].balance
    (position,) = snapshot.positions
    locked = msgspec.structs.replace(positions[-1], locked="1")  # the resting offer
    assert position == locked
    assert_clean()


def test_deposit_is_a_transfer_from_the_house(engine: EngineProcess, desk: Desk) -> None:
    reply = engine.ask(desk.deposit("alice", "12.5"))

    assert isinstance(reply, BalanceReply)
    assert (reply.balance.total, reply.balance.free) == ("10012.5", "10012.5")
    transfer = Transfer.objects.latest("id")
    assert (transfer.kind, transfer.amount, transfer.reason) == (
        "DEPOSIT",
        Decimal("12.5"),
        "a reason",
    )
    assert transfer.debit_account.kind == "HOUSE"
    assert_clean()


def test_refusal_writes_nothing(engine: EngineProcess, desk: Desk) -> None:
    batch, events = EngineLease.objects.get().batch, Event.objects.count()

    assert desk.place(engine, "alice", "BUY 1000 @ 100") == "FUNDS_INSUFFICIENT"

    assert Order.objects.count() == 0
    assert Event.objects.count() == events
    assert EngineLease.objects.get().batch == batch


def test_halt_is_stored(engine: EngineProcess, desk: Desk) -> None:
    halt = commands.SetInstrumentStatus("AAPL", "HALTED", "halt", reason="news pending")

    assert engine.ask(halt) == DoneReply()

    assert desk.place(engine, "alice", "BUY 1 @ 100") == "INSTRUMENT_HALTED"
    engine.restart_after_kill()
    assert desk.place(engine, "alice", "BUY 1 @ 100") == "INSTRUMENT_HALTED"


def test_who_moved_cash_and_halted_trading_is_committed_with_the_act(
    engine: EngineProcess, desk: Desk, olga: User
) -> None:
    by_olga = {"actor_id": olga.pk, "address": "192.0.2.7"}
    before = AuditEntry.objects.count()
    adjustment = msgspec.structs.replace(desk.deposit("alice", "-2.5", "ADJUSTMENT"), **by_olga)
    halt = commands.SetInstrumentStatus("AAPL", "HALTED", "halt", "news pending", **by_olga)

    engine.ask(adjustment)
    engine.ask(halt)
    engine.ask(msgspec.structs.replace(adjustment, amount=Decimal(-10_000)))

    account = desk.accounts["alice"].pk
    trail = AuditEntry.objects.order_by("id")[before:]
    assert [
        (row.actor, row.action, row.target, row.reason, row.facts, row.address, row.request_id)
        for row in trail
    ] == [
        (
            olga,
            "CashAdjusted",
            f"trading-account:{account}",
            "a reason",
            {"amount": "-2.5", "total": "9997.5"},
            "192.0.2.7",
            "cash-alice",
        ),
        (olga, "InstrumentHalted", "instrument:AAPL", "news pending", {}, "192.0.2.7", "halt"),
    ]


def test_order_that_nobody_waits_for_any_more_is_not_taken(
    engine: EngineProcess, desk: Desk
) -> None:
    late = msgspec.structs.replace(desk.submit("alice", "BUY 1 @ 100"), good_until_ns=1)

    assert engine.ask(late) == BusyReply()

    assert not Order.objects.exists()
    assert isinstance(engine.ask(msgspec.structs.replace(late, good_until_ns=None)), OrderReply)
    assert_clean()


def test_hold_of_an_order_that_came_and_went_at_once_is_not_stored(
    engine: EngineProcess, desk: Desk
) -> None:
    engine.ask(quote(asks="101x3"))

    desk.place(engine, "alice", "BUY 3 @ 101")
    assert Hold.objects.count() == 0
    desk.place(engine, "alice", "BUY 3 @ 101")

    hold = Hold.objects.get()
    assert (hold.state, hold.amount, hold.remaining) == ("PENDING", Decimal(303), Decimal(303))
    assert_clean()


def test_fully_filled_hold_is_posted(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 3 @ 101")

    engine.ask(quote(asks="100x3"))

    assert Hold.objects.get().state == "POSTED"
    assert Order.objects.get().status == "FILLED"
    assert_clean()


def test_texts_of_any_kind_are_stored_as_they_are(engine: EngineProcess, desk: Desk) -> None:
    odd = """ü"'\\{},NULL; DROP TABLE x--\t\n%s $1 😀"""

    view = order_of(engine.ask(desk.submit("alice", "BUY 1 @ 100", client_order_id=odd)))

    assert view.client_order_id == odd
    assert Order.objects.get().client_order_id == odd
    assert stored(view, desk) == view
