"""What runs, written to `<data-dir>/run/state.json` after every change.

The supervisor writes it; `status`, `down`, `manage`, the guardian and the next `up` read it. It is
replaced atomically, and a file left by a killed supervisor is recognised by pid and start time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tradeportal.supervisor.identity import ProcessId, boot_id


class ServiceState(msgspec.Struct, frozen=True):
    """One service as others see it."""

    name: str
    state: str  # waiting, starting, running, restarting, stopping, stopped, external
    pid: int | None = None
    started: str = ""
    port: int | None = None
    restarts: int = 0
    stop_signal: int = 15
    stop_timeout_seconds: float = 10.0
    note: str = ""

    @property
    def process(self) -> ProcessId | None:
        return ProcessId(self.pid, self.started) if self.pid is not None else None


class InstanceState(msgspec.Struct, frozen=True):
    """One running portal."""

    run_id: str  # a new one for each start, also when the supervisor restarts itself in place
    supervisor_pid: int
    supervisor_started: str
    boot: str
    phase: str  # starting, running, stopping
    url: str | None
    control_socket: str
    short_directory: str  # a directory of this run outside the data dir, "" when none was needed
    services: list[ServiceState]

    @property
    def supervisor(self) -> ProcessId:
        return ProcessId(self.supervisor_pid, self.supervisor_started)

    @property
    def is_alive(self) -> bool:
        """Whether the supervisor that wrote this still runs."""
        return self.boot == boot_id() and self.supervisor.is_alive

    def living(self) -> list[ServiceState]:
        """The services whose recorded process still runs."""
        if self.boot != boot_id():
            return []
        return [item for item in self.services if item.process and item.process.is_alive]


@dataclass(frozen=True, slots=True)
class StateFile:
    """The state and environment files of one data directory."""

    directory: Path
    path: Path = field(init=False)
    environment_path: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.directory / "state.json")
        object.__setattr__(self, "environment_path", self.directory / "environment.json")

    def write(self, state: InstanceState) -> None:
        """Replace the file in one step."""
        _replace(self.path, msgspec.json.format(msgspec.json.encode(state)))

    def read(self) -> InstanceState | None:
        """The recorded state; None when there is none or the file is damaged."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=InstanceState)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def read_running(self) -> InstanceState | None:
        """The state of a supervisor that is alive."""
        state = self.read()
        return state if state is not None and state.is_alive else None

    def write_environment(self, environment: Mapping[str, str]) -> None:
        """Keep the settings of this run for `./portal manage` (readable by the owner only)."""
        _replace(self.environment_path, json.dumps(dict(environment), indent=1).encode())

    def read_environment(self) -> dict[str, str]:
        """The settings of the running portal."""
        document: dict[str, str] = json.loads(self.environment_path.read_text(encoding="utf-8"))
        return document

    def remove(self) -> None:
        """Forget the run: everything has stopped."""
        self.path.unlink(missing_ok=True)
        self.environment_path.unlink(missing_ok=True)


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    temporary.replace(path)
