"""`./portal test`: pytest against a private PostgreSQL and Valkey that are thrown away afterwards.

It never touches a running portal or a database of the caller. The servers give up durability, which
makes the tests faster; tests of durability start their own portal.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tradeportal.supervisor import browser, console, databases, pages
from tradeportal.supervisor.catalog import PROJECT
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.privileges import recorded_storage
from tradeportal.supervisor.runner import Runner
from tradeportal.supervisor.spawn import wait_exit
from tradeportal.supervisor.spec import Backoff

PARALLEL = ("-n", "3", "--dist", "loadgroup")
"""One process more than the smallest machine we aim at has cores: tests of processes, sockets and
pages spend much of their time waiting.
"""
SAYS_HOW_MANY = ("-n", "--numprocesses", "--pdb", "--dist", "--collect-only", "--co")
INTERRUPT_SECONDS = 20.0


def run(arguments: list[str]) -> int:
    """Run pytest with these arguments and return its exit code."""
    root = Path(tempfile.mkdtemp(prefix="portal-pytest-"))
    root.chmod(0o711)  # the servers' user may have to pass through, when we are root
    data = DataDir(root)
    data.prepare()
    try:
        chromium = browser.find_or_install(data.logs / "chromium.log")
        pages.ensure_built(data)
        return asyncio.run(_run(data, pytest_arguments(arguments), chromium))
    finally:
        _throw_away(data)


def pytest_arguments(arguments: list[str]) -> list[str]:
    """The caller's arguments, in a few processes unless they say otherwise."""
    says = any(
        argument.split("=")[0] in SAYS_HOW_MANY or argument.startswith("-n")
        for argument in arguments
    )
    serial = says or any("no:xdist" in argument for argument in arguments)
    return arguments if serial else [*PARALLEL, *arguments]


async def _run(data: DataDir, arguments: list[str], chromium: str | None) -> int:
    configuration = Configuration()
    made = databases.prepare(data, configuration, is_throw_away=True)
    restart = configuration.restart
    backoff = Backoff(
        restart.first_delay_seconds, restart.max_delay_seconds, restart.stable_after_seconds
    )
    runners: dict[str, Runner] = {}
    try:
        for spec in made.specs:
            runners[spec.name] = Runner(spec, backoff, lambda runner, what: None)
            step = console.Step(f"Starting {spec.name} for the tests")
            await console.ticking(step, runners[spec.name].start(runners))
            step.done(f"port {spec.port}")
        assert made.cluster is not None  # a throw-away instance always has its own
        await made.cluster.prepare_database(may_create_databases=True)
        environment = {
            **os.environ,
            "DATABASE_URL": made.database_url,
            "REDIS_URL": made.redis_url,
            "PORTAL_DATA_DIR": str(data.root / "portal"),
        }
        if chromium:
            environment["PORTAL_CHROMIUM"] = chromium
        return await _pytest(arguments, environment)
    finally:
        for runner in reversed(runners.values()):
            await runner.stop()


async def _pytest(arguments: list[str], environment: dict[str, str]) -> int:
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], cwd=PROJECT, env=environment
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A Ctrl-C reaches pytest by itself: same terminal. We only have to outlive it.
        loop.add_signal_handler(number, _pass_on, process, number)
    try:
        code = await wait_exit(process)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(INTERRUPT_SECONDS)
    return code if code >= 0 else 128 - code


def _pass_on(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if number == signal.SIGTERM and process.poll() is None:
        process.send_signal(signal.SIGINT)


def _throw_away(data: DataDir) -> None:
    """Remove every file of the run, also those kept elsewhere for another user."""
    storage = recorded_storage(data)
    if storage is not None and storage != data.root:
        shutil.rmtree(storage, ignore_errors=True)
    for _ in range(3):
        shutil.rmtree(data.root, ignore_errors=True)
        if not data.root.exists():
            return
        time.sleep(0.2)
