"""The operators' page of caches: how often each knew the answer, and how full it is.

In the layer of health: it looks at every app's measures, at Redis and at PostgreSQL.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from accounts.models import User
from accounts.selectors import may_read_all_accounts
from core.cache import IN_PROCESS, IN_REDIS
from tradeportal.exposition import everybodys

logger = structlog.get_logger(__name__)

TIMEOUT_SECONDS: Final = 1
LAYER_WORDS: Final = {IN_PROCESS: _("In each process"), IN_REDIS: _("In Redis")}
CACHE_WORDS: Final = {
    "keys": _("API keys, for less than a second"),
    "accounts": _("Who trades on which account, for a second"),
    "instruments": _("Instruments, for five seconds"),
    "chart-bars": _("Closed bars of charts, for a minute"),
    "chart-indicators": _("Indicators of closed bars, for a minute"),
    "latest": _("Newest quotes, trades, bars and books"),
    "sessions": _("Sign-in sessions, for a minute"),
    "bars": _("Windows of closed bars, for two minutes"),
}
NAMES: Final = {
    "portal_cache_requests_total": "requests",
    "portal_cache_entries": "entries",
    "portal_cache_evictions_total": "evictions",
}


@dataclass(slots=True)
class CacheRow:
    """One cache over all processes; `entries` is None where nobody counts them."""

    layer: str
    name: str
    hits: int = 0
    misses: int = 0
    entries: int | None = None
    evictions: int = 0

    @property
    def words(self) -> Any:  # Any: a lazy translation
        return CACHE_WORDS.get(self.name, self.name)

    @property
    def layer_words(self) -> Any:  # Any: a lazy translation
        return LAYER_WORDS.get(self.layer, self.layer)

    @property
    def hit_percent(self) -> int | None:
        """Whole per cent, rounded down: 100 means every single one."""
        asked = self.hits + self.misses
        return None if asked == 0 else self.hits * 100 // asked


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A server's own account of its memory: of how many reads it had the answer, and how full."""

    hits: int
    misses: int
    used_bytes: int
    limit_bytes: int | None
    evictions: int | None

    @property
    def hit_percent(self) -> int | None:
        asked = self.hits + self.misses
        return None if asked == 0 else self.hits * 100 // asked


@require_GET
@login_required
def caches(request: HttpRequest) -> HttpResponse:
    """Every cache and the two servers behind them. One that does not answer is said to be away."""
    if not (isinstance(request.user, User) and may_read_all_accounts(request.user)):
        raise PermissionDenied
    context = {"rows": cache_rows(), "redis": _redis_row(), "database": _database_row()}
    return render(request, "tradeportal/caches.html", context)


def cache_rows() -> list[CacheRow]:
    """What all processes have counted, by layer and name."""
    rows: defaultdict[tuple[str, str], CacheRow] = defaultdict(lambda: CacheRow("", ""))
    for metric in everybodys().collect():
        for sample in metric.samples:
            kind = NAMES.get(sample.name)
            if kind is None:
                continue
            layer, name = sample.labels["layer"], sample.labels["cache"]
            row = rows[layer, name]
            row.layer, row.name = layer, name
            _add(row, kind, sample.labels.get("answer"), int(sample.value))
    return [rows[key] for key in sorted(rows)]


def _add(row: CacheRow, kind: str, answer: str | None, value: int) -> None:
    if kind == "entries":
        row.entries = (row.entries or 0) + value
    elif kind == "evictions":
        row.evictions += value
    elif answer == "hit":
        row.hits += value
    else:
        row.misses += value


def _redis_row() -> ServerRow | None:
    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as redis:
            info: dict[str, Any] = redis.info()  # Any: Redis' own numbers and words
    except (RedisError, OSError) as error:
        logger.warning("cache_page_without_redis", error=str(error))
        return None
    return ServerRow(
        hits=info["keyspace_hits"],
        misses=info["keyspace_misses"],
        used_bytes=info["used_memory"],
        limit_bytes=info["maxmemory"] or None,
        evictions=info["evicted_keys"],
    )


def _database_row() -> ServerRow | None:
    """Of the pages of tables and indexes that statements read, how many were in shared memory."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT blks_hit, blks_read, pg_database_size(datname), setting::bigint * 8192"
                " FROM pg_stat_database, pg_settings"
                " WHERE datname = current_database() AND name = 'shared_buffers'"
            )
            hits, misses, size, shared = cursor.fetchone()
    except DatabaseError as error:
        logger.warning("cache_page_without_database", error=str(error))
        return None
    return ServerRow(hits, misses, size, shared, None)
