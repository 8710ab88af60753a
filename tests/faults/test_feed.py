"""The feed process killed and standing still, in a whole portal: nobody trades at an old price, and
what is told afterwards is new.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from redis import Redis

from core.domain.clock import SystemClock
from tests.engine_process import wait_until
from tests.faults.harms import frozen, tree
from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]
QUOTE = "portal:latest:quote:AAPL"
STREET_LIFE = timedelta(seconds=5)
ORDER = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}


@pytest.fixture
def redis(live_portal: LivePortal) -> Iterator[Redis]:
    with Redis.from_url(live_portal.redis_url) as client:
        yield client


@pytest.fixture(scope="module")
def api(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-fed")
    key = live_portal.create_key("alice-fed")
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=30) as client:
        yield client


def newest_quote(redis: Redis) -> dict[str, Any]:  # Any: JSON
    frame: dict[str, Any] = json.loads(redis.get(QUOTE) or "{}")
    return frame


def told_at(frame: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(frame["data"]["t"])


def test_killed_feed_goes_on_under_a_new_numbering_with_new_prices(
    live_portal: LivePortal, redis: Redis
) -> None:
    before = newest_quote(redis)
    killed_at = SystemClock().now()

    killed = live_portal.kill("feed")
    live_portal.wait_until_restarted("feed", killed)
    wait_until(lambda: newest_quote(redis)["epoch"] != before["epoch"], "a new process tells")

    after = newest_quote(redis)
    assert told_at(after) > killed_at
    assert after["seq"] >= 1
    assert after["data"]["feed"] == "simulated"
    assert "stale" not in after["data"]


def test_market_order_is_refused_while_no_feed_tells_a_price(
    live_portal: LivePortal, redis: Redis, api: httpx.Client
) -> None:
    wait_until(lambda: api.post("/v2/orders", json=ORDER).status_code == 200, "the market is there")

    with frozen(*tree(live_portal.service("feed")["pid"])):
        told = newest_quote(redis)
        wait_until(lambda: SystemClock().now() > told_at(told) + STREET_LIFE, "it is stale")
        answer = api.post("/v2/orders", json=ORDER)
        assert (answer.status_code, answer.json()["reason"]) == (403, "REFERENCE_STALE")
        assert newest_quote(redis) == told

    woken_at = SystemClock().now()
    wait_until(lambda: told_at(newest_quote(redis)) > woken_at, "the feed tells again")
    wait_until(lambda: api.post("/v2/orders", json=ORDER).status_code == 200, "it trades again")
    assert "stale" not in newest_quote(redis)["data"]
