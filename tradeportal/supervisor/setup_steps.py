"""The work between databases and services: migrate, collect static files, seed the demo.

Each step is a `manage.py` command run to its end under a progress line, its output in
`<data-dir>/logs/setup.log`. A failing step stops the start and shows its last lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
import signal
import subprocess
import tempfile
from collections.abc import Coroutine
from pathlib import Path

from tradeportal.supervisor import console, pages
from tradeportal.supervisor.catalog import PROJECT, Plan, environment_for, manage_command
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.spawn import Child, describe_exit, spawn, wait_exit

STOP_SECONDS = 5.0
LINES_SHOWN = 15


@dataclasses.dataclass(frozen=True, slots=True)
class DemoSignIn:
    """The first people of the portal; a password is known only in the start that created it."""

    username: str
    password: str | None
    admin_username: str | None = None
    admin_password: str | None = None


async def run_all(plan: Plan) -> DemoSignIn | None:
    """Run every step; the static files need no database and are collected alongside.

    Raises PortalError with the step that failed.
    """
    collecting = asyncio.create_task(_collect_static(plan))
    try:
        await _shown("Updating the database", plan, _command(plan, "migrate", "--noinput"))
        seeding = _command(plan, "seed_demo", "--json")
        output = await _shown("Preparing the demo market", plan, seeding)
        await _shown("Collecting static files", plan, _rest_of(collecting))
    finally:
        collecting.cancel()
        await asyncio.wait({collecting})
    return read_demo(output)


async def _collect_static(plan: Plan) -> _Ended:
    """Collect and compress the static files, unless nothing they are made of has changed."""
    stamp, digest = plan.data.root / "static-stamp", static_digest()
    collected = plan.data.root / "static"
    if collected.is_dir() and stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return _Ended("collectstatic", 0, "")
    # Source maps are half of the bytes and would triple the time that compressing takes.
    ended = await _command(plan, "collectstatic", "--noinput", "--ignore", "*.map")
    if ended.exit_code == 0:
        stamp.write_text(digest, encoding="ascii")
    return ended


def static_digest() -> str:
    """A digest of what the static files are made of: pages, packages, settings, the apps' own."""
    total = hashlib.sha256()
    made_of = [
        PROJECT / "static" / "dist" / pages.STAMP,
        PROJECT / "requirements.txt",
        PROJECT / "tradeportal" / "settings" / "base.py",
        *sorted(path for path in PROJECT.glob("*/static/**/*") if path.is_file()),
    ]
    for path in made_of:
        total.update(f"{path.relative_to(PROJECT)}\0".encode())
        total.update(path.read_bytes() if path.exists() else b"")
    return total.hexdigest()


def read_demo(output: str) -> DemoSignIn | None:
    """The sign-in in the output of `seed_demo --json`; log lines may stand before it."""
    for line in reversed(output.splitlines()):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and "created" in document:
            names = {field.name for field in dataclasses.fields(DemoSignIn)}
            return DemoSignIn(**{key: document[key] for key in names & document.keys()})
    return None


@dataclasses.dataclass(frozen=True, slots=True)
class _Ended:
    """How a command ended; no exit code means that its time was up."""

    name: str
    exit_code: int | None
    output: str


async def _command(plan: Plan, *arguments: str) -> _Ended:
    environment = environment_for("setup", plan)
    environment.pop("PROMETHEUS_MULTIPROC_DIR")  # short-lived: its metrics would only linger
    with tempfile.TemporaryFile() as output:
        child = Child(
            manage_command(*arguments), environment, PROJECT, _log(plan), stdout=output.fileno()
        )
        code = await _run_to_end(child, plan.configuration.start_timeout_seconds.setup)
        output.seek(0)
        return _Ended(arguments[0], code, output.read().decode("utf-8", "replace"))


async def _rest_of(task: asyncio.Task[_Ended]) -> _Ended:
    return await task


async def _shown(label: str, plan: Plan, work: Coroutine[None, None, _Ended]) -> str:
    """Await the command under a progress line and return its output."""
    step = console.Step(label)
    try:
        ended = await console.ticking(step, work)
    except asyncio.CancelledError:
        step.failed("interrupted")
        raise
    if ended.exit_code == 0:
        step.done()
        return ended.output
    why = "took too long" if ended.exit_code is None else describe_exit(ended.exit_code)
    step.failed(why)
    log = _log(plan)
    for line in [*ended.output.splitlines()[-LINES_SHOWN:], *console.tail(log, LINES_SHOWN)]:
        console.say(f"      {line}")
    raise PortalError(f"manage.py {ended.name} failed ({why}); its errors are in {log}")


def _log(plan: Plan) -> Path:
    return plan.data.logs / "setup.log"


async def _run_to_end(child: Child, timeout_seconds: float) -> int | None:
    """The exit code; None when the time was up. The process is gone when this returns."""
    process = spawn(child)
    try:
        async with asyncio.timeout(timeout_seconds):
            return await wait_exit(process)
    except TimeoutError:
        return None
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
