"""`./portal up`: in the foreground, or detached with the start still shown to the caller.

The pages are built first; then one supervisor per data directory holds its lock for as long as it
lives. A second `up` only says what runs.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from tradeportal.supervisor import commands, console
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.instance import RESTART, Instance, Parts
from tradeportal.supervisor.place import Place, arguments_after_restart
from tradeportal.supervisor.recovery import clean_up
from tradeportal.supervisor.setup_steps import DemoSignIn

CHILD_FLAG = "--detached-child"
PROGRAM = (sys.executable, "-m", "tradeportal.supervisor")
EVERYTHING = Parts()


def run(
    place: Place,
    configuration: Configuration,
    parts: Parts = EVERYTHING,
    program: tuple[str, ...] = PROGRAM,
) -> int:
    """Run the portal until Ctrl-C or `down`; `configuration` is the place's, as the command line
    changed it.

    A restart becomes `program` with the arguments of this one. Tests run a smaller portal.
    """
    data = place.data
    data.prepare()
    lock = data.lock()
    if lock is None:
        return _already_runs(data)
    console.outlive_terminal()
    ended = clean_up(data.state)
    if ended:
        console.say(f"  ok  Ended what a killed supervisor left behind: {', '.join(ended)}")
    parts.pages(data)
    instance = Instance(data, configuration, parts, announce, place.check_restart)
    then = asyncio.run(instance.run())
    if then == RESTART:
        os.close(lock)
        arguments = arguments_after_restart(
            sys.argv[1:], port=instance.port, config_file=instance.next_config_file
        )
        os.execv(program[0], [*program, *arguments])  # noqa: S606  # our own program again
    console.say("  ok  Everything has stopped")
    return 0


def run_detached(data: DataDir) -> int:
    """Start a supervisor of its own session, show its start, return when everything runs."""
    data.prepare()
    command = [*PROGRAM, *sys.argv[1:], CHILD_FLAG]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert child.stdout is not None
    try:
        for line in child.stdout:  # ends when the child is ready and lets go of the pipe
            console.say(line.decode("utf-8", "replace").rstrip("\n"))
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        child.wait()
        raise
    if data.state.read_running() is not None:
        return 0
    return child.wait() or 1


def announce(instance: Instance) -> None:
    """Everything runs: say where, and how to sign in."""
    console.say()
    for line in commands.service_lines(instance.snapshot()):
        console.say(line)
    console.say()
    console.say(f"  The portal runs at {instance.url}")
    for line in sign_in_lines(instance.demo):
        console.say(line)
    if CHILD_FLAG in sys.argv:
        console.say("  Stop it with ./portal down")
        _let_go_of_caller(instance.data.logs / "supervisor.log")
    else:
        console.say("  Ctrl-C stops it")
    console.say()


def sign_in_lines(demo: DemoSignIn | None) -> list[str]:
    """How to sign in; passwords only in the start that made them."""
    if demo is None:
        return []
    lines = []
    if demo.password:
        lines.append(f"  Sign in as {demo.username} with password {demo.password}")
    if demo.admin_password:
        lines.append(f"  Administer as {demo.admin_username} with password {demo.admin_password}")
    if lines:
        return [*lines, "  (shown only now; ./portal manage changepassword sets another)"]
    return [f"  Sign in as {demo.username}; its password was shown at the first start"]


def _let_go_of_caller(log: Path) -> None:
    """Send what we print from now on to the log; the caller sees the end of its pipe."""
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(descriptor, stream.fileno())
    os.close(descriptor)


def _already_runs(data: DataDir) -> int:
    state = data.state.read_running()
    if state is None:
        raise PortalError(f"another start or stop of {data.root} is under way; try again shortly")
    console.say(
        f"The portal of {data.root} is already {state.phase}: {state.url or 'no address yet'}"
    )
    for line in commands.service_lines(state):
        console.say(line)
    return 0
