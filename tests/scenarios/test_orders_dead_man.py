"""Rules D1 to D4: a key that asked to be watched and falls silent loses its orders."""

import msgspec
import pytest

from orders.domain import commands
from orders.domain.replies import DeadManReply, DeniedReply
from tests.simulation.floor import ALICE, SECOND_NS, Floor, submit_command


def place(floor: Floor, name: str, key: str, text: str = "BUY 1 @ 10") -> None:
    command = submit_command(name, text)
    floor._names[str(command.order_id)] = name
    floor.do(msgspec.structs.replace(command, key_id=key))


def watch(floor: Floor, key: str, seconds: int, account: int = ALICE) -> int | None:
    """In how many seconds it will fire."""
    reply = floor.do(commands.SetDeadMan(key, account, seconds, "watch"))
    assert isinstance(reply, DeadManReply)
    assert reply.now_ns == floor.now_ns
    return None if reply.fires_ns is None else (reply.fires_ns - floor.now_ns) // SECOND_NS


def test_a_silent_key_loses_its_orders_and_nobody_else_any() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKA")
    place(floor, "alice-2", "PKB")
    place(floor, "alice-3", "")
    place(floor, "alice-4", "PKA", "BUY 1 @ 11")
    place(floor, "alice-5", "PKA", "BUY 1 @ 13 STOP 12")
    assert watch(floor, "PKA", 60) == 60

    floor.wait(60 * SECOND_NS)
    gone = floor.expire()

    assert gone == ["alice-1", "alice-4", "alice-5"]
    assert floor.open_orders("alice") == ["alice-2", "alice-3"]
    assert floor.events == [
        "alice-1 OrderCanceled CANCELED 0/1 DEAD_MAN",
        "alice-4 OrderCanceled CANCELED 0/1 DEAD_MAN",
        "alice-5 OrderCanceled CANCELED 0/1 DEAD_MAN",
    ]
    (entry,) = floor.changes.audits
    assert (entry.action, entry.target, entry.facts["orders"]) == ("DeadManFired", "PKA", "3")
    floor.check()


def test_before_its_time_nothing_happens() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKA")
    watch(floor, "PKA", 60)

    floor.wait(60 * SECOND_NS - 1)

    assert floor.expire() == []
    assert floor.changes.is_empty


def test_each_call_counts_anew() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKA")
    watch(floor, "PKA", 60)
    floor.wait(50 * SECOND_NS)
    watch(floor, "PKA", 60)

    floor.wait(50 * SECOND_NS)
    early = floor.expire()
    floor.wait(10 * SECOND_NS)

    assert (early, floor.expire()) == ([], ["alice-1"])


def test_zero_ends_the_watch() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKA")
    watch(floor, "PKA", 60)

    assert watch(floor, "PKA", 0) is None
    floor.wait(61 * SECOND_NS)

    assert floor.expire() == []
    assert floor.state.dead_men == {}


def test_a_key_that_was_never_watched_may_say_so_and_nothing_is_stored() -> None:
    floor = Floor()

    assert watch(floor, "PKA", 0) is None
    assert floor.changes.is_empty


def test_it_fires_once_and_watches_no_more() -> None:
    floor = Floor()
    watch(floor, "PKA", 1)
    floor.wait(SECOND_NS)
    assert floor.expire() == []  # no orders, but it has fired
    assert [entry.action for entry in floor.changes.audits] == ["DeadManFired"]
    place(floor, "alice-1", "PKA")

    floor.wait(3_600 * SECOND_NS)

    assert floor.expire() == []
    assert floor.changes.is_empty


def test_several_silent_keys_end_in_the_order_of_their_ids() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKB")
    place(floor, "alice-2", "PKA")
    place(floor, "alice-3", "PKB")
    watch(floor, "PKB", 10)
    watch(floor, "PKA", 20)

    floor.wait(30 * SECOND_NS)

    assert floor.expire() == ["alice-2", "alice-1", "alice-3"]


def test_what_replaced_an_order_of_the_key_ends_with_it() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKA", "BUY 5 @ 10")
    floor.replace("alice-1", "alice-2", "@ 11")
    watch(floor, "PKA", 10)

    floor.wait(10 * SECOND_NS)

    assert floor.expire() == ["alice-2"]


def test_what_was_filled_stays_filled() -> None:
    floor = Floor()
    place(floor, "alice-1", "PKA", "BUY 5 @ 10")
    floor.quote(asks="10x2")
    place(floor, "alice-2", "PKA", "BUY 1 @ 10")
    watch(floor, "PKA", 10)

    floor.wait(10 * SECOND_NS)
    floor.expire()

    assert floor.position("alice").startswith("2 for 20")
    assert floor.open_orders("alice") == []
    floor.check()


@pytest.mark.parametrize("account", [1, 2, 99])
def test_only_a_cash_account_is_watched(account: int) -> None:
    floor = Floor()

    reply = floor.do(commands.SetDeadMan("PKA", account, 10, "watch"))

    assert isinstance(reply, DeniedReply)
    assert reply.reason == "ACCOUNT_UNKNOWN"


@pytest.mark.parametrize(
    ("key", "seconds"), [("", 1), ("pk", 1), ("P" * 33, 1), ("P", -1), ("P", 3_601)]
)
def test_a_command_out_of_bounds_does_not_travel(key: str, seconds: int) -> None:
    data = msgspec.msgpack.encode(commands.SetDeadMan(key, 1, seconds, "r"))

    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(data, type=commands.AnyCommand)
