"""Orders over the sockets of a real gateway: rules C1 to C6."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.domain.api_keys import Scope
from accounts.models import ApiKey, User
from core.domain.clock import SystemClock
from orders.models import Order
from orders.native.order_entry import MAX_IN_FLIGHT
from tests.engine_process import EngineProcess, wait_until
from tests.marketdata.browser import session_of
from tests.orders.conftest import key_of
from tests.orders.desk import Desk, assert_clean

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
Frame = dict[str, Any]  # Any: JSON


class Socket:
    """One open socket; asks and waits for the reply with the same id."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def tell(self, frame: object) -> None:
        self.connection.send(json.dumps(frame))

    def hear(self, op: str) -> Frame:
        """The next frame of this kind; others are skipped."""
        while True:
            frame: Frame = json.loads(self.connection.recv(60))
            if frame["op"] == op:
                return frame

    def ask(self, op: str, number: object = 1, **data: object) -> Frame:
        self.tell({"op": op, "id": number, "data": data})
        reply = self.hear("reply")
        assert reply["id"] == number
        return reply

    def close_code(self) -> int | None:
        with pytest.raises(ConnectionClosed) as ending:
            while True:
                self.connection.recv(60)
        return ending.value.rcvd.code if ending.value.rcvd else None


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def program(gateway: str, desk: Desk, opened: ExitStack) -> Callable[..., Socket]:
    """Opens a program's socket; without a key of its own it gets a new one of `who`."""

    def open_socket(
        who: str = "alice",
        *scopes: Scope,
        rate: int = 1_000_000,
        key: tuple[str, str] | None = None,
    ) -> Socket:
        socket = Socket(opened.enter_context(connect(f"ws://{gateway}/api/v1/stream")))
        key_id, secret = key or key_of(desk, who, *scopes, rate=rate)
        socket.tell({"op": "auth", "key_id": key_id, "secret": secret})
        socket.hear("authenticated")
        return socket

    return open_socket


@pytest.fixture
def browser(gateway: str, desk: Desk, opened: ExitStack) -> Callable[[str], Socket]:
    def open_socket(who: str) -> Socket:
        session = session_of(User.objects.get(username=who))
        headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}",
            "Origin": f"http://{gateway}",
        }
        connection = connect(f"ws://{gateway}/ws/v1/", additional_headers=headers)
        socket = Socket(opened.enter_context(connection))
        socket.hear("welcome")
        return socket

    return open_socket


