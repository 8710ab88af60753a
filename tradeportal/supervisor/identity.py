"""Which process a number means: pid and start time together, so a reused pid is never ours.

The state file records processes this way; `down`, recovery after a crash and the guardian ask here
before they signal anything.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process of this machine: its pid and the kernel's note of when it started."""

    pid: int
    started: str

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return bool(self.started) and started_at(self.pid) == self.started


def identify(pid: int) -> ProcessId:
    """The identity of a running process."""
    return ProcessId(pid, started_at(pid))


def started_at(pid: int) -> str:
    """When the process started, as text that only means something on this boot; "" when gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return "" if Path("/proc/self/stat").exists() else _started_at_by_ps(pid)
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the command name before it may hold anything
    if fields[0] in {"Z", "X"}:
        return ""
    return fields[19]  # starttime in clock ticks since boot, field 22 of proc(5)


def _started_at_by_ps(pid: int) -> str:
    """The start time where there is no /proc (macOS, BSD)."""
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def boot_id() -> str:
    """A text that changes with each boot: start times of another boot mean nothing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def signal_process(process: ProcessId, number: signal.Signals) -> None:
    """Signal the process if it is still the recorded one."""
    if process.is_alive:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return


def kill_group(leader: int) -> None:
    """SIGKILL what is left of a process group that we started."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM for a group of zombies
        return


def wait_gone(processes: list[ProcessId], timeout_seconds: float) -> list[ProcessId]:
    """Wait for the processes to end; returns those that still run after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    alive = [process for process in processes if process.is_alive]
    while alive and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        alive = [process for process in alive if process.is_alive]
    return alive
