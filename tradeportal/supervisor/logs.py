"""Log files of the services: bounded by rotation, shown by `./portal logs`.

Services write straight into their file (append mode), so that a busy supervisor never holds up an
engine that logs. A file that has grown too large is copied aside and cut to nothing.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from tradeportal.supervisor import console
from tradeportal.supervisor.errors import PortalError

FOLLOW_SECONDS = 0.3
LINES_SHOWN = 50
BYTES_PER_MB = 1024 * 1024


def rotate(directory: Path, *, rotate_at_mb: int, keep: int) -> list[str]:
    """Rotate every log that has grown past the limit; returns their names.

    Lines written in the moment between copy and cut (microseconds) can be lost.
    """
    rotated = []
    for log in sorted(directory.glob("*.log")):
        if log.stat().st_size > rotate_at_mb * BYTES_PER_MB:
            for number in range(keep - 1, 0, -1):
                older = log.with_name(f"{log.name}.{number}")
                if older.exists():
                    older.replace(log.with_name(f"{log.name}.{number + 1}"))
            shutil.copy2(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)
            rotated.append(log.stem)
    return rotated


def show(directory: Path, service: str | None, *, follow: bool, lines: int = LINES_SHOWN) -> None:
    """Print the end of one log, or of all, and with `follow` what is added from now on."""
    names = [service] if service else sorted(log.stem for log in directory.glob("*.log"))
    paths = {name: directory / f"{name}.log" for name in names}
    if service and not paths[service].exists():
        known = ", ".join(sorted(log.stem for log in directory.glob("*.log"))) or "none yet"
        raise PortalError(f"there is no log of {service}; logs: {known}")
    width = max((len(name) for name in names), default=0)
    offsets = {}
    for name, path in paths.items():
        offsets[name] = path.stat().st_size
        for line in console.tail(path, lines):
            console.say(_labelled(name, line, width, service))
    while follow:
        time.sleep(FOLLOW_SECONDS)
        for name, path in paths.items():
            text, offsets[name] = _added(path, offsets[name])
            for line in text.splitlines():
                console.say(_labelled(name, line, width, service))


def _labelled(name: str, line: str, width: int, service: str | None) -> str:
    return line if service else f"{name.ljust(width)} | {line}"


def _added(path: Path, offset: int) -> tuple[str, int]:
    """Whole lines written after `offset`, and where to go on; a cut file is read from its start."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            stream.seek(offset if size >= offset else 0)
            chunk = stream.read()
    except OSError:
        return "", 0
    start = offset if size >= offset else 0
    end = chunk.rfind(b"\n") + 1
    return chunk[:end].decode("utf-8", "replace"), start + end
