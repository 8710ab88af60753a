"""Rules L1 and L2: a batch's orders one after another, each on its own merits, in one commit."""

import msgspec
import pytest

from orders.domain import commands
from orders.domain.command_parts import MAX_BATCH_ORDERS
from orders.domain.replies import BatchReply, CanceledReply, DeniedReply, OrderReply
from tests.simulation.floor import ALICE, Floor, order_id_of, submit_command, told

Part = commands.SubmitOrder | commands.CancelOrder


def batch(floor: Floor, *parts: Part) -> list[str]:
    """What became of each part."""
    reply = floor.do(commands.OrderBatch(parts))
    assert isinstance(reply, BatchReply)
    outcomes = []
    for part in reply.replies:
        match part:
            case OrderReply():
                outcomes.append(told(part.order))
            case CanceledReply():
                outcomes += [told(order) for order in part.orders]
            case DeniedReply():
                outcomes.append(part.reason)
    return outcomes


def place(floor: Floor, name: str, text: str) -> commands.SubmitOrder:
    floor._names[str(order_id_of(name))] = name
    return submit_command(name, text)


def cancel(name: str) -> commands.CancelOrder:
    return commands.CancelOrder(order_id_of(name), ALICE, f"cancel-{name}")


def test_orders_of_a_batch_are_placed_in_their_order() -> None:
    floor = Floor()

    outcomes = batch(
        floor, place(floor, "alice-1", "BUY 5 @ 101"), place(floor, "alice-2", "BUY 5 @ 101")
    )

    assert outcomes == ["ACCEPTED 0/5", "ACCEPTED 0/5"]
    assert floor.events == [
        "alice-1 OrderAccepted ACCEPTED 0/5",
        "alice-2 OrderAccepted ACCEPTED 0/5",
    ]
    floor.place("charlie-0", "BUY 1 @ 1")
    floor.give("charlie", "5", "102")
    floor.place("charlie-1", "SELL 5 @ 101")
    assert floor.open_orders("alice") == ["alice-2"]  # the first came first
    floor.check()


def test_a_refused_order_does_not_keep_the_next_from_being_taken() -> None:
    floor = Floor()

    outcomes = batch(
        floor,
        place(floor, "alice-1", "BUY 5 @ 101"),
        place(floor, "alice-2", "SELL 5 @ 99"),
        place(floor, "alice-3", "BUY 0 @ 99"),
        place(floor, "alice-4", "BUY 1 @ 99"),
    )

    assert outcomes == ["ACCEPTED 0/5", "SELF_TRADE", "QUANTITY_OUT_OF_RANGE", "ACCEPTED 0/1"]
    assert floor.open_orders("alice") == ["alice-1", "alice-4"]
    floor.check()


def test_each_order_meets_what_those_before_it_have_changed() -> None:
    floor = Floor(cash="1000")

    outcomes = batch(
        floor,
        place(floor, "alice-1", "BUY 6 @ 100"),
        place(floor, "alice-2", "BUY 6 @ 100"),
        cancel("alice-1"),
        place(floor, "alice-3", "BUY 6 @ 100"),
        cancel("alice-1"),
    )

    assert outcomes == [
        "ACCEPTED 0/6",
        "FUNDS_INSUFFICIENT",
        "CANCELED 0/6 USER_REQUESTED",
        "ACCEPTED 0/6",
        "ORDER_NOT_OPEN",
    ]
    assert floor.cash("alice") == "1000 (600 locked)"
    floor.check()


def test_the_same_order_twice_in_a_batch_is_taken_once() -> None:
    floor = Floor()
    order = place(floor, "alice-1", "BUY 5 @ 101")

    assert batch(floor, order, order) == ["ACCEPTED 0/5", "CLIENT_ORDER_ID_DUPLICATE"]


def test_an_order_of_another_account_is_not_open_for_the_batch() -> None:
    floor = Floor()
    floor.place("charlie-1", "BUY 5 @ 101")

    assert batch(floor, cancel("charlie-1")) == ["ORDER_NOT_OPEN"]
    assert floor.open_orders("charlie") == ["charlie-1"]


@pytest.mark.parametrize("size", [0, MAX_BATCH_ORDERS + 1])
def test_a_batch_of_another_size_does_not_travel(size: int) -> None:
    command = commands.OrderBatch([cancel("alice-1")] * size)

    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(command), type=commands.AnyCommand)
