"""What the front door writes to the terminal: lines, tables and live progress of slow steps.

The only module of the supervisor that writes to standard output. On a terminal a running step shows
its elapsed seconds in place; elsewhere it says so every ten seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import subprocess
import sys
import time
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TextIO, TypeVar

from tradeportal.supervisor.errors import PortalError

REDRAW_SECONDS = 0.5
REMINDER_SECONDS = 10.0
TAIL_LINES = 15

T = TypeVar("T")


class _MayVanish(io.TextIOBase):
    """Standard output of a supervisor: its terminal may be closed, its work goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def outlive_terminal() -> None:
    """From now on a closed terminal or pipe is no reason to fail."""
    sys.stdout = _MayVanish(sys.stdout)
    sys.stderr = _MayVanish(sys.stderr)


def say(text: str = "") -> None:
    """Write one line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """Write one line about a failure to standard error."""
    sys.stderr.write(f"portal: {text}\n")
    sys.stderr.flush()


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as aligned columns, one line each."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


class Step:
    """One slow step: announces itself, shows elapsed seconds, says how it ended."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.started = time.monotonic()
        self._reminded = self.started
        self._live = sys.stdout.isatty()
        self.tick()

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self.started

    def tick(self) -> None:
        """Show that the step is still running."""
        now = time.monotonic()
        if self._live:
            sys.stdout.write(f"\r\x1b[K  ..  {self.label} {int(self.elapsed_seconds)} s")
            sys.stdout.flush()
        elif now - self._reminded >= REMINDER_SECONDS:
            self._reminded = now
            say(f"  ..  {self.label}: {int(self.elapsed_seconds)} s so far")

    def done(self, result: str = "") -> None:
        """Close the step as successful."""
        self._close("ok", result)

    def failed(self, result: str = "") -> None:
        """Close the step as failed."""
        self._close("!!", result)

    def _close(self, mark: str, result: str) -> None:
        erase = "\r\x1b[K" if self._live else ""
        note = f": {result}" if result else ""
        say(f"{erase}  {mark}  {self.label}{note} ({self.elapsed_seconds:.1f} s)")


async def ticking(step: Step, work: Coroutine[None, None, T]) -> T:
    """Await `work` while the step shows its elapsed time; a cancelled wait cancels the work too."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=REDRAW_SECONDS)
            if not task.done():
                step.tick()
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task})
        raise
    return task.result()


def run_step(
    label: str,
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a command under a progress line, its output in `log`.

    Raises PortalError with the last lines of the output when it fails.
    """
    step = Step(label)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            while process.poll() is None:
                try:
                    process.wait(REDRAW_SECONDS)
                except subprocess.TimeoutExpired:
                    step.tick()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode == 0:
        step.done()
        return
    step.failed(f"exit code {process.returncode}")
    for line in tail(log):
        say(f"      {line}")
    raise PortalError(f"{label} failed; the whole output is in {log}")


def tail(path: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a text file; nothing when it cannot be read."""
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - 64 * 1024))
            text = stream.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]
