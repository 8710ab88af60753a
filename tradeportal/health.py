"""Says from outside how the portal is: alive (this process answers), ready (it can trade),
measures.

Liveness is for whoever restarts processes, readiness for whoever sends people here. Every look at
another service has a second, in parallel, so a frozen database makes the answer "not ready", not
late.
"""

import hmac
import ipaddress
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import timedelta
from typing import Any

import msgspec
import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.domain.clock import SystemClock
from core.selectors.outbox import lag
from tradeportal import exposition
from tradeportal.relay import READER

CHECK_TIMEOUT_SECONDS = 1
MAX_CHECKS_AT_ONCE = 2
"""Threads that look at one service. While it hangs it keeps them, and every further look at it
times out; the other service has threads of its own."""
FORWARDED_HEADERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
FAILURES = (
    DatabaseError,
    RedisError,
    OSError,
    ValueError,
    msgspec.MsgspecError,
    FutureTimeoutError,
)
"""What a check may raise when the other side is away, slow or talks nonsense."""

logger = structlog.get_logger(__name__)
_database_checks = ThreadPoolExecutor(MAX_CHECKS_AT_ONCE, thread_name_prefix="health-database")
_redis_checks = ThreadPoolExecutor(MAX_CHECKS_AT_ONCE, thread_name_prefix="health-redis")


class EngineState(msgspec.Struct, frozen=True):
    """What the engine says of itself each second, in Redis, for three seconds."""

    epoch: int
    pending: int


class LiveState(msgspec.Struct, frozen=True):
    """What Redis knows: the engine's state and the feed's age, None when they have not spoken."""

    engine: EngineState | None
    feed_age_seconds: float | None


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """200: this process answers."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when database, Redis and engine all answer, else 503. Ages and depths inform, no more."""
    database_lag = _database_checks.submit(_database_lag)
    live_state = _redis_checks.submit(_live_state)
    lag_seconds = _result(database_lag)
    state = _result(live_state)
    engine = state.engine if state else None
    is_ready = lag_seconds is not None and engine is not None
    checks: dict[str, object] = {
        "database": "down" if lag_seconds is None else "up",
        "redis": "down" if state is None else "up",
        "engine": "up" if engine else ("unknown" if state is None else "down"),
        "engine_epoch": engine.epoch if engine else None,
        "queue_depth": engine.pending if engine else None,
        "feed_age_seconds": state.feed_age_seconds if state else None,
        "relay_lag_seconds": None if lag_seconds is None else lag_seconds.total_seconds(),
    }
    body = {"status": "ready" if is_ready else "not_ready", "checks": checks}
    return JsonResponse(body, status=200 if is_ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Every process's measures in Prometheus text, for this machine or who holds the token; else
    404.

    Rule (settings.METRICS_TOKEN): a request straight from loopback may read; through a proxy, or
    from anywhere else, it takes `Authorization: Bearer <PORTAL_METRICS_TOKEN>`.
    """
    if not (_has_metrics_token(request) or _is_from_this_machine(request)):
        raise Http404
    relay_lag = _result(_database_checks.submit(_database_lag))
    content_type, body = exposition.render(relay_lag)
    return HttpResponse(body, content_type=content_type)


def _result(check: "Future[Any]") -> Any:
    """What the check found, or None when it failed or took too long. Any: each check's own type."""
    try:
        return check.result(timeout=CHECK_TIMEOUT_SECONDS)
    except FAILURES as error:
        check.cancel()
        logger.warning("health_check_failed", error=str(error) or "no answer in time")
        return None


def _database_lag() -> timedelta:
    """Proves that the database answers by asking what the relay has still to read."""
    try:
        return lag(READER)
    finally:
        connection.close()


def _live_state() -> LiveState:
    keys = [f"{settings.REDIS_PREFIX}{name}" for name in ("engine:alive", "feed:alive")]
    with Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=CHECK_TIMEOUT_SECONDS,
        socket_connect_timeout=CHECK_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    ) as redis:
        engine, feed = redis.mget(keys)
    return LiveState(
        engine=msgspec.json.decode(engine, type=EngineState) if engine else None,
        feed_age_seconds=_age_seconds(int(feed)) if feed else None,
    )


def _age_seconds(milliseconds: int) -> float:
    return max(0, SystemClock().now_ns() // 1_000_000 - milliseconds) / 1000


def _has_metrics_token(request: HttpRequest) -> bool:
    token: str = settings.METRICS_TOKEN
    offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(token) and hmac.compare_digest(offered.encode(), token.encode())


def _is_from_this_machine(request: HttpRequest) -> bool:
    # Behind a proxy of ours everybody seems to come from this machine.
    if settings.PROXY_COUNT or any(name in request.headers for name in FORWARDED_HEADERS):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
