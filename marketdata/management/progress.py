"""A line on stderr that says how far an import is; nothing where stderr is no terminal."""

import time
from typing import Final, TextIO

REDRAW_SECONDS: Final = 0.2
WIDTH: Final = 24


class ProgressBar:
    """Redrawn in place a few times a second; `finish` leaves an empty line."""

    def __init__(self, stream: TextIO, what: str) -> None:
        self._stream = stream
        self._what = what
        self._is_shown = stream.isatty()
        self._begin = self._drawn = time.monotonic()

    def show(self, done: int, steps: int, rows: int) -> None:
        """That `done` of `steps` are done and `rows` were stored so far."""
        now = time.monotonic()
        if not self._is_shown or (now - self._drawn < REDRAW_SECONDS and done < steps):
            return
        self._drawn = now
        filled = WIDTH * done // steps if steps else WIDTH
        rate = rows / (now - self._begin) if now > self._begin else 0
        bar = "#" * filled + "." * (WIDTH - filled)
        line = f"\r{self._what} [{bar}] {done}/{steps}  {rows:,} rows  {rate:,.0f}/s "
        self._stream.write(line)
        self._stream.flush()

    def finish(self) -> None:
        if self._is_shown:
            self._stream.write("\n")
            self._stream.flush()
