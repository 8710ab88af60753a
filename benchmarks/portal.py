"""A portal of our own for one benchmark run: started in a temporary directory, gone afterwards."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from benchmarks.load.spec import Trader
from benchmarks.processes import PROJECT, BenchmarkError, cpu_seconds, run_child
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.postgres import DATABASE, ROLE, SUPERUSER
from tradeportal.supervisor.privileges import recorded_storage

START_SECONDS = 180
STOP_SECONDS = 60
OWN_SERVERS = ("DATABASE_URL", "REDIS_URL", "PORTAL_REDIS_PREFIX", "PORTAL_DATA_DIR")
SERVERS = ("gateway", "engine", "postgres", "valkey", "worker")
"""Whose work a request causes: the worker tells listeners afterwards, on the same two cores."""

BACKGROUND = ("worker", "beat")


class TraderSpec(msgspec.Struct, frozen=True):
    """An account to make: buyers get cash, sellers get the instrument as well."""

    symbol: str
    side: str


class Key(msgspec.Struct, frozen=True):
    key_id: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.secret}


@dataclass(frozen=True, slots=True)
class Portal:
    """The running portal."""

    data: DataDir
    environment: dict[str, str]
    host: str
    port: int

    def pid(self, service: str) -> int:
        """The process of a service; it may have changed since the last look."""
        state = self.data.state.read_running()
        for item in state.services if state else ():
            if item.name == service and item.pid is not None:
                return item.pid
        raise BenchmarkError(f"{service} does not run; its log is in {self.data.logs}")

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far of the services that an order keeps busy."""
        return {service: cpu_seconds(self.pid(service)) for service in SERVERS}

    def background(self) -> list[int]:
        return [self.pid(service) for service in BACKGROUND]

    def make_traders(self, specs: list[TraderSpec]) -> list[Trader]:
        """Open an account with an API key for each spec."""
        output = run_child(
            "benchmarks.accounts",
            environment={**os.environ, **self.environment},
            given=msgspec.json.encode(specs),
        )
        keys = msgspec.json.decode(output.splitlines()[-1], type=list[Key])
        return [
            Trader(headers=key.headers, symbol=spec.symbol, side=spec.side)
            for spec, key in zip(specs, keys, strict=True)
        ]

    def rest_orders(self, count: int) -> None:
        """Place that many orders that stay open, in accounts of their own."""
        environment = {**os.environ, **self.environment}
        run_child("benchmarks.resting", str(count), environment=environment)

    def make_database(self, name: str) -> str:
        """Make a database in the portal's cluster for a yardstick; returns its URL."""
        with self.administer("postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(name), sql.Identifier(ROLE)
                )
            )
        url = urlsplit(self.environment["DATABASE_URL"])
        return url._replace(path=f"/{name}").geturl()

    def administer(self, database: str = DATABASE) -> psycopg.Connection[TupleRow]:
        """A connection as the cluster's superuser; each statement commits by itself."""
        url = urlsplit(self.environment["DATABASE_URL"])
        return psycopg.connect(
            host=url.hostname,
            port=url.port,
            user=SUPERUSER,
            password=self.data.secret("postgres-superuser"),
            dbname=database,
            autocommit=True,
        )


@contextlib.contextmanager
def running_portal() -> Iterator[Portal]:
    """Start a portal and stop it at the end, its files included."""
    root = Path(tempfile.mkdtemp(prefix="portal-bench-"))
    root.chmod(0o711)  # the database servers' user passes through when we are root
    data = DataDir(root)
    try:
        with _supervisor(data) as process:
            yield _wait_until_running(data, process)
    finally:
        storage = recorded_storage(data)
        if storage is not None and storage != root:
            shutil.rmtree(storage, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def _supervisor(data: DataDir) -> Iterator[subprocess.Popen[bytes]]:
    data.prepare()
    environment = {name: value for name, value in os.environ.items() if name not in OWN_SERVERS}
    with (data.logs / "bench.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.instance", str(data.root)],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us; we stop it in our own order
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # its guardian ends the services
            process.wait()


def _wait_until_running(data: DataDir, process: subprocess.Popen[bytes]) -> Portal:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state = data.state.read_running()
        if state is not None and state.phase == "running" and state.url:
            address = urlsplit(state.url)
            assert address.hostname and address.port
            return Portal(data, data.state.read_environment(), address.hostname, address.port)
        if process.poll() is not None:
            break
        time.sleep(0.1)
    log = (data.logs / "bench.log").read_text(errors="replace")
    raise BenchmarkError(f"the portal did not start:\n{log[-3000:]}")
