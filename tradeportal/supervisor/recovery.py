"""Ending what a killed supervisor left behind, before anything new is started.

Called by the next `up` and by the guardian. Only processes recorded in the state file are touched,
and only while their start time proves that they are still the same ones.
"""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tradeportal.supervisor.identity import (
    ProcessId,
    boot_id,
    kill_group,
    signal_process,
    started_at,
    wait_gone,
)
from tradeportal.supervisor.state import InstanceState, ServiceState, StateFile

DATABASES = ("postgres", "valkey")
PATIENCE_SECONDS_MAX = 10.0


def end_leftovers(state: InstanceState) -> list[str]:
    """End every recorded process that still runs; returns the names of those that did.

    The services go first and the databases after them, so that none works against a dead one.
    """
    ended = [item.name for item in state.living()]
    apps = [item for item in state.services if item.name not in DATABASES]
    databases = [item for item in state.services if item.name in DATABASES]
    for wave in (apps, databases):
        _end(state, wave)
    return ended


def clean_up(state_file: StateFile) -> list[str]:
    """After a supervisor that died: end its leftovers, remove its files. Returns what was ended."""
    state = state_file.read()
    if state is None or state.is_alive:
        return []
    ended = end_leftovers(state)
    if state.short_directory:
        shutil.rmtree(Path(state.short_directory), ignore_errors=True)
    state_file.remove()
    return ended


def _end(state: InstanceState, services: list[ServiceState]) -> None:
    living = {item.pid for item in state.living()}
    waiting: list[ProcessId] = []
    patience = 0.0
    for item in services:
        if item.process is not None and item.pid in living:
            signal_process(item.process, signal.Signals(item.stop_signal))
            waiting.append(item.process)
            patience = max(patience, min(item.stop_timeout_seconds, PATIENCE_SECONDS_MAX))
    for process in wait_gone(waiting, patience):
        signal_process(process, signal.SIGKILL)
    wait_gone(waiting, PATIENCE_SECONDS_MAX)
    for item in services:
        # Children outlive their leader in its group, whose number is not given away meanwhile.
        if item.pid is not None and state.boot == boot_id() and not started_at(item.pid):
            kill_group(item.pid)
