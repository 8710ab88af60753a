"""A client order id buys one order for ever: in parallel, after a restart, after a cancel."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from orders.domain.replies import AnyReply, DeniedReply, OrderReply
from orders.models import Order
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

CLIENTS = 100


def ids_of_duplicates(replies: list[AnyReply]) -> set[str]:
    """The order ids that the refusals point to."""
    denied = [reply for reply in replies if isinstance(reply, DeniedReply)]
    assert {reply.reason for reply in denied} == {"CLIENT_ORDER_ID_DUPLICATE"}
    return {reply.facts["order_id"] for reply in denied}


def test_a_hundred_at_once_make_one_order(engine: EngineProcess, desk: Desk) -> None:
    barrier = Barrier(CLIENTS)
    asked = [desk.submit("alice", "BUY 1 @ 100", client_order_id="same") for _ in range(CLIENTS)]

    def send(number: int) -> AnyReply:
        barrier.wait()
        return engine.ask(asked[number])

    with ThreadPoolExecutor(CLIENTS) as pool:
        replies = list(pool.map(send, range(CLIENTS)))

    accepted = [reply.order for reply in replies if isinstance(reply, OrderReply)]
    assert len(accepted) == 1
    assert ids_of_duplicates(replies) == {accepted[0].id}
    assert Order.objects.count() == 1
    assert_clean()


def test_id_stays_taken_after_a_restart(engine: EngineProcess, desk: Desk) -> None:
    first = engine.ask(desk.submit("alice", "BUY 1 @ 100", client_order_id="same"))
    assert isinstance(first, OrderReply)

    engine.restart_after_kill()

    again = engine.ask(desk.submit("alice", "BUY 1 @ 100", client_order_id="same"))
    assert ids_of_duplicates([again]) == {first.order.id}
    assert Order.objects.count() == 1


def test_id_stays_taken_after_a_cancel(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 1 @ 100", client_order_id="same")
    desk.cancel_all(engine, "alice")

    assert (
        desk.place(engine, "alice", "SELL 9 @ 1", client_order_id="same")
        == "CLIENT_ORDER_ID_DUPLICATE"
    )


def test_id_is_the_accounts_own(engine: EngineProcess, desk: Desk) -> None:
    desk.place(engine, "alice", "BUY 1 @ 100", client_order_id="same")

    assert desk.place(engine, "bob", "BUY 1 @ 100", client_order_id="same") == (
        "CLIENT_ORDER_ID_DUPLICATE"
    )
    assert desk.place(engine, "charlie", "BUY 1 @ 100", client_order_id="same") == "ACCEPTED 0/1"


def test_refused_order_does_not_use_its_id_up(engine: EngineProcess, desk: Desk) -> None:
    refused = desk.place(engine, "alice", "BUY 1000 @ 100", client_order_id="same")

    accepted = desk.place(engine, "alice", "BUY 1 @ 100", client_order_id="same")

    assert (refused, accepted) == ("FUNDS_INSUFFICIENT", "ACCEPTED 0/1")


def test_own_id_of_an_order_counts_as_its_client_order_id(
    engine: EngineProcess, desk: Desk
) -> None:
    first = engine.ask(desk.submit("alice", "BUY 1 @ 100"))
    assert isinstance(first, OrderReply)

    again = desk.place(engine, "alice", "BUY 1 @ 100", client_order_id=first.order.id)

    assert again == "CLIENT_ORDER_ID_DUPLICATE"


def test_order_sent_twice_is_one_order(engine: EngineProcess, desk: Desk) -> None:
    command = desk.submit("alice", "BUY 1 @ 100")

    together = engine.ask_together([command, command])
    later = engine.ask(command)

    assert isinstance(together[0], OrderReply)
    assert ids_of_duplicates([together[1], later]) == {str(command.order_id)}
    assert Order.objects.count() == 1
