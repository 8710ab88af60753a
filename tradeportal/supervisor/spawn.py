"""Starting one child so that it can never be left behind, and waiting for its end without threads.

Each child leads its own session, so a Ctrl-C reaches only the supervisor, and on Linux the kernel
signals it when the supervisor dies, however that happens.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradeportal.supervisor.privileges import Account
from tradeportal.supervisor.spec import OURSELVES

PR_SET_PDEATHSIG = 1  # linux/prctl.h
EXIT_POLL_SECONDS = 0.1
LOG_MODE = 0o600
AUTOGROUP_TRIES = 5
AUTOGROUP_PAUSE_SECONDS = 0.1

_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


@dataclass(frozen=True, slots=True)
class Child:
    """What to start: the command, where, as whom, and where its output goes."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    account: Account = OURSELVES
    stop_signal: signal.Signals = signal.SIGTERM
    niceness: int = 0
    stdout: int | None = None  # a file of its own for standard output; errors still go to the log


def spawn(child: Child) -> subprocess.Popen[bytes]:
    """Start the child; its output is appended to its log.

    Raises OSError when the program cannot be started.
    """
    child.log.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(child.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, LOG_MODE)
    try:
        return subprocess.Popen(
            child.command,
            cwd=child.directory,
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=log if child.stdout is None else child.stdout,
            stderr=log,
            start_new_session=True,
            user=child.account.uid,
            group=child.account.gid,
            extra_groups=[] if child.account.is_borrowed else None,
            preexec_fn=_before_start(child.stop_signal, child.niceness),
        )
    finally:
        os.close(log)


def _before_start(number: signal.Signals, niceness: int) -> Callable[[], None] | None:
    """Asks the kernel to send `number` to this process when its parent dies, and to let it give way
    (Linux only).

    The first must be asked after the change of user, which clears it; `preexec_fn` runs after that.
    """
    if _prctl is None:
        return None
    parent = os.getpid()

    def ask() -> None:
        if niceness:
            _give_way(niceness)
        _prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask


def _give_way(niceness: int) -> None:
    """Make this process, the first of its session, nicer than others.

    Linux shares the cores between sessions first, where it groups them, and a process's own
    niceness then counts only within its session: of which each service has one of its own.
    """
    os.nice(niceness)
    for _ in range(AUTOGROUP_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(niceness))
        except BlockingIOError:  # only so often, for all processes together
            time.sleep(AUTOGROUP_PAUSE_SECONDS)
        except OSError:  # sessions are not grouped here
            return
        else:
            return


async def wait_exit(process: subprocess.Popen[bytes]) -> int:
    """Wait for the child to end and return its exit code (negative: the signal that ended it)."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except (AttributeError, OSError):  # not Linux, or an old kernel
        while process.poll() is None:
            await asyncio.sleep(EXIT_POLL_SECONDS)
        return process.returncode
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()


def describe_exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"
