"""Many at once for the same money or the same order: exactly one wins, nothing is spent twice."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from orders.domain import commands
from orders.domain.replies import AnyReply, CanceledReply, DeniedReply, OrderReply
from orders.models import Order
from portfolio.models import Balance, Hold
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, quote, reason_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ROUNDS = 150


def at_once(asks: Sequence[Callable[[], AnyReply]]) -> list[AnyReply]:
    """Every call from a thread of its own, all let go in the same moment."""
    barrier = threading.Barrier(len(asks))

    def ask(call: Callable[[], AnyReply]) -> AnyReply:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask, asks))


def test_a_hundred_orders_for_the_whole_balance(engine: EngineProcess, desk: Desk) -> None:
    asked = [desk.submit("alice", "BUY 100 @ 100") for _ in range(100)]

    replies = at_once([lambda command=command: engine.ask(command) for command in asked])  # type: ignore[misc]

    assert sum(isinstance(reply, OrderReply) for reply in replies) == 1
    refused = {reply.reason for reply in replies if isinstance(reply, DeniedReply)}
    assert refused == {"FUNDS_INSUFFICIENT"}
    balance = Balance.objects.get(account=desk.accounts["alice"])
    assert balance.total == balance.locked == 10_000
    assert_clean()


def test_a_hundred_sales_of_the_whole_position(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks="10x7"))
    desk.place(engine, "alice", "BUY 7 MARKET")
    asked = [desk.submit("alice", "SELL 7 @ 11") for _ in range(100)]

    replies = at_once([lambda command=command: engine.ask(command) for command in asked])  # type: ignore[misc]

    assert sum(isinstance(reply, OrderReply) for reply in replies) == 1
    assert_clean()


def test_cancel_races_fill(engine: EngineProcess, desk: Desk) -> None:
    """Whatever comes first: filled plus canceled is the quantity, the hold is given back once."""
    engine.ask(quote(asks=f"10x{ROUNDS}"))
    desk.place(engine, "charlie", f"BUY {ROUNDS} MARKET")
    canceler, seller = engine.client(), engine.client()
    outcomes = set()
    for _ in range(ROUNDS):
        bid = desk.submit("alice", "BUY 2 @ 20")
        engine.ask(bid)
        cancel = commands.CancelOrder(bid.order_id, bid.account_id, "r")
        sale = desk.submit("charlie", "SELL 1 @ 20 IOC")

        canceled, sold = at_once(
            [lambda: canceler.request(cancel), lambda: seller.request(sale)]  # noqa: B023
        )

        order = Order.objects.get(pk=bid.order_id)
        assert isinstance(sold, OrderReply)
        assert isinstance(canceled, CanceledReply)
        assert order.status == "CANCELED"
        assert sold.order.filled_quantity == str(int(order.filled_quantity))
        outcomes.add(int(order.filled_quantity))
        assert Hold.objects.filter(state="PENDING").count() == 0
    assert outcomes <= {0, 1}
    assert_clean()


def test_cancel_races_the_last_fill(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(asks=f"10x{ROUNDS}"))
    desk.place(engine, "charlie", f"BUY {ROUNDS} MARKET")
    for _ in range(ROUNDS // 5):
        bid = desk.submit("alice", "BUY 1 @ 20")
        engine.ask(bid)
        cancel = commands.CancelOrder(bid.order_id, bid.account_id, "r")
        sale = desk.submit("charlie", "SELL 1 @ 20 IOC")

        canceled, sold = at_once([lambda: engine.ask(cancel), lambda: engine.ask(sale)])  # noqa: B023

        assert isinstance(sold, OrderReply)
        if sold.order.status == "FILLED":
            assert reason_of(canceled) == "ORDER_NOT_OPEN"
            assert Order.objects.get(pk=bid.order_id).status == "FILLED"
        else:
            assert isinstance(canceled, CanceledReply)
            assert Order.objects.get(pk=bid.order_id).status == "CANCELED"
    assert_clean()


def test_two_cancels_of_one_order(engine: EngineProcess, desk: Desk) -> None:
    bid = desk.submit("alice", "BUY 1 @ 20")
    engine.ask(bid)
    cancel = commands.CancelOrder(bid.order_id, bid.account_id, "r")

    replies = at_once([lambda: engine.ask(cancel)] * 20)

    assert sum(isinstance(reply, CanceledReply) for reply in replies) == 1
    assert {reply.reason for reply in replies if isinstance(reply, DeniedReply)} == {
        "ORDER_NOT_OPEN"
    }
    assert_clean()
