"""Orders that end with their socket, in the core and in the server's memory (N1 to N4)."""

from uuid import UUID

import pytest

from orders.domain.replies import CanceledReply, DeniedReply, DoneReply
from orders.domain.session_commands import EndSession, OpenSession
from orders.engine.core import Core
from orders.engine.journal import RULES_VERSION, Start, read_start, start_content
from orders.engine.liveness import SILENT_AFTER_NS, START_GRACE_NS, Liveness
from orders.engine.rebuild import rebuild
from orders.engine.stored import stored_from
from tests.simulation.dump import dump
from tests.simulation.floor import ALICE, CHARLIE, Floor

FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
def floor() -> Floor:
    """Two sessions of Alice's account are open."""
    floor = Floor()
    for session in (FIRST, SECOND):
        assert floor.do(OpenSession(session, ALICE, "open")) == DoneReply()
    return floor


def ended(floor: Floor, session: UUID) -> list[str]:
    reply = floor.do(EndSession(session, "gone"))
    assert isinstance(reply, CanceledReply)
    return [f"{floor._names[order.id]} {order.reason}" for order in reply.orders]


def test_only_the_orders_of_the_session_end_with_it(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 10", session_id=FIRST)
    floor.place("bob-1", "BUY 1 @ 11", session_id=SECOND)
    floor.place("alice-2", "BUY 1 @ 12")
    floor.place("alice-3", "BUY 1 STOP 13", session_id=FIRST)

    assert ended(floor, FIRST) == ["alice-1 DISCONNECTED", "alice-3 DISCONNECTED"]

    assert floor.open_orders("alice") == ["bob-1", "alice-2"]
    assert {event.request_id for event in floor.account_events} == {"gone"}
    assert ended(floor, FIRST) == []
    assert floor.changes.is_empty
    floor.check()


def test_what_has_replaced_an_order_ends_as_well(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 10", session_id=FIRST)
    floor.replace("alice-1", "alice-2", "@ 9")

    assert ended(floor, FIRST) == ["alice-2 DISCONNECTED"]


def test_an_order_on_its_way_does_not_stay_behind(floor: Floor) -> None:
    ended(floor, FIRST)

    assert floor.place("alice-1", "BUY 1 @ 10", session_id=FIRST) == "SESSION_ENDED"
    assert floor.place("charlie-1", "BUY 1 @ 10", session_id=SECOND) == "SESSION_ENDED"
    assert floor.changes.is_empty


def test_a_session_needs_an_account_and_a_new_id(floor: Floor) -> None:
    for session, account in ((UUID(int=3), 99), (FIRST, CHARLIE)):
        reply = floor.do(OpenSession(session, account, "open"))
        assert isinstance(reply, DeniedReply)
    assert len(floor.state.order_sessions) == 2


def test_a_restart_knows_the_open_sessions(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 10", session_id=FIRST)
    ended(floor, SECOND)
    before = dump(floor.state)

    stored = stored_from(floor.state, [])
    start = Start(rules_version=RULES_VERSION, max_elections=1_000, state=stored)
    floor.state = rebuild(read_start(start_content(start)).state)
    floor.core = Core(floor.state)

    assert dump(floor.state) == before
    assert ended(floor, FIRST) == ["alice-1 DISCONNECTED"]


# --- who is alive (N3)


def test_a_session_is_silent_after_five_seconds_without_an_announcement() -> None:
    liveness = Liveness([], 0)
    assert liveness.silent([FIRST], 100) == []

    liveness.hear([FIRST], 1_000)

    assert liveness.silent([FIRST], 999 + SILENT_AFTER_NS) == []
    assert liveness.silent([FIRST], 1_000 + SILENT_AFTER_NS) == [FIRST]
    assert liveness.silent([FIRST], 1_001 + SILENT_AFTER_NS) == []  # its end is on its way


def test_after_a_start_there_is_more_time() -> None:
    liveness = Liveness([FIRST, SECOND], 0)

    liveness.hear([SECOND], START_GRACE_NS - 1)

    assert liveness.silent([FIRST, SECOND], START_GRACE_NS - 1) == []
    assert liveness.silent([FIRST, SECOND], START_GRACE_NS) == [FIRST]


def test_nobody_remembers_a_session_that_is_not_open() -> None:
    liveness = Liveness([], 0)

    liveness.hear([FIRST], 0)
    liveness.silent([SECOND], 1)
    liveness.silent([], 2)

    assert liveness._until == {}
