"""The small commands, status, down, restart, logs: they read the state file, ask the supervisor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from tradeportal.supervisor import console, control, recovery
from tradeportal.supervisor import logs as log_files
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.identity import signal_process, wait_gone
from tradeportal.supervisor.place import Place
from tradeportal.supervisor.privileges import storage_elsewhere
from tradeportal.supervisor.state import InstanceState

NOT_RUNNING_EXIT_CODE = 3
NOT_ALL_EXIT_CODE = 1
HEALTHY = frozenset({"running", "external"})
DOWN_MARGIN_SECONDS = 15.0
RESTART_SECONDS_MAX = 300.0
ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.2


def service_lines(state: InstanceState) -> list[str]:
    """The services as a table."""
    rows = [("  service", "state", "pid", "port", "restarts")]
    for item in state.services:
        port = "" if item.port is None else str(item.port)
        pid = "" if item.pid is None else str(item.pid)
        note = f"{item.restarts or ''} {item.note}".strip()
        rows.append((f"  {item.name}", item.state, pid, port, note))
    return console.table(rows)


def status(data: DataDir, *, as_json: bool) -> int:
    """Say what runs. Exit code 0: all; 1: not all; 3: nothing."""
    state = data.state.read_running() if data.run.exists() else None
    services = state.services if state is not None else []
    if as_json:
        document = {
            "url": state.url if state is not None else None,
            "services": [
                {"name": item.name, "state": item.state, "pid": item.pid, "port": item.port}
                for item in services
            ],
        }
        console.say(json.dumps(document))
    elif state is None:
        console.say(f"not running ({data.root}); start with ./portal up")
    else:
        console.say(f"{state.phase} at {state.url or '(no address yet)'} ({data.root})")
        for line in service_lines(state):
            console.say(line)
    storage = storage_elsewhere(data)
    if storage is not None and not as_json:
        console.say(f"  the database is kept in {storage}")
    if state is None:
        return NOT_RUNNING_EXIT_CODE
    all_run = state.phase == "running" and all(item.state in HEALTHY for item in services)
    return 0 if all_run else NOT_ALL_EXIT_CODE


def down(data: DataDir) -> int:
    """Stop the portal and wait until everything has ended."""
    state = data.state.read_running() if data.run.exists() else None
    if state is None:
        ended = recovery.clean_up(data.state) if data.run.exists() else []
        note = f"; ended what was left behind: {', '.join(ended)}" if ended else ""
        console.say(f"not running ({data.root}){note}")
        return 0
    step = console.Step("Stopping the portal")
    signal_process(state.supervisor, signal.SIGTERM)
    limit = sum(item.stop_timeout_seconds for item in state.services) + DOWN_MARGIN_SECONDS
    while step.elapsed_seconds < limit:
        if not wait_gone([state.supervisor], POLL_SECONDS):
            step.done()
            return 0
        step.tick()
    step.failed()
    raise PortalError(
        f"the supervisor (process {state.supervisor_pid}) did not stop in {limit:g} s"
    )


def restart(place: Place, service: str | None) -> int:
    """Restart one service, or the whole portal; start it when it does not run.

    Only a restart of the whole portal reads the configuration again.
    """
    data = place.data
    config_file = os.path.abspath(place.config_path) if place.config_path else ""  # noqa: PTH100
    if service is not None and config_file:
        raise PortalError(f"--config has no effect on {service} alone; restart the whole portal")
    state = data.state.read_running() if data.run.exists() else None
    if state is None:
        if service is not None:
            raise PortalError("not running; start with ./portal up", NOT_RUNNING_EXIT_CODE)
        console.say("not running: starting it")
        options = [
            "--data-dir",
            str(data.root),
            *(["--config", config_file] if config_file else []),
        ]
        command = [sys.executable, "-m", "tradeportal.supervisor", "up", "--detach", *options]
        return subprocess.call(command)
    if service is not None:
        step = console.Step(f"Restarting {service}")
        control.ask(
            state.control_socket, control.RESTART, service, timeout_seconds=RESTART_SECONDS_MAX
        )
        step.done()
        return 0
    return _restart_all(data, state, config_file)


def _restart_all(data: DataDir, old: InstanceState, config_file: str) -> int:
    control.ask(
        old.control_socket, control.RESTART_ALL, config_file, timeout_seconds=ANSWER_SECONDS
    )
    step = console.Step("Restarting the portal")
    while step.elapsed_seconds < RESTART_SECONDS_MAX:
        time.sleep(POLL_SECONDS)
        step.tick()
        now = data.state.read()
        if now is not None and now.run_id != old.run_id and now.phase == "running":
            step.done()
            for line in service_lines(now):
                console.say(line)
            console.say(f"  The portal runs at {now.url}")
            return 0
        if not old.supervisor.is_alive:
            break
    step.failed()
    for line in console.tail(data.logs / "supervisor.log"):
        console.say(f"      {line}")
    raise PortalError("the portal did not come back; see ./portal logs supervisor")


def logs(data: DataDir, service: str | None, *, follow: bool, lines: int) -> int:
    """Print the logs of one service, or of all."""
    if not data.logs.is_dir():
        raise PortalError(f"there are no logs in {data.root} yet")
    log_files.show(data.logs, service, follow=follow, lines=lines)
    return 0
