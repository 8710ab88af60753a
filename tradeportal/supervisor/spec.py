"""What a service is: the command, how to see that it is ready, and how it is stopped.

Pure data. `catalog`, `postgres` and `valkey` make specs; `runner` brings them to life.
"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradeportal.supervisor.privileges import Account

Probe = Callable[[], Awaitable[bool]]

OURSELVES = Account("self", None, None)


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    new_probe: Callable[[], Probe]  # called at each start
    start_timeout_seconds: float
    stop_timeout_seconds: float
    stop_signal: signal.Signals = signal.SIGTERM
    port: int | None = None
    account: Account = OURSELVES
    needs: tuple[str, ...] = field(default=())  # services that must run before it is started
    niceness: int = 0  # 0: as we are; higher: gives way to the others when cores are short
    first_attempts: int = 3  # how often it may die during `up` before that fails


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pause before a service is started again: doubling, capped, forgotten after a stable time."""

    first_delay_seconds: float
    max_delay_seconds: float
    stable_after_seconds: float

    def delay_seconds(self, failures: int) -> float:
        """The pause after this many failures in a row (1 is the first)."""
        doubled = self.first_delay_seconds * 2.0 ** min(failures - 1, 32)
        return min(doubled, self.max_delay_seconds)

    def failures_after(self, failures: int, lived_seconds: float) -> int:
        """The count of failures in a row, now that a process has ended after living so long."""
        return 1 if lived_seconds >= self.stable_after_seconds else failures + 1
