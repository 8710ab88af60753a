"""`./portal bench [NAME]`: measures a portal of its own, started by the benchmarks themselves."""

from __future__ import annotations

import os
import sys

from tradeportal.supervisor.catalog import PROJECT
from tradeportal.supervisor.errors import PortalError


def run(arguments: list[str]) -> int:
    """Become `python -m benchmarks`. Raises PortalError when the project has none."""
    if not (PROJECT / "benchmarks" / "__main__.py").exists():
        raise PortalError(
            f"{PROJECT / 'benchmarks'} holds no benchmarks: the project is incomplete"
        )
    os.chdir(PROJECT)
    command = [sys.executable, "-m", "benchmarks", *arguments]
    os.execv(sys.executable, command)  # noqa: S606  # the whole purpose of this command
