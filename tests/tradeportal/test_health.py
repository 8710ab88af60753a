"""What the portal says of itself: honest when a part is away, quick when it hangs, closed to
strangers.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from django.db import OperationalError
from django.test import Client
from redis import Redis

from tradeportal import health

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def redis(settings: Any) -> Iterator[Redis]:
    signs_of_life = [f"{settings.REDIS_PREFIX}{name}:alive" for name in ("engine", "feed")]
    with Redis.from_url(settings.REDIS_URL) as opened:
        opened.delete(*signs_of_life)  # an engine of an earlier test may have ended a moment ago
        yield opened
        opened.delete(*signs_of_life)


@pytest.fixture
def engine_says(redis: Redis, settings: Any) -> Callable[[int], None]:
    def say(pending: int) -> None:
        state = {"epoch": 3, "batch": 9, "pending": pending, "at": "2026-03-02T15:30:00.000000Z"}
        redis.set(f"{settings.REDIS_PREFIX}engine:alive", msgspec.json.encode(state))
        redis.set(f"{settings.REDIS_PREFIX}feed:alive", time.time_ns() // 1_000_000 - 2_000)

    return say


def test_a_process_that_answers_is_live(
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/health/live")

    assert (answer.status_code, answer.json()) == (200, {"status": "live"})
    assert "no-store" in answer["Cache-Control"]


def test_a_portal_with_all_its_parts_is_ready(engine_says: Callable[[int], None]) -> None:
    engine_says(5)

    answer = Client().get("/health/ready")

    checks = answer.json()["checks"]
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert (checks["database"], checks["redis"], checks["engine"]) == ("up", "up", "up")
    assert (checks["engine_epoch"], checks["queue_depth"]) == (3, 5)
    assert 2 <= checks["feed_age_seconds"] < 60
    assert checks["relay_lag_seconds"] == 0


def test_without_an_engine_it_is_not_ready(redis: Redis) -> None:
    answer = Client().get("/health/ready")

    checks = answer.json()["checks"]
    assert (answer.status_code, answer.json()["status"]) == (503, "not_ready")
    assert (checks["redis"], checks["engine"], checks["queue_depth"]) == ("up", "down", None)
    assert checks["feed_age_seconds"] is None


def test_without_redis_it_is_not_ready(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    answer = Client().get("/health/ready")

    checks = answer.json()["checks"]
    assert answer.status_code == 503
    assert (checks["database"], checks["redis"], checks["engine"]) == ("up", "down", "unknown")


def test_without_a_database_it_is_not_ready(
    engine_says: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_says(0)

    def refuse(_: str) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(health, "lag", refuse)
    answer = Client().get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "down"


def test_a_database_that_hangs_makes_the_answer_no_later_than_its_limit(
    engine_says: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_says(0)
    monkeypatch.setattr(health, "lag", lambda _: time.sleep(4))

    began = time.monotonic()
    answer = Client().get("/health/ready")

    assert time.monotonic() - began < 3.5
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "down")


def test_a_nonsense_heartbeat_is_no_engine(redis: Redis, settings: Any) -> None:
    redis.set(f"{settings.REDIS_PREFIX}engine:alive", b"yes")

    assert Client().get("/health/ready").status_code == 503


def test_the_machine_itself_may_read_the_measures() -> None:
    answer = Client().get("/metrics")

    text = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    for name in (
        "portal_outbox_lag_seconds",
        "portal_notifications_total",
        "portal_deliveries_total",
        "portal_task_duration_seconds",
        "portal_task_failures_total",
        "django_http_requests_before_middlewares_total",
    ):
        assert f"# TYPE {name} " in text


@pytest.mark.parametrize(
    "extra",
    [
        {"REMOTE_ADDR": "192.0.2.1"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer "},
        {"REMOTE_ADDR": "192.0.2.1", "HTTP_AUTHORIZATION": "Bearer wrong"},
    ],
)
def test_strangers_find_no_measures(extra: dict[str, Any], settings: Any) -> None:
    assert Client().get("/metrics", **extra).status_code == 404
    settings.METRICS_TOKEN = "right"
    assert Client().get("/metrics", **extra).status_code == 404


def test_behind_a_proxy_the_machine_itself_needs_the_token(settings: Any) -> None:
    settings.PROXY_COUNT = 1
    settings.METRICS_TOKEN = "right"

    without = Client().get("/metrics", REMOTE_ADDR="127.0.0.1")
    with_token = Client().get(
        "/metrics", REMOTE_ADDR="192.0.2.1", headers={"Authorization": "Bearer right"}
    )

    assert (without.status_code, with_token.status_code) == (404, 200)


def test_only_looking_is_allowed() -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert Client().post(path).status_code == 405
        assert Client().head(path).status_code in {200, 503}
