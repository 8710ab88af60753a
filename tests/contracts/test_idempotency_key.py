"""POST /v2/orders with an Idempotency-Key: the same request is done once and answered the same.

Against a whole portal, so that the parts which make it hard are real: two requests at once, an
engine that is away, an engine that does not answer in time.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PATIENCE_SECONDS = 60


def order(**changes: str) -> bytes:
    fields = {
        "symbol": "MSFT", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
        "limit_price": "1.5", **changes,
    }  # fmt: skip
    return json.dumps(fields).encode()


@pytest.fixture(scope="module")
def client(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-once")
    key = live_portal.create_key("alice-once")
    headers = {
        "APCA-API-KEY-ID": key.key_id,
        "APCA-API-SECRET-KEY": key.secret,
        "Content-Type": "application/json",
    }
    with httpx.Client(
        base_url=live_portal.url, headers=headers, timeout=PATIENCE_SECONDS
    ) as client:
        yield client


@pytest.fixture
def http(client: httpx.Client) -> Iterator[httpx.Client]:
    yield client
    client.delete("/v2/orders")


def post(http: httpx.Client, key: str, body: bytes) -> httpx.Response:
    return http.post("/v2/orders", content=body, headers={"Idempotency-Key": key})


def new_key() -> str:
    return f'"{uuid4()}"'


def orders(http: httpx.Client) -> list[dict[str, Any]]:  # Any: JSON
    found: list[dict[str, Any]] = http.get("/v2/orders?status=all&limit=500").json()
    return found


def has_ended(pid: int) -> bool:
    """Whether the process has let go of all that it had open; nobody may have fetched its end."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_same_request_is_done_once_and_answered_the_same(http: httpx.Client) -> None:
    key = new_key()
    before = len(orders(http))

    answers = [post(http, key, order()) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert len(orders(http)) == before + 1


def test_the_same_request_with_another_key_is_another_order(http: httpx.Client) -> None:
    placed = [post(http, new_key(), order()).json()["id"] for _ in range(2)]

    assert placed[0] != placed[1]


def test_a_refusal_is_kept_though_the_order_would_pass_by_now(http: httpx.Client) -> None:
    key = new_key()
    power = Decimal(http.get("/v2/account").json()["buying_power"])
    holding = http.post("/v2/orders", content=order(qty=str(power // Decimal("1.5")))).json()
    refused = post(http, key, order())
    http.delete(f"/v2/orders/{holding['id']}")

    again = post(http, key, order())

    assert (refused.status_code, refused.json()["reason"]) == (403, "FUNDS_INSUFFICIENT")
    assert again.status_code == 403
    assert again.json() == refused.json()


def test_another_request_with_the_key_is_refused(http: httpx.Client) -> None:
    key = new_key()
    placed = post(http, key, order()).json()
    before = orders(http)

    other = post(http, key, order(qty="2"))

    assert (other.status_code, other.json()["code"]) == (422, 42210000)
    assert other.json()["reason"] == "CONFLICT"
    assert orders(http) == before
    assert placed["id"] in {known["id"] for known in before}


@pytest.mark.parametrize(
    "key",
    ["8e03978e", '"', '"a', 'a"', '"a"b"', '""', '"a";q=1', '"a", "b"', '"a\\b"', f'"{"k" * 256}"'],
)
def test_a_key_that_is_no_quoted_string_is_refused(http: httpx.Client, key: str) -> None:
    before = orders(http)

    answer = post(http, key, order())

    assert (answer.status_code, answer.json()["code"]) == (400, 40010001)
    assert answer.json()["message"].startswith("Idempotency-Key must be ")
    assert orders(http) == before


def test_a_quote_in_the_key_is_part_of_it(http: httpx.Client) -> None:
    name = uuid4().hex
    first = post(http, f'"{name}\\"1\\""', order())

    assert first.status_code == 200
    assert post(http, f'"{name}\\"1\\""', order()).json() == first.json()
    assert post(http, f'"{name}1"', order()).json()["id"] != first.json()["id"]


def test_what_cannot_be_read_leaves_the_key_free(http: httpx.Client) -> None:
    key = new_key()
    broken = post(http, key, order()[:-1])
    text = http.post(
        "/v2/orders",
        content=order(),
        headers={"Idempotency-Key": key, "Content-Type": "text/plain"},
    )

    placed = post(http, key, order())

    assert [broken.status_code, text.status_code, placed.status_code] == [400, 415, 200]


def test_eight_at_once_are_one_order(http: httpx.Client) -> None:
    key, body = new_key(), order(client_order_id=f"at-once-{uuid4()}")
    before = len(orders(http))

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(http, key, body), range(8)))

    told = {answer.status_code for answer in answers}
    assert told <= {200, 409}
    assert 200 in told
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    assert len(orders(http)) == before + 1


def test_an_engine_that_is_away_leaves_the_key_free(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    key = new_key()
    killed = live_portal.kill("engine")
    until(lambda: has_ended(killed))  # only then its connections have

    refused = post(http, key, order())
    live_portal.wait_until_restarted("engine", killed)
    until(lambda: http.get("/health/ready").status_code == 200)
    placed = post(http, key, order())

    assert (refused.status_code, refused.json()["reason"]) == (503, "UNAVAILABLE")
    assert (placed.status_code, placed.json()["status"]) == (200, "new")


def test_after_an_unknown_outcome_the_same_request_is_answered_with_its_order(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    key, name = new_key(), f"unknown-{uuid4()}"
    with psycopg.connect(live_portal.database_url) as other:
        other.execute("LOCK TABLE orders_order IN EXCLUSIVE MODE")  # the commit waits for this
        unknown = post(http, key, order(client_order_id=name))
    until(lambda: http.get("/health/ready").status_code == 200)

    again = post(http, key, order(client_order_id=name))

    assert unknown.json()["client_order_id"] == name
    assert (unknown.status_code, unknown.json()["reason"]) == (503, "UNKNOWN_OUTCOME")
    assert (again.status_code, again.json()["status"]) == (200, "new")
    assert again.json()["id"] == unknown.json()["order_id"]
    assert post(http, key, order(client_order_id=name)).json() == again.json()
    found = http.get("/v2/orders:by_client_order_id", params={"client_order_id": name})
    assert found.json() == again.json()
    assert [known["client_order_id"] for known in orders(http)].count(name) == 1


def test_an_order_without_a_name_that_was_filled_unseen_is_not_bought_again(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    key, body = new_key(), order(qty="3", time_in_force="ioc")  # ends at once: no open order tells
    before = len(orders(http))
    with psycopg.connect(live_portal.database_url) as other:
        other.execute("LOCK TABLE orders_order IN EXCLUSIVE MODE")
        unknown = post(http, key, body)
    until(lambda: http.get("/health/ready").status_code == 200)

    again = post(http, key, body)

    assert (unknown.status_code, unknown.json()["reason"]) == (503, "UNKNOWN_OUTCOME")
    assert (again.status_code, again.json()["id"]) == (200, unknown.json()["order_id"])
    assert again.json()["client_order_id"] == again.json()["id"]
    assert len(orders(http)) == before + 1


def test_a_gateway_killed_in_the_middle_of_a_request_leaves_a_key_that_makes_one_order(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    key, body = new_key(), order(qty="4")
    before = len(orders(http))
    with psycopg.connect(live_portal.database_url) as other, ThreadPoolExecutor(1) as threads:
        other.execute("LOCK TABLE orders_order IN EXCLUSIVE MODE")
        cut_off = threads.submit(post, http, key, body)
        until(lambda: _is_claimed(live_portal, key))
        time.sleep(0.5)  # by now the engine has it as well
        killed = live_portal.kill("gateway")
        with pytest.raises(httpx.HTTPError):
            cut_off.result()
    live_portal.wait_until_restarted("gateway", killed)
    until(lambda: http.get("/health/ready").status_code == 200)

    told: list[httpx.Response] = []
    until(lambda: told.append(post(http, key, body)) or told[-1].status_code != 409)

    assert {answer.status_code for answer in told[:-1]} <= {409}
    assert (told[-1].status_code, told[-1].json()["qty"]) == (200, "4")
    assert len(orders(http)) == before + 1
    assert post(http, key, body).json() == told[-1].json()


def _is_claimed(portal: LivePortal, key: str) -> bool:
    with psycopg.connect(portal.database_url) as connection:
        row = connection.execute(
            "SELECT 1 FROM core_idempotencyrecord WHERE key = %s", (key.strip('"'),)
        ).fetchone()
    return row is not None


def test_an_order_that_its_client_gave_up_before_it_was_taken_is_never_placed(
    live_portal: LivePortal, http: httpx.Client
) -> None:
    name = f"given-up-{uuid4()}"
    engine = live_portal.service("engine")["pid"]
    os.kill(engine, signal.SIGSTOP)
    try:
        unknown = post(http, new_key(), order(client_order_id=name))
    finally:
        os.kill(engine, signal.SIGCONT)
    until(lambda: http.get("/health/ready").status_code == 200)

    assert (unknown.status_code, unknown.json()["reason"]) == (503, "UNKNOWN_OUTCOME")
    found = http.get("/v2/orders:by_client_order_id", params={"client_order_id": name})
    assert found.status_code == 404
    assert http.post("/v2/orders", content=order(client_order_id=name)).status_code == 200