def order(**changes: object) -> dict[str, object]:
    return {
        "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "10", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("door", ["program", "browser"])
def test_an_order_is_placed_and_canceled_over_a_socket(
    request: pytest.FixtureRequest, door: str
) -> None:
    socket: Socket = request.getfixturevalue(door)("alice")

    placed = socket.ask("order.place", "my-1", **order())
    canceled = socket.ask("order.cancel", 2, order_id=placed["data"]["id"])
    again = socket.ask("order.cancel", 3, order_id=placed["data"]["id"])

    assert (placed["status"], placed["data"]["status"]) == (200, "new")
    assert placed["rate"]["remaining"] == placed["rate"]["limit"] - 1
    assert (canceled["status"], canceled["data"]["status"]) == (200, "canceled")
    assert (again["status"], again["error"]["message"]) == (
        422,
        'order is already in "canceled" state',
    )
    assert Order.objects.get().submitted_by_id == User.objects.get(username="alice").pk
    assert_clean()


def test_an_order_over_a_socket_is_answered_as_over_http(
    program: Callable[..., Socket], http_for: Callable[..., httpx.Client]
) -> None:
    socket, http = program(), http_for("alice")
    bodies = [
        order(qty="x"), order(qty="2000"), order(symbol="NONE"), order(limit_price="10.001"),
        order(client_order_id="same"), order(client_order_id="same"), order(extra=1), {},
    ]  # fmt: skip

    for number, body in enumerate(bodies):
        reply = socket.ask("order.place", number, **body)
        answer = http.post("/v2/orders", json=body)

        if reply["status"] == 200:
            assert answer.json()["reason"] == "CLIENT_ORDER_ID_DUPLICATE"
            continue
        told = answer.json()
        assert (reply["status"], reply["error"]["message"]) == (answer.status_code, told["message"])
        assert reply["error"].keys() == told.keys()
        assert reply["error"]["request_id"] != told["request_id"]


def test_batches_and_cancel_all_work_over_a_socket(program: Callable[..., Socket]) -> None:
    socket, other = program("alice", rate=100), program("charlie")
    theirs = other.ask("order.place", **order())["data"]["id"]

    placed = socket.ask("order.batch", 1, orders=[order(), order(qty="2000"), order()])
    ids = [entry["order"]["id"] for entry in placed["data"] if entry["status"] == 200]
    canceled = socket.ask("order.cancel_batch", 2, ids=[ids[0], theirs])
    rest = socket.ask("order.cancel_all", 3)

    assert [entry["status"] for entry in placed["data"]] == [200, 403, 200]
    assert placed["rate"]["remaining"] == placed["rate"]["limit"] - 3
    assert [entry["status"] for entry in canceled["data"]] == [200, 404]
    assert [entry["id"] for entry in rest["data"]] == [ids[1]]
    assert Order.objects.get(pk=theirs).closed_at is None


def test_an_order_is_replaced_and_amended_over_a_socket(program: Callable[..., Socket]) -> None:
    socket = program()
    first = socket.ask("order.place", 1, **order(qty="5"))["data"]["id"]

    replaced = socket.ask("order.replace", 2, order_id=first, limit_price="11")
    second = replaced["data"]["id"]
    amended = socket.ask("order.amend", 3, order_id=second, quantity="2")
    refusals = [
        socket.ask("order.replace", 4, order_id=first, limit_price="12"),
        socket.ask("order.replace", 5, order_id=second, limit_price="11"),
        socket.ask("order.replace", 6, order_id=second, side="sell"),
        socket.ask("order.replace", 7, limit_price="12"),
        socket.ask("order.amend", 8, order_id=second, quantity="2"),
        socket.ask("order.amend", 9, order_id=str(uuid4()), quantity="1"),
        socket.ask("order.amend", 10, order_id=second),
    ]

    assert (replaced["status"], replaced["data"]["replaces"]) == (200, first)
    assert (amended["data"]["id"], amended["data"]["qty"]) == (second, "2")
    assert [reply["status"] for reply in refusals] == [422, 422, 422, 422, 422, 404, 422]
    assert_clean()


def test_another_accounts_order_is_not_there(program: Callable[..., Socket]) -> None:
    theirs = program("charlie").ask("order.place", **order())["data"]["id"]

    replies = [
        program("alice").ask("order.cancel", 1, order_id=order_id)
        for order_id in (theirs, str(uuid4()))
    ]

    assert [reply["status"] for reply in replies] == [404, 404]
    assert replies[0]["error"]["message"] == replies[1]["error"]["message"]


@pytest.mark.parametrize(
    ("frame", "status"),
    [
        ({"op": "order.place", "data": {}}, 400),
        ({"op": "order.place", "id": True, "data": {}}, 400),
        ({"op": "order.place", "id": "x" * 65, "data": {}}, 400),
        ({"op": "order.place", "id": 1.5, "data": {}}, 400),
        ({"op": "order.place", "id": 1, "data": []}, 400),
        ({"op": "order.place", "id": 1, "data": {}, "account_id": 1}, 400),
        ({"op": "order.cancel", "id": 1, "data": {"order_id": 7}}, 422),
        ({"op": "order.cancel", "id": 1, "data": {"order_id": str(uuid4()), "x": 1}}, 422),
        ({"op": "order.cancel_all", "id": 1, "data": {"symbol": "AAPL"}}, 422),
        ({"op": "order.batch", "id": 1, "data": {"orders": []}}, 422),
    ],
)
def test_a_frame_that_says_no_request_is_refused(
    program: Callable[..., Socket], frame: Frame, status: int
) -> None:
    socket = program()
    socket.ask("order.place", 0, **order())

    socket.tell(frame)

    reply = socket.hear("reply")
    assert (reply["status"], reply["error"]["status"]) == (status, status)
    assert Order.objects.filter(closed_at__isnull=True).count() == 1


@pytest.mark.parametrize("frame", [[], "order.place", {"op": ["order.place"]}, {"op": "order.fly"}])
def test_other_frames_are_an_error_and_the_socket_stays(
    program: Callable[..., Socket], frame: object
) -> None:
    socket = program()

    socket.tell(frame)

    assert socket.hear("error")["code"] == "REQUEST_MALFORMED"
    assert socket.ask("order.cancel_all")["status"] == 207


def test_before_the_key_nothing_is_done_and_heard(gateway: str, opened: ExitStack) -> None:
    socket = Socket(opened.enter_context(connect(f"ws://{gateway}/api/v1/stream")))

    refused = socket.ask("order.place", **order())
    socket.tell({"op": "subscribe", "topics": ["quote:AAPL"]})

    assert (refused["status"], refused["error"]["reason"]) == (401, "NOT_AUTHENTICATED")
    assert socket.hear("error")["code"] == "NOT_FOUND"


def test_a_wrong_or_second_key_ends_the_socket(
    gateway: str, opened: ExitStack, program: Callable[..., Socket], desk: Desk
) -> None:
    stranger = Socket(opened.enter_context(connect(f"ws://{gateway}/api/v1/stream")))
    key_id, secret = key_of(desk, "alice")
    stranger.tell({"op": "auth", "key_id": key_id, "secret": secret[::-1]})
    twice = program(key=(key_id, secret))
    twice.tell({"op": "auth", "key_id": key_id, "secret": secret})

    assert (stranger.close_code(), twice.close_code()) == (1008, 1008)


def test_who_has_shown_no_key_hears_not_even_the_heartbeat(
    gateway: str, opened: ExitStack, program: Callable[..., Socket]
) -> None:
    stranger = Socket(opened.enter_context(connect(f"ws://{gateway}/api/v1/stream")))
    known = program()
    for _ in range(3):
        known.hear("heartbeat")

    with pytest.raises(TimeoutError):
        stranger.connection.recv(0)


def test_a_key_without_the_scope_trades_not_and_one_without_read_hears_nothing(
    program: Callable[..., Socket],
) -> None:
    reader, trader = program("alice", Scope.READ), program("alice", Scope.TRADE)

    refused = reader.ask("order.place", **order())
    trader.tell({"op": "subscribe", "topics": ["quote:AAPL"]})

    assert (refused["status"], refused["error"]["reason"]) == (403, "NOT_PERMITTED")
    assert trader.hear("error")["code"] == "NOT_FOUND"
    assert trader.ask("order.place", **order())["status"] == 200


def test_a_revoked_key_places_nothing_after_a_second_and_its_socket_ends(
    program: Callable[..., Socket], desk: Desk
) -> None:
    key = key_of(desk, "alice")
    socket = program(key=key)
    ApiKey.objects.filter(key_id=key[0]).update(revoked_at=SystemClock().now())

    time.sleep(1)
    before = Order.objects.count()

    assert socket.close_code() == 1008
    assert Order.objects.count() == before


def test_who_may_trade_no_more_is_refused_within_a_second(browser: Callable[[str], Socket]) -> None:
    socket = browser("alice")
    assert socket.ask("order.place", 1, **order())["status"] == 200
    User.objects.get(username="alice").groups.remove(Group.objects.get(name="trader"))

    time.sleep(1)

    assert socket.ask("order.place", 2, **order())["status"] == 403


def test_a_session_that_ended_places_nothing_after_a_second(
    browser: Callable[[str], Socket],
) -> None:
    socket = browser("alice")
    socket.ask("order.cancel_all", 1)
    User.objects.get(username="alice").set_unusable_password()
    user = User.objects.get(username="alice")
    user.set_password("another one than before")
    user.save()

    time.sleep(1)

    assert socket.ask("order.place", 2, **order())["status"] == 401


def test_a_key_has_one_budget_for_http_and_socket(
    program: Callable[..., Socket], gateway: str, desk: Desk
) -> None:
    key_id, secret = key_of(desk, "alice", rate=5)
    socket = program(key=(key_id, secret))
    headers = {"APCA-API-KEY-ID": key_id, "APCA-API-SECRET-KEY": secret}
    for number in range(3):
        assert socket.ask("order.place", number, **order())["status"] == 200

    over_http = [
        httpx.post(f"http://{gateway}/v2/orders", json=order(), headers=headers) for _ in range(3)
    ]
    refused = socket.ask("order.place", 9, **order())

    assert [answer.status_code for answer in over_http] == [200, 200, 429]
    assert (refused["status"], refused["error"]["reason"]) == (429, "RATE_LIMITED")
    assert Order.objects.count() == 5


def test_a_flood_waits_in_the_client(program: Callable[..., Socket], engine: EngineProcess) -> None:
    socket = program()
    engine.pause()
    try:
        for number in range(2 * MAX_IN_FLIGHT):
            socket.tell({"op": "order.place", "id": number, "data": order()})
        early = [socket.hear("reply") for _ in range(MAX_IN_FLIGHT)]
    finally:
        engine.resume()
    late = [socket.hear("reply") for _ in range(MAX_IN_FLIGHT)]

    assert {(reply["status"], reply["error"]["in_flight"]) for reply in early} == {(429, 64)}
    assert {reply["status"] for reply in late} == {200}
    assert {reply["id"] for reply in early + late} == set(range(2 * MAX_IN_FLIGHT))
    assert Order.objects.count() == MAX_IN_FLIGHT


def test_ten_thousand_requests_at_once_end_the_socket_and_not_the_gateway(
    program: Callable[..., Socket],
) -> None:
    socket = program()
    with pytest.raises(ConnectionClosed):
        for number in range(10_000):
            socket.tell({"op": "order.place", "id": number, "data": order(time_in_force="ioc")})
        socket.close_code()
        raise ConnectionClosed(None, None)  # all were taken before the end came

    assert program().ask("order.place", **order())["status"] == 200
    assert_clean()


def test_what_was_sent_before_the_socket_ended_is_done_once(
    program: Callable[..., Socket],
) -> None:
    socket = program()
    socket.tell({"op": "order.place", "id": 1, "data": order(client_order_id="cut")})
    socket.connection.socket.close()

    wait_until(Order.objects.filter(client_order_id="cut").exists, "the order is there")
    again = program().ask("order.place", **order(client_order_id="cut"))

    assert (again["status"], again["error"]["reason"]) == (422, "CLIENT_ORDER_ID_DUPLICATE")
