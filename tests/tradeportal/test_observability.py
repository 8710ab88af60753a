"""What a running portal tells of an order: in the measures that people watch, and by the request id
that is found again in the log of every process it passes.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]
PATIENCE_SECONDS = 60
ORDER = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "gtc"}

Measures = dict[tuple[str, str], float]
"""Values by name and first label (empty: none), which is enough for what is looked at here."""


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-observed")
    return live_portal.create_key("alice-observed")


@pytest.fixture(scope="module")
def api(live_portal: LivePortal, key: Key) -> Iterator[httpx.Client]:
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=30) as client:
        yield client


def measures(portal: LivePortal) -> Measures:
    page = httpx.get(f"{portal.url}/metrics", timeout=30)
    assert page.status_code == 200
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.1)


def test_the_measures_count_an_order_and_its_batch(
    live_portal: LivePortal, api: httpx.Client
) -> None:
    before = measures(live_portal)

    assert api.post("/v2/orders", json=ORDER).status_code == 200

    wait_until(
        lambda: rise(before, measures(live_portal), "portal_orders_accepted_total") == 1,
        "the order is counted",
    )
    after = measures(live_portal)
    assert rise(before, after, "portal_executions_total") >= 1
    batches = rise(before, after, "portal_engine_batch_size_count")
    assert batches >= 1
    assert rise(before, after, "portal_engine_batch_size_sum") >= batches
    assert rise(before, after, "portal_engine_ack_seconds_count") >= 1
    assert rise(before, after, "portal_engine_ack_seconds_sum") > 0
    for histogram in ("portal_engine_batch_size", "portal_engine_ack_seconds"):
        assert after[f"{histogram}_bucket", "+Inf"] == after[f"{histogram}_count", ""]
    depth = after["portal_engine_queue_depth", ""]
    assert depth >= 0
    assert depth == int(depth)


def rise(before: Measures, after: Measures, name: str) -> float:
    return after[name, ""] - before.get((name, ""), 0)


def test_the_measures_tell_when_the_feed_last_spoke(live_portal: LivePortal) -> None:
    name = ("portal_feed_last_message_timestamp_seconds", "AAPL")
    before = measures(live_portal)[name]

    wait_until(lambda: measures(live_portal)[name] > before, "the feed speaks of AAPL again")

    assert 0 < before < measures(live_portal)[name] <= time.time()


def test_the_measures_count_the_open_sockets(live_portal: LivePortal, key: Key) -> None:
    def sockets() -> float:
        return measures(live_portal)["portal_hub_sockets", ""]

    with open_socket(live_portal, key), open_socket(live_portal, key):
        wait_until(lambda: sockets() >= 2, "both sockets are counted")

    wait_until(lambda: sockets() == 0, "none is counted any more")


@contextmanager
def open_socket(portal: LivePortal, key: Key) -> Iterator[None]:
    with connect(portal.url.replace("http", "ws") + "/v2/iex") as program:
        program.recv(PATIENCE_SECONDS)
        program.send(json.dumps({"action": "auth", "key": key.key_id, "secret": key.secret}))
        assert json.loads(program.recv(PATIENCE_SECONDS))[0]["msg"] == "authenticated"
        yield


def test_a_request_id_follows_an_order_through_the_processes(
    live_portal: LivePortal, api: httpx.Client
) -> None:
    request_id = f"alice.{uuid4().hex}"

    answer = api.post("/v2/orders", json=ORDER, headers={"X-Request-ID": request_id})

    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] == request_id
    (answered,) = told_by(live_portal, "gateway", "order_answered", request_id)
    assert (answered["method"], answered["path"], answered["status"]) == ("POST", "/v2/orders", 200)
    (committed,) = told_by(live_portal, "engine", "batch_committed", request_id)
    assert request_id in committed["requests"]
    (delivered,) = told_by(live_portal, "worker", "delivery", request_id)
    assert delivered["request_id"] == request_id


def told_by(portal: LivePortal, service: str, event: str, request_id: str) -> list[dict[str, Any]]:
    """The lines of the service's log that tell of the event and bear the id, once there are any."""
    log = portal.data_dir / "logs" / f"{service}.log"
    found: list[dict[str, Any]] = []

    def look() -> bool:
        lines = [line for line in log.read_text().splitlines() if request_id in line]
        found[:] = [entry for entry in map(json.loads, lines) if entry["event"] == event]
        return bool(found)

    wait_until(look, f"the log of {service} tells of {event} for {request_id}")
    assert {entry["service"] for entry in found} == {service}
    return found
