"""CPU time and control of process trees, read from /proc; and children that answer in JSON."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PARENT, FIRST_TIME, AFTER_LAST_TIME = 1, 11, 15  # fields of /proc/*/stat after the name


class BenchmarkError(Exception):
    """The measurement cannot go on; the message says why."""


def run_child(
    module: str, *arguments: str, environment: Mapping[str, str], given: bytes = b""
) -> bytes:
    """Run `python -m module` to its end and return its output."""
    child = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT,
        env=dict(environment),
        input=given,
        capture_output=True,
        check=False,
    )
    if child.returncode:
        raise BenchmarkError(f"{module} failed:\n{child.stderr.decode(errors='replace')[-3000:]}")
    return child.stdout


def tree(root: int) -> list[int]:
    """The process and everything below it."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit() and (fields := _stat(int(path.name))):
            children.setdefault(int(fields[PARENT]), []).append(int(path.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree, its ended children included."""
    ticks = 0
    for pid in tree(root):
        ticks += sum(int(value) for value in _stat(pid)[FIRST_TIME:AFTER_LAST_TIME])
    return ticks / TICKS_PER_SECOND


def resident_mib(pid: int) -> float:
    """What the process alone keeps in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak_mib(pid: int) -> float:
    """The most that the process alone has kept in memory since it began."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise BenchmarkError(f"the system does not tell the memory of process {pid}")


@contextlib.contextmanager
def paused(roots: Sequence[int]) -> Iterator[None]:
    """Hold the trees still, so that what they still have to do does not count against others."""
    pids = [pid for root in roots for pid in tree(root)]
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it has ended meanwhile
        return []
    return text.rpartition(")")[2].split()
