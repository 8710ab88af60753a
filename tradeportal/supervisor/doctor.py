"""`./portal doctor`: looks at everything a portal needs and says what to do about what is wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tradeportal.supervisor import console, databases, pages, ports, probes
from tradeportal.supervisor.catalog import PROJECT, manage_command
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.privileges import storage_elsewhere
from tradeportal.supervisor.spec import Probe
from tradeportal.supervisor.state import InstanceState

FREE_DISK_MB_MIN = 500
FEED_AGE_SECONDS_MAX = 15.0
MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `remedy` is empty when it is in order."""

    subject: str
    seen: str
    remedy: str = ""


def run(data: DataDir, configuration: Configuration) -> int:
    """Print every finding; exit code 1 when something is wrong."""
    findings = list(examine(data, configuration))
    for finding in findings:
        console.say(f"  {'!!' if finding.remedy else 'ok'}  {finding.subject}: {finding.seen}")
        if finding.remedy:
            console.say(f"        -> {finding.remedy}")
    return 1 if any(finding.remedy for finding in findings) else 0


def examine(data: DataDir, configuration: Configuration) -> Iterator[Finding]:
    """Look at the machine, then at the portal when it runs."""
    yield _python()
    yield _pages(data)
    yield from _directory(data)
    state = data.state.read_running() if data.run.exists() else None
    if state is None:
        yield _web_port(configuration)
        yield Finding("portal", "not running", "start it with ./portal up")
        return
    yield from _services(state)
    if not data.state.environment_path.exists():
        yield Finding("portal", "still starting", "wait, then look again")
        return
    environment = data.state.read_environment()
    yield _attempt("postgres", lambda: _postgres(environment["DATABASE_URL"]))
    yield _attempt("valkey", lambda: _valkey(environment["REDIS_URL"]))
    yield _migrations(environment)
    yield _engine(environment)
    if environment["PORTAL_MARKET"] != "none":
        yield _feed(environment)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    environment = PROJECT / ".venv"
    stale = "" if (environment / "portal-stamp.json").exists() else " (not the project's .venv)"
    return Finding("python", f"{version} in {sys.prefix}{stale}")


def _pages(data: DataDir) -> Finding:
    if pages.is_current():
        return Finding("pages", "built from the present sources")
    node = shutil.which("node")
    found = f"Node at {node}" if node else "no Node on PATH (the wheel is used)"
    return Finding("pages", f"not built, or older than their sources; {found}", "./portal up")


def _directory(data: DataDir) -> Iterator[Finding]:
    try:
        data.prepare()
    except PortalError as error:
        yield Finding("data directory", str(error), "use --data-dir with a directory of your own")
        return
    mode = data.secrets.stat().st_mode & 0o777
    remedy = f"chmod 700 {data.secrets}" if mode & 0o077 else ""
    yield Finding("data directory", f"{data.root}, secrets with mode {mode:o}", remedy)
    yield from _storage(data)
    free_mb = shutil.disk_usage(data.root).free // MB
    remedy = "" if free_mb >= FREE_DISK_MB_MIN else f"free at least {FREE_DISK_MB_MIN} MB"
    yield Finding("disk", f"{free_mb} MB free", remedy)


def _storage(data: DataDir) -> Iterator[Finding]:
    storage = storage_elsewhere(data)
    if storage is None:
        return
    is_there = storage.is_dir()
    seen = f"kept in {storage}, because its user cannot enter the data directory"
    remedy = "" if is_there else "restore it, or choose a new --data-dir to start afresh"
    yield Finding("database files", seen if is_there else f"{storage} is gone", remedy)


def _web_port(configuration: Configuration) -> Finding:
    server = configuration.server
    try:
        ports.check_host(server.host)
    except PortalError as error:
        return Finding("web port", str(error), "change server.host")
    wanted = [server.port] if server.port else list(ports.WEB_PORTS)
    free = [port for port in wanted if ports.is_free(server.host, port)]
    if free or not server.port:
        return Finding("web port", f"free: {', '.join(map(str, free)) or 'none of 8001-8005'}")
    return Finding("web port", f"{server.port} is taken", "free it or choose another server.port")


def _services(state: InstanceState) -> Iterator[Finding]:
    for item in state.services:
        healthy = item.state in {"running", "external"}
        note = f", {item.restarts} restarts" if item.restarts else ""
        reason = f" ({item.note})" if item.note and not healthy else ""
        remedy = "" if healthy else f"./portal logs {item.name}"
        yield Finding(f"service {item.name}", f"{item.state}{note}{reason}", remedy)


def _attempt(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look())
    except PortalError as error:
        return Finding(subject, str(error), f"./portal logs {subject}")


def _postgres(url: str) -> str:
    databases.check_database(url)
    with psycopg.connect(url, connect_timeout=databases.CONNECT_TIMEOUT_SECONDS) as connection:
        row = connection.execute(
            "SELECT count(*), current_setting('max_connections') FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        ).fetchone()
        version = connection.info.server_version // 10000
    assert row is not None
    return f"version {version}, {row[0]} of {row[1]} connections used"


def _valkey(url: str) -> str:
    databases.check_redis(url)
    with redis.from_url(url, socket_timeout=databases.CONNECT_TIMEOUT_SECONDS) as client:
        memory = client.info("memory")
    return f"answers, {int(memory['used_memory']) // MB} MB used"


def _migrations(environment: dict[str, str]) -> Finding:
    answer = subprocess.run(
        manage_command("migrate", "--check"), cwd=PROJECT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if answer.returncode == 0:
        return Finding("migrations", "all applied")
    return Finding("migrations", "some are not applied", "./portal restart")


def _engine(environment: dict[str, str]) -> Finding:
    path = Path(environment["PORTAL_ENGINE_SOCKET"])
    if asyncio.run(_ask(probes.unix_socket(path))):
        return Finding("engine", "accepts connections")
    return Finding("engine", f"nothing answers on {path}", "./portal logs engine")


def _feed(environment: dict[str, str]) -> Finding:
    try:
        age = asyncio.run(
            probes.quote_age_seconds(environment["REDIS_URL"], environment["PORTAL_REDIS_PREFIX"])
        )
    except (redis.RedisError, OSError, ValueError, KeyError) as error:
        return Finding("feed", f"the latest quotes cannot be read: {error}", "./portal logs feed")
    if age is None:
        return Finding("feed", "has published no quote", "./portal logs feed")
    remedy = "./portal restart feed" if age > FEED_AGE_SECONDS_MAX else ""
    return Finding("feed", f"newest quote is {age:.1f} s old", remedy)


async def _ask(probe: Probe) -> bool:
    return await probe()
