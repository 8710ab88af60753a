"""The work between databases and services: migrate, collect static files, seed the demo.

Each step is a `manage.py` command run to its end under a progress line, its output in
`<data-dir>/logs/setup.log`. A failing step stops the start and shows its last lines.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import subprocess
import tempfile
from pathlib import Path

from tradeportal.supervisor import console
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
    """Run every step in order. Raises PortalError with the step that failed."""
    await _step("Updating the database", plan, "migrate", "--noinput")
    await _step("Collecting static files", plan, "collectstatic", "--noinput")
    output = await _step("Preparing the demo market", plan, "seed_demo", "--json")
    return read_demo(output)


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


async def _step(label: str, plan: Plan, *arguments: str) -> str:
    environment = environment_for("setup", plan)
    environment.pop("PROMETHEUS_MULTIPROC_DIR")  # short-lived: its metrics would only linger
    command = manage_command(*arguments)
    log = plan.data.logs / "setup.log"
    timeout_seconds = plan.configuration.start_timeout_seconds.setup
    with tempfile.TemporaryFile() as output:
        child = Child(command, environment, PROJECT, log, stdout=output.fileno())
        step = console.Step(label)
        try:
            code = await console.ticking(step, _run_to_end(child, timeout_seconds))
        except asyncio.CancelledError:
            step.failed("interrupted")
            raise
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
        _finish(step, code, arguments[0], log, text)
    return text


def _finish(step: console.Step, code: int | None, name: str, log: Path, output: str) -> None:
    if code == 0:
        step.done()
        return
    why = "took too long" if code is None else describe_exit(code)
    step.failed(why)
    for line in [*output.splitlines()[-LINES_SHOWN:], *console.tail(log, LINES_SHOWN)]:
        console.say(f"      {line}")
    raise PortalError(f"manage.py {name} failed ({why}); its errors are in {log}")


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
