"""Looking up an order whose outcome is unknown: 200 or a 404 that stays true, never a 404 for an
order that is being committed. Against a whole portal with a commit that is held up.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PATIENCE_SECONDS = 60
LOOK_UP_SECONDS = 1.0
"""How long the commit is held up after the look-ups began: less than they wait for it."""


@pytest.fixture(scope="module")
def http(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-asks")
    key = live_portal.create_key("alice-asks")
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=PATIENCE_SECONDS) as http:
        yield http


def place(http: httpx.Client, name: str) -> httpx.Response:
    order = {
        "symbol": "MSFT", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "1.5", "client_order_id": name,
    }  # fmt: skip
    return http.post("/v2/orders", json=order)


def by_client_id(http: httpx.Client, name: str) -> httpx.Response:
    return http.get("/v2/orders:by_client_order_id", params={"client_order_id": name})


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_order_that_is_being_committed_is_found_not_missed(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    name = f"held-up-{uuid4()}"
    with ThreadPoolExecutor(2) as threads:
        with psycopg.connect(live_portal.database_url) as other:
            other.execute("LOCK TABLE orders_order IN EXCLUSIVE MODE")  # the commit waits for this
            unknown = place(http, name)
            by_name = threads.submit(by_client_id, http, name)
            by_id = threads.submit(http.get, f"/v2/orders/{unknown.json()['order_id']}")
            time.sleep(LOOK_UP_SECONDS)
        found = [by_name.result(), by_id.result()]

    assert (unknown.status_code, unknown.json()["reason"]) == (503, "UNKNOWN_OUTCOME")
    assert [answer.status_code for answer in found] == [200, 200]
    assert [answer.json()["client_order_id"] for answer in found] == [name, name]
    http.delete("/v2/orders")


def test_order_that_never_was_is_404_under_the_keys_rate_limit(http: httpx.Client) -> None:
    first = by_client_id(http, "never-sent")
    second = http.get(f"/v2/orders/{uuid4()}")

    assert [first.status_code, second.status_code] == [404, 404]
    assert all("X-RateLimit-Remaining" in answer.headers for answer in (first, second))


def test_without_an_engine_a_miss_is_503_and_a_hit_is_200(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    name = f"there-{uuid4()}"
    assert place(http, name).status_code == 200
    killed = live_portal.kill("engine")

    missed = by_client_id(http, "never-sent")
    missed_id = http.get(f"/v2/orders/{uuid4()}")
    found = by_client_id(http, name)

    live_portal.wait_until_restarted("engine", killed)
    until(lambda: http.get("/health/ready").status_code == 200)
    assert [missed.status_code, missed_id.status_code] == [503, 503]
    assert missed.json()["reason"] == "UNAVAILABLE"
    assert (found.status_code, found.json()["client_order_id"]) == (200, name)
    assert by_client_id(http, "never-sent").status_code == 404
