"""Serves the yardstick: granian (WSGI) with eight threads, measured fastest for it; or uvicorn.

Persistent connections, one process by default: the second core belongs to PostgreSQL and the load.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.load.spec import Trader
from benchmarks.portal import TraderSpec
from benchmarks.processes import PROJECT, BenchmarkError, run_child

HOST = "127.0.0.1"
START_SECONDS = 30
STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class NaiveServer:
    port: int
    pid: int
    traders: list[Trader]


@contextlib.contextmanager
def running_naive(
    database_url: str, specs: list[TraderSpec], *, workers: int = 1, threads: int = 8
) -> Iterator[NaiveServer]:
    """Prepare the database, serve until the end of the block."""
    environment = {
        **os.environ,
        "NAIVE_DATABASE_URL": database_url,
        "DJANGO_SETTINGS_MODULE": "benchmarks.naive.settings",
    }
    wanted = json.dumps([[spec.symbol, spec.side] for spec in specs])
    output = run_child("benchmarks.naive.prepare", wanted, environment=environment)
    traders = [
        Trader(headers={"Authorization": f"Token {token}"}, symbol=spec.symbol, side=spec.side)
        for spec, token in zip(specs, json.loads(output), strict=True)
    ]
    port = free_port()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST,
            "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads),
            "--no-ws", "--log-level", "error", "benchmarks.naive.wsgi:application",
        ],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield NaiveServer(port, process.pid, traders)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(0.1)
    raise BenchmarkError("the yardstick's server did not start")
