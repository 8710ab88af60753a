"""A hundred requests at once, on two gateways, for the same money or the same order: one wins
(A96, A97, I10). Twenty rounds of each; PORTAL_ROUNDS asks for more.

Each request is sent but for its last byte; then the last bytes of all go out together.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.faults.programs import make_traders, wait_until
from tests.live_portal import ROOT, Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]

ROUNDS = int(os.environ.get("PORTAL_ROUNDS", "20"))
PARALLEL = 100
Json = dict[str, Any]  # Any: JSON
Answer = tuple[int, Json]


def test_of_a_hundred_orders_at_once_one_wins(live_portal: LivePortal) -> None:
    (key,) = make_traders(live_portal, [f"alice-{uuid4().hex[:6]}"])
    with second_gateway(live_portal) as other, httpx.Client(base_url=live_portal.url) as client:
        gateways = [live_portal.url, other]
        for number in range(ROUNDS):
            same = [order(qty="1", client_order_id=f"same-{number}")] * PARALLEL
            check_one_wins(race(gateways, key, same), "CLIENT_ORDER_ID_DUPLICATE")

            # Each is worth more than half of what the account has.
            large = [order(qty="60000", client_order_id=uuid4().hex) for _ in range(PARALLEL)]
            winner = check_one_wins(race(gateways, key, large), "FUNDS_INSUFFICIENT")

            canceled = client.delete(f"/v2/orders/{winner['id']}", headers=headers(key))
            assert canceled.status_code == 204

        found = client.get("/v2/orders?status=all&limit=500", headers=headers(key)).json()
        assert len(found) == min(2 * ROUNDS, 500)
    assert "clean" in live_portal.manage("verify_ledger")


def check_one_wins(answers: list[Answer], reason: str) -> Json:
    """The order that was taken; all others were refused for this reason."""
    winners = [body for status, body in answers if status == 200]
    losers = Counter(body["reason"] for status, body in answers if status != 200)
    assert (len(winners), losers) == (1, {reason: PARALLEL - 1})
    return winners[0]


def order(**terms: str) -> Json:
    return {
        "symbol": "MSFT",
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "limit_price": "1.05",
        **terms,
    }


def headers(key: Key) -> dict[str, str]:
    return {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}


def race(gateways: list[str], key: Key, orders: list[Json]) -> list[Answer]:
    """Every order over a connection of its own, to one gateway and the other in turn."""
    with ExitStack() as stack:
        waiting: list[tuple[socket.socket, bytes]] = []
        for number, body in enumerate(orders):
            address = urlsplit(gateways[number % len(gateways)])
            connection = socket.create_connection((address.hostname, address.port), timeout=120)
            stack.enter_context(connection)
            request = written(address.netloc, key, body)
            connection.sendall(request[:-1])
            waiting.append((connection, request[-1:]))
        for connection, last in waiting:
            connection.sendall(last)
        return [answer_on(connection) for connection, _ in waiting]


def written(host: str, key: Key, body: Json) -> bytes:
    content = json.dumps(body).encode()
    lines = {"Host": host, "Content-Type": "application/json", **headers(key)}
    lines["Content-Length"] = str(len(content))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST /v2/orders HTTP/1.1\r\n{head}\r\n".encode() + content


def answer_on(connection: socket.socket) -> Answer:
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, json.loads(response.read())


@contextmanager
def second_gateway(portal: LivePortal) -> Iterator[str]:
    """Another gateway of the portal, on a port of its own."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tradeportal.gateway", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, **portal.environment, "PORTAL_SERVICE": "gateway"},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_alive(url), "the second gateway answers")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)


def is_alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
