"""The life of one service: start, wait until ready, restart when it dies, stop gracefully.

One runner and one task per service. The supervisor orders the runners and listens to their changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Final

from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.identity import identify, kill_group
from tradeportal.supervisor.spawn import Child, describe_exit, spawn, wait_exit
from tradeportal.supervisor.spec import Backoff, ServiceSpec
from tradeportal.supervisor.state import ServiceState

READY_POLL_SECONDS = 0.05
READY_POLL_SECONDS_MAX = 0.5
FAST_STOP_SECONDS: Final = 2.0

Listener = Callable[["Runner", str], None]  # called with what happened, in words


class Runner:
    """Keeps one service running until it is told to stop."""

    def __init__(self, spec: ServiceSpec, backoff: Backoff, listener: Listener) -> None:
        self.spec = spec
        self.state = "waiting"
        self.restarts = 0
        self.note = ""
        self.ready = asyncio.Event()
        self._backoff = backoff
        self._listener = listener
        self._needs: list[Runner] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._started = ""
        self._stopping = asyncio.Event()
        self._restarting = False
        self._task: asyncio.Task[None] | None = None
        self._attempts = 0

    def snapshot(self) -> ServiceState:
        """The service as the state file shows it."""
        running = self._process is not None
        return ServiceState(
            name=self.spec.name,
            state=self.state,
            pid=self._process.pid if self._process is not None else None,
            started=self._started if running else "",
            port=self.spec.port,
            restarts=self.restarts,
            stop_signal=int(self.spec.stop_signal),
            stop_timeout_seconds=self.spec.stop_timeout_seconds,
            note=self.note,
        )

    async def start(self, others: Mapping[str, Runner]) -> None:
        """Start the service, after those it needs, and wait until it is ready the first time.

        Raises PortalError when it dies too often or is not ready in its time, which begins when
        those it needs are ready.
        """
        self._needs = [others[name] for name in self.spec.needs if name in others]
        self._stopping.clear()
        self._attempts = 0
        self._task = asyncio.create_task(self._run(), name=f"run {self.spec.name}")
        deadline = time.monotonic() + self.spec.start_timeout_seconds
        try:
            while not self.ready.is_set():
                if not all(other.ready.is_set() for other in self._needs):
                    deadline = time.monotonic() + self.spec.start_timeout_seconds
                if self._task.done():
                    self._task.result()
                    raise PortalError(f"{self.spec.name} was stopped while it started")
                if self._attempts >= self.spec.first_attempts or time.monotonic() > deadline:
                    raise PortalError(
                        f"{self.spec.name} did not become ready: {self.note or 'it is too slow'};"
                        f" see {self.spec.log}"
                    )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.ready.wait(), READY_POLL_SECONDS)
        finally:
            if not self.ready.is_set():
                await self.stop(FAST_STOP_SECONDS)

    async def stop(self, timeout_seconds: float | None = None) -> None:
        """Stop the service: its stop signal, its time to finish, then SIGKILL for what is left."""
        self._stopping.set()
        if self._task is None:
            return
        limit = self.spec.stop_timeout_seconds if timeout_seconds is None else timeout_seconds
        if self._process is not None:
            self._change("stopping", "stopping")
            self._signal(self.spec.stop_signal)
        done, _ = await asyncio.wait({self._task}, timeout=limit)
        if not done:
            self._listener(self, f"did not stop within {limit:g} s and is killed")
            self.kill()
            await asyncio.wait({self._task})
        self._task.result()
        self._task = None

    def hurry(self) -> None:
        """Give a service that is being stopped only a moment longer."""
        asyncio.get_running_loop().call_later(FAST_STOP_SECONDS, self.kill)

    def kill(self) -> None:
        """End the process and its group at once."""
        if self._process is not None:
            kill_group(self._process.pid)

    async def restart(self) -> None:
        """Stop the process gracefully and start it again; returns when it is ready.

        Raises PortalError when it is not ready in its time (the runner goes on trying).
        """
        if self._task is None:
            raise PortalError(f"{self.spec.name} is not running")
        process = self._process
        if process is not None:
            self._restarting = True
            self.ready.clear()
            self._change("stopping", "restarting on request")
            self._signal(self.spec.stop_signal)
            deadline = time.monotonic() + self.spec.stop_timeout_seconds
            while self._process is process and time.monotonic() < deadline:
                await asyncio.sleep(READY_POLL_SECONDS)
            if self._process is process:
                self.kill()
        try:
            await asyncio.wait_for(self.ready.wait(), self.spec.start_timeout_seconds)
        except TimeoutError:
            raise PortalError(
                f"{self.spec.name} is not ready again: {self.note}; see {self.spec.log}"
            ) from None

    async def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            await self._wait_for_needs()
            if self._stopping.is_set():
                break
            started = time.monotonic()
            reason = await self._live_once()
            self._attempts += 1
            if self._stopping.is_set():
                break
            if self._restarting:
                self._restarting = False
                failures = 0
                continue
            failures = self._backoff.failures_after(failures, time.monotonic() - started)
            delay = self._backoff.delay_seconds(failures)
            self.restarts += 1
            self.note = reason
            self._change("restarting", f"{reason}; starting again in {delay:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
        self._change("stopped", "stopped")

    async def _wait_for_needs(self) -> None:
        for other in self._needs:
            while not other.ready.is_set() and not self._stopping.is_set():
                await asyncio.sleep(READY_POLL_SECONDS)

    async def _live_once(self) -> str:
        """One process from start to end; returns why it ended."""
        probe = self.spec.new_probe()
        try:
            process = spawn(self._child())
        except OSError as error:
            return f"cannot be started: {error.strerror} ({error.filename or self.spec.command[0]})"
        self._process = process
        self._started = identify(process.pid).started
        self._change("starting", f"started as process {process.pid}")
        exited = asyncio.create_task(wait_exit(process))
        deadline = time.monotonic() + self.spec.start_timeout_seconds
        pause, slow = READY_POLL_SECONDS, False
        try:
            while not exited.done() and not self.ready.is_set() and not slow:
                if await probe():
                    self._become_ready(exited)
                    break
                await asyncio.wait({exited}, timeout=pause)
                pause = min(pause * 1.5, READY_POLL_SECONDS_MAX)
                slow = time.monotonic() > deadline and not self._stopping.is_set()
            if slow:
                self.kill()
            code = await exited
        finally:
            self.ready.clear()
            kill_group(process.pid)  # children that outlived their parent
            self._process = None
            self._started = ""
        return "was not ready in its time" if slow else describe_exit(code)

    def _child(self) -> Child:
        spec = self.spec
        return Child(
            spec.command,
            spec.environment,
            spec.directory,
            spec.log,
            spec.account,
            spec.stop_signal,
            spec.niceness,
        )

    def _become_ready(self, exited: asyncio.Task[int]) -> None:
        if exited.done() or self._stopping.is_set():
            return
        self.note = ""
        self.ready.set()
        self._change("running", "ready")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _change(self, state: str, what: str) -> None:
        self.state = state
        self._listener(self, what)
