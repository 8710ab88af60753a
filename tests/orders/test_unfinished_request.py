"""A client that goes away in the middle of its request has asked for nothing."""

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.domain.api_keys import Scope
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from orders.models import Order
from orders.order_route import OrderRoute
from tests.engine_process import EngineProcess, wait_until
from tests.marketdata.gateway import running_gateway
from tests.orders.desk import Desk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

ORDER = {
    "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
    "limit_price": "1.5",
}  # fmt: skip
BODY = json.dumps(ORDER).encode()
Message = dict[str, Any]  # Any: ASGI's types


@pytest.fixture
def key(desk: Desk) -> dict[str, str]:
    """The headers of Alice's key."""
    owner = desk.accounts["alice"].owner
    assert owner is not None
    key, secret = create_api_key(
        user=owner, scopes=[Scope.READ, Scope.TRADE], origin=Origin(now=SystemClock().now())
    )
    return {"apca-api-key-id": key.key_id, "apca-api-secret-key": secret}


@pytest.fixture
def port(engine: EngineProcess) -> Iterator[int]:
    with running_gateway() as port:
        yield port


def post(key: dict[str, str], messages: list[Message]) -> list[Message]:
    """What the route sends to a client that says `messages`."""
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def pages(*_: object) -> None:
        raise AssertionError("the request was handed on")

    headers = {"content-type": "application/json", "content-length": "500", **key}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v2/orders",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(OrderRoute(pages)(scope, receive, send))
    return sent


def test_a_whole_order_in_half_a_request_is_not_placed(
    engine: EngineProcess, key: dict[str, str]
) -> None:
    half = {"type": "http.request", "body": BODY, "more_body": True}

    sent = post(key, [half, {"type": "http.disconnect"}])

    assert sent == []
    assert Order.objects.count() == 0


def test_the_same_order_in_a_whole_request_is_placed(
    engine: EngineProcess, key: dict[str, str]
) -> None:
    first = {"type": "http.request", "body": BODY[:9], "more_body": True}
    rest = {"type": "http.request", "body": BODY[9:], "more_body": False}

    sent = post(key, [first, rest])

    assert sent[0]["status"] == 200
    assert Order.objects.count() == 1


def test_a_connection_closed_before_the_announced_length_places_nothing(
    port: int, key: dict[str, str]
) -> None:
    def say(body: bytes, length: int) -> socket.socket:
        headers = {"host": "127.0.0.1", "content-type": "application/json", **key}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        client.sendall(
            f"POST /v2/orders HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n".encode() + body
        )
        return client

    say(BODY, len(BODY) + 100).close()
    whole = json.dumps({**ORDER, "client_order_id": "the-next"}).encode()
    with say(whole, len(whole)) as client:
        assert client.recv(100).startswith(b"HTTP/1.1 200")

    wait_until(lambda: Order.objects.exists(), "the next order is there")
    assert [order.client_order_id for order in Order.objects.all()] == ["the-next"]
