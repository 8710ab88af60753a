"""Puts finished log lines on stdout: in an event loop, those of one turn in one write.

The gateway logs a line an order. Written one by one, each was a call of the system between two
answers that were ready; held until the turn's end, they go out together and after the answers.
Our warnings and worse are written at once, with what is held.
"""

import asyncio
import os
from contextlib import suppress
from threading import Lock


class Lines:
    """Where the lines of all our loggers go. What was held is lost when a signal ends the process
    within the turn, and when nobody takes what stdout leads to.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begin()
        if os.name == "posix":
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """With nothing held, also in a forked child: its parent writes what was."""
        self._held: list[bytes] = []
        self._due_in: asyncio.AbstractEventLoop | None = None  # the loop that will write them
        self._lock = Lock()

    def hold(self, line: bytes) -> None:
        """Write it at the end of the loop's turn; outside a loop now."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.write(line)
            return
        with self._lock:
            self._held.append(line)
            is_due, self._due_in = self._due_in is loop, loop
        if not is_due:
            loop.call_soon(self.write)

    def write(self, line: bytes = b"") -> None:
        """Write what is held, then the line."""
        with self._lock:
            text = b"".join([*self._held, line])
            self._held.clear()
            self._due_in = None
            with suppress(BlockingIOError):  # a full pipe must not stop who only logs
                while text:
                    text = text[os.write(self._descriptor, text) :]


class Writer:
    """Takes finished messages, and knows by which name its module asked for it."""

    def __init__(self, lines: Lines, name: str) -> None:
        self._lines = lines
        self.name = name

    def info(self, message: bytes) -> None:
        self._lines.hold(message + b"\n")

    def warning(self, message: bytes) -> None:
        self._lines.write(message + b"\n")

    debug = info
    error = critical = warning
