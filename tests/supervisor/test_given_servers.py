"""A portal on servers that others run: it starts none of its own and leaves theirs as they are.

The servers are those of the test run; the portal gets a database and a key prefix of its own there.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from redis import Redis

from tests.live_portal import LivePortal
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.privileges import recorded_storage

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("supervisor")]


@dataclass(frozen=True)
class Given:
    """Servers as an operator gives them to a portal."""

    database_url: str
    redis_url: str
    prefix: str

    def users(self) -> list[str]:
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute("SELECT username FROM accounts_user ORDER BY username")
            return [row[0] for row in rows]

    def redis_keys(self) -> list[bytes]:
        with Redis.from_url(self.redis_url) as redis:
            return list(redis.scan_iter(f"{self.prefix}*", count=10_000))

    def forget(self) -> None:
        with Redis.from_url(self.redis_url) as redis:
            redis.delete(*self.redis_keys())


@pytest.fixture
def given() -> Iterator[Given]:
    server, redis_url = os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
    name = f"given_{uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    made = Given(url, redis_url, f"{name}:")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
        yield made
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
    made.forget()


@pytest.fixture
def portal(given: Given) -> Iterator[LivePortal]:
    root = Path(tempfile.mkdtemp(prefix="portal-given-"))
    environment = {
        "DATABASE_URL": given.database_url,
        "REDIS_URL": given.redis_url,
        "PORTAL_REDIS_PREFIX": given.prefix,
    }
    portal = LivePortal(root, environment)
    yield portal
    portal.stop()
    shutil.rmtree(root, ignore_errors=True)


def test_given_servers_are_used_and_left_running(given: Given, portal: LivePortal) -> None:
    portal.start("--market", "none")

    services = {service["name"]: service for service in portal.status()["services"]}
    for name, url in (("postgres", given.database_url), ("valkey", given.redis_url)):
        assert services.pop(name) == {
            "name": name, "state": "external", "pid": None, "port": urlsplit(url).port,
        }  # fmt: skip
    assert {name: service["state"] for name, service in services.items()} == dict.fromkeys(
        ("engine", "gateway", "worker", "beat"), "running"
    )
    assert httpx.get(f"{portal.url}/health/ready", timeout=60).status_code == 200
    assert given.users() == ["admin", "demo"]
    assert given.redis_keys()
    assert recorded_storage(DataDir(portal.data_dir)) is None
    assert not {"postgres", "valkey", "ports.json"} & {p.name for p in portal.data_dir.iterdir()}

    portal.stop()
    assert given.users() == ["admin", "demo"]
    with Redis.from_url(given.redis_url) as redis:
        assert redis.ping()
