"""PostgreSQL and Valkey of one portal: its own embedded servers, or the ones it was given.

`up` and `test` ask here. DATABASE_URL and REDIS_URL, when set, mean: start nothing, use those.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import redis

from tradeportal.supervisor import postgres, valkey
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.privileges import server_account, storage_for
from tradeportal.supervisor.spec import ServiceSpec
from tradeportal.supervisor.state import ServiceState

CONNECT_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the data lives, and which servers have to be started for it."""

    database_url: str
    redis_url: str
    cluster: postgres.Cluster | None
    specs: list[ServiceSpec]
    external: list[ServiceState]
    notes: list[str]


def prepare(
    data: DataDir, configuration: Configuration, *, is_throw_away: bool = False
) -> Databases:
    """Choose the servers and make their files ready to start.

    A throw-away instance (tests) never uses the caller's own servers and gives up durability.
    """
    given_database = "" if is_throw_away else os.environ.get("DATABASE_URL", "")
    given_redis = "" if is_throw_away else os.environ.get("REDIS_URL", "")
    specs, external, notes = [], [], []
    cluster: postgres.Cluster | None = None
    database_url, redis_url = given_database, given_redis
    if not given_database or not given_redis:
        account = server_account()
        storage = storage_for(data, account)
        if account.is_borrowed:
            notes.append(f"database servers run as user {account.name}, files in {storage}")
    if given_database:
        check_database(given_database)
        external.append(_external("postgres", given_database, 5432))
    else:
        cluster = postgres.cluster(data, storage, account)
        cluster.create()
        database_url = cluster.url
        notes.append(f"PostgreSQL {cluster.binaries.version} from {cluster.binaries.origin}")
        log = data.logs / "postgres.log"
        specs.append(postgres.spec(cluster, configuration, log, is_throw_away=is_throw_away))
    if given_redis:
        check_redis(given_redis)
        external.append(_external("valkey", given_redis, 6379))
    else:
        server = valkey.server(data, storage, account)
        redis_url = server.url
        notes.append(f"Valkey from {server.origin}")
        log = data.logs / "valkey.log"
        specs.append(valkey.spec(server, configuration, log, is_throw_away=is_throw_away))
    return Databases(database_url, redis_url, cluster, specs, external, notes)


def check_database(url: str) -> None:
    """Raise PortalError with one line when the database cannot be used."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
            version = connection.info.server_version // 10000
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise PortalError(f"DATABASE_URL cannot be used: {reason}") from error
    if version < postgres.OLDEST_VERSION:
        raise PortalError(
            f"DATABASE_URL is PostgreSQL {version}; {postgres.OLDEST_VERSION} or newer is needed"
        )


def check_redis(url: str) -> None:
    """Raise PortalError with one line when the Redis or Valkey server cannot be used."""
    try:
        client = redis.from_url(url, socket_timeout=CONNECT_TIMEOUT_SECONDS)
        with client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise PortalError(f"REDIS_URL cannot be used: {error}") from error


def _external(name: str, url: str, default_port: int) -> ServiceState:
    parts = urlsplit(url)
    return ServiceState(
        name=name, state="external", port=parts.port or default_port, note=parts.hostname or ""
    )
