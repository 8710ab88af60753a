"""Ends the services when the supervisor is killed: the last defence against orphans.

A small process that does nothing but wait for the end of a pipe that only the supervisor holds. The
kernel's parent-death signal is faster, but exists on Linux only and reaches no grandchildren.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tradeportal.supervisor.identity import wait_gone
from tradeportal.supervisor.recovery import end_leftovers
from tradeportal.supervisor.state import StateFile

DYING_SECONDS_MAX = 30.0
"""The kernel closes the pipes of a dying process before it is gone: seen too early, it seems
alive.
"""


def main() -> int:
    """Wait for the end of standard input, then end what the state file in argv[1] records."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(sys.stdin.fileno(), 64):
        pass
    state = StateFile(Path(sys.argv[1])).read()
    if state is not None and not wait_gone([state.supervisor], DYING_SECONDS_MAX):
        end_leftovers(state)
    return 0


if __name__ == "__main__":
    sys.exit(main())
