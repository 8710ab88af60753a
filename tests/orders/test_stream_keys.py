"""`/stream` belongs to the key that opened it: one key a socket, and no longer than the key."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.domain.api_keys import Scope
from accounts.models import ApiKey
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from tests.engine_process import EngineProcess
from tests.marketdata.gateway import running_gateway
from tests.orders.desk import Desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Key = tuple[str, str]
"""(key id, secret)"""


@pytest.fixture
def make_key(desk: Desk) -> Callable[[str], Key]:
    def make(who: str) -> Key:
        owner = desk.accounts[who].owner
        assert owner is not None
        origin = Origin(now=SystemClock().now())
        key, secret = create_api_key(user=owner, scopes=[Scope.READ], origin=origin)
        return key.key_id, secret

    return make


@pytest.fixture
def open_socket(engine: EngineProcess) -> Iterator[Callable[[str], ClientConnection]]:
    """Opens a socket on a path of a gateway; all are closed at the end."""
    with running_gateway() as port, ExitStack() as opened:
        yield lambda path: opened.enter_context(connect(f"ws://127.0.0.1:{port}{path}"))


def tell(socket: ClientConnection, request: object) -> Any:  # Any: JSON
    """The answer to the request."""
    socket.send(json.dumps(request))
    return json.loads(socket.recv(20))


def authenticate(socket: ClientConnection, key: Key) -> Any:  # Any: JSON
    return tell(socket, {"action": "auth", "key": key[0], "secret": key[1]})


def listen(socket: ClientConnection) -> Any:  # Any: JSON
    return tell(socket, {"action": "listen", "data": {"streams": ["trade_updates"]}})


def revoke_elsewhere(key: Key) -> None:
    """As another process does it: this one's memory of the key is not told."""
    ApiKey.objects.filter(key_id=key[0]).update(revoked_at=SystemClock().now())


def next_update(socket: ClientConnection, place: Callable[[], object]) -> Any:  # Any: JSON
    """The next trade update; `place` again until one comes: a subscription takes a moment."""
    while True:
        place()
        try:
            return json.loads(socket.recv(1))["data"]
        except TimeoutError:
            continue


def wait_until_closed(socket: ClientConnection) -> None:
    """Fails when the socket neither closes nor says a word for a long time."""
    with pytest.raises(ConnectionClosed) as ending:
        while True:
            socket.recv(20)
    assert ending.value.rcvd is not None
    assert ending.value.rcvd.code == 1008


def test_a_second_key_is_refused_and_changes_nothing(
    engine: EngineProcess,
    desk: Desk,
    make_key: Callable[[str], Key],
    open_socket: Callable[[str], ClientConnection],
) -> None:
    alices, charlies = make_key("alice"), make_key("charlie")
    socket = open_socket("/stream")
    assert authenticate(socket, alices)["data"]["status"] == "authorized"
    listen(socket)

    answer = authenticate(socket, charlies)

    assert answer == {
        "stream": "error",
        "data": {"code": 403, "message": "already authenticated"},
    }
    listen(socket)
    desk.place(engine, "charlie", "BUY 2 @ 1")
    update = next_update(socket, lambda: desk.place(engine, "alice", "BUY 1 @ 1"))
    assert (update["event"], update["order"]["qty"]) == ("new", "1")

    revoke_elsewhere(alices)

    wait_until_closed(socket)


def test_a_key_revoked_right_after_it_was_shown_loses_its_stream(
    make_key: Callable[[str], Key], open_socket: Callable[[str], ClientConnection]
) -> None:
    key = make_key("alice")
    socket = open_socket("/stream")
    authenticate(socket, key)

    revoke_elsewhere(key)

    wait_until_closed(socket)


@pytest.mark.parametrize("path", ["/stream", "/v2/iex"])
def test_a_key_that_others_keep_in_memory_loses_its_sockets(
    path: str, make_key: Callable[[str], Key], open_socket: Callable[[str], ClientConnection]
) -> None:
    key = make_key("alice")
    sockets = [open_socket(path) for _ in range(5)]
    for socket in sockets:
        if path == "/v2/iex":
            socket.recv(20)
        authenticate(socket, key)
        time.sleep(0.17)  # each asks for the key at another time

    revoke_elsewhere(key)

    for socket in sockets:
        wait_until_closed(socket)


def test_a_socket_without_a_valid_key_is_closed(
    make_key: Callable[[str], Key], open_socket: Callable[[str], ClientConnection]
) -> None:
    key_id, _ = make_key("alice")
    socket = open_socket("/stream")
    answer = authenticate(socket, (key_id, "x" * 43))

    assert answer["data"]["status"] == "unauthorized"
    wait_until_closed(socket)
