"""One running portal: brings the services up in order, watches them, takes them down in reverse.

The heart of `./portal up`. A single asyncio process without threads; `runner` keeps each service
alive, this module decides the order and records what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import multiprocess

from tradeportal.supervisor import (
    catalog,
    console,
    control,
    databases,
    logs,
    pages,
    ports,
    setup_steps,
)
from tradeportal.supervisor.config import Configuration
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.identity import boot_id, identify, started_at
from tradeportal.supervisor.postgres import kept_log_mb
from tradeportal.supervisor.runner import FAST_STOP_SECONDS, Runner
from tradeportal.supervisor.spec import Backoff, ServiceSpec
from tradeportal.supervisor.state import InstanceState, ServiceState

HOUSEKEEPING_SECONDS = 2.0
RESTART = "restart"
STOP = "stop"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a portal is made of; tests bring up smaller ones."""

    pages: Callable[[DataDir], None] = pages.ensure_built
    databases: Callable[[DataDir, Configuration], databases.Databases] = databases.prepare
    setup: Callable[[catalog.Plan], Coroutine[None, None, setup_steps.DemoSignIn | None]] = (
        setup_steps.run_all
    )
    services: Callable[[catalog.Plan], list[ServiceSpec]] = catalog.application_specs


class Instance:
    """The portal of one data directory, from start to stop."""

    def __init__(
        self,
        data: DataDir,
        configuration: Configuration,
        parts: Parts,
        announce: Callable[[Instance], None],
        check_restart: Callable[[str], None] = lambda config_file: None,
    ) -> None:
        self.data = data
        self.configuration = configuration
        self._parts = parts
        self.demo: setup_steps.DemoSignIn | None = None
        self.url: str | None = None
        self.port = 0
        self.next_config_file = ""  # what a restart shall read instead; "" means the same again
        self._announce = announce
        self._check_restart = check_restart
        self._run_id = secrets.token_hex(8)
        self._phase = "starting"
        self._is_told = True
        self._runners: dict[str, Runner] = {}
        self._external: list[ServiceState] = []
        self._claim = ports.Claim()
        self._sockets = data.run
        self._stop_requested = asyncio.Event()
        self._stop_signals = 0
        self._then = STOP
        self._guardian: subprocess.Popen[bytes] | None = None
        self._pipe = -1

    async def run(self) -> str:
        """Run until asked to stop; returns STOP or RESTART.

        Raises PortalError when the start failed; everything is down again by then.
        """
        self._sockets = self.data.socket_directory()
        _clear_directory(self.data.metrics)
        self._install_signals()
        self._write_state()
        self._start_guardian()
        server = await control.serve(self._sockets / "control.sock", self._handle)
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            await self._start_or_stop()
        finally:
            self._phase = "stopping"
            await self._stop_all()
            housekeeping.cancel()
            server.close()
            self._leave()
        return self._then

    async def _start_or_stop(self) -> None:
        starting = asyncio.create_task(self._start_all())
        stopping = asyncio.create_task(self._stop_requested.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            return
        starting.result()
        self._phase = "running"
        self._write_state()
        self._announce(self)
        await stopping

    async def _start_all(self) -> None:
        server = self.configuration.server
        self.port, why = ports.choose_web_port(server.host, server.port, self._claim)
        console.say(f"  ok  Taking {why}")
        step = console.Step("Preparing PostgreSQL and Valkey")
        try:
            made = self._parts.databases(self.data, self.configuration)
        except PortalError:
            step.failed()
            raise
        step.done()
        for note in made.notes:
            self._journal("setup", note)
        self._external = made.external
        await self._start_together(made.specs)
        if made.cluster is not None:
            laid_out_mb = kept_log_mb(self.configuration.postgres)
            await made.cluster.prepare_database(laid_out_mb=laid_out_mb)
        plan = catalog.Plan(
            data=self.data,
            configuration=self.configuration,
            port=self.port,
            sockets=self._sockets,
            database_url=made.database_url,
            redis_url=made.redis_url,
        )
        self.url = plan.url
        self.data.state.write_environment(catalog.manage_environment(plan))
        self.demo = await self._parts.setup(plan)
        await self._start_together(self._parts.services(plan))

    async def _start_together(self, specs: list[ServiceSpec]) -> None:
        """Start services side by side, each after those it needs; says when each is ready."""
        restart = self.configuration.restart
        backoff = Backoff(
            restart.first_delay_seconds, restart.max_delay_seconds, restart.stable_after_seconds
        )
        starting: dict[asyncio.Task[None], ServiceSpec] = {}
        for spec in specs:
            self._runners[spec.name] = Runner(spec, backoff, self._changed)
        for spec in specs:
            starting[asyncio.create_task(self._runners[spec.name].start(self._runners))] = spec
        try:
            await self._watch_starts(starting)
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    async def _watch_starts(self, starting: Mapping[asyncio.Task[None], ServiceSpec]) -> None:
        """Report each start as it ends. Raises the error of the first that fails."""
        steps = {task: console.Step(f"Starting {spec.name}") for task, spec in starting.items()}
        waiting = set(starting)
        while waiting:
            ended, waiting = await asyncio.wait(
                waiting, timeout=console.REDRAW_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                spec = starting[task]
                if task.exception() is not None:
                    steps[task].failed()
                    for line in console.tail(spec.log):
                        console.say(f"      {line}")
                task.result()
                steps[task].done(f"port {spec.port}" if spec.port else "")
            for task in list(waiting)[:1]:  # one live line is enough
                steps[task].tick()

    async def _stop_all(self) -> None:
        running = [runner for runner in self._runners.values() if runner.state != "stopped"]
        for runner in reversed(running):
            step = console.Step(f"Stopping {runner.spec.name}")
            limit = FAST_STOP_SECONDS if self._stop_signals > 1 else None
            await console.ticking(step, runner.stop(limit))
            step.done()

    def _install_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_stop_signal)

    def _on_stop_signal(self) -> None:
        self._stop_signals += 1
        self._then = STOP
        self._stop_requested.set()
        if self._stop_signals == 1:
            console.say("  ..  Stopping; once more to hurry")
            return
        for runner in self._runners.values():
            if runner.state == "stopping":
                runner.hurry()

    async def _handle(self, command: str, subject: str) -> str:
        if command == control.RESTART_ALL:
            self._check_restart(subject)
            self.next_config_file = subject
            self._then = RESTART
            self._stop_requested.set()
            return "restarting"
        if command == control.RESTART and subject in self._runners:
            await self._runners[subject].restart()
            return f"{subject} restarted"
        names = ", ".join(self._runners) or "none yet"
        raise PortalError(f"there is no service {subject!r} to {command}; services: {names}")

    def _start_guardian(self) -> None:
        """The guardian sees our death by the end of the pipe whose other end only we hold."""
        read_end, write_end = os.pipe()
        self._pipe = write_end
        with (self.data.logs / "supervisor.log").open("ab") as log:
            self._guardian = subprocess.Popen(
                [sys.executable, "-m", "tradeportal.supervisor.guardian", str(self.data.run)],
                cwd=catalog.PROJECT,
                stdin=read_end,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        os.close(read_end)

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            with contextlib.suppress(OSError):  # a full disk: tried again the next time
                self._rotate_logs()
                if not self._is_told:
                    self._write_state()
                    self._is_told = True

    def _rotate_logs(self) -> None:
        options = self.configuration.logs
        try:
            rotated = logs.rotate(
                self.data.logs, rotate_at_mb=options.rotate_at_mb, keep=options.keep
            )
        except OSError as error:
            self._journal("logs", f"cannot be rotated: {error}")
            return
        for name in rotated:
            self._journal("logs", f"rotated {name}.log")

    def _changed(self, runner: Runner, what: str) -> None:
        """Tell of a change. A disk that takes nothing more ends nobody's care for the service."""
        try:
            self._tell_of(runner, what)
            self._is_told = True
        except OSError:
            self._is_told = False  # what runs is written again as soon as it can be

    def _tell_of(self, runner: Runner, what: str) -> None:
        self._journal(runner.spec.name, what)
        if self._phase == "running" and runner.state == "restarting":
            console.say(f"  !!  {runner.spec.name}: {what}")
        if runner.state in {"restarting", "stopped"}:
            forget_dead_metrics(self.data.metrics)
        self._write_state()

    def _journal(self, who: str, what: str) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with (self.data.logs / "supervisor.log").open("a", encoding="utf-8") as stream:
            stream.write(f"{at} {who}: {what}\n")

    def snapshot(self) -> InstanceState:
        """What runs now."""
        me = identify(os.getpid())
        return InstanceState(
            run_id=self._run_id,
            supervisor_pid=me.pid,
            supervisor_started=me.started,
            boot=boot_id(),
            phase=self._phase,
            url=self.url,
            control_socket=str(self._sockets / "control.sock"),
            short_directory="" if self._sockets == self.data.run else str(self._sockets),
            services=[*self._external, *(item.snapshot() for item in self._runners.values())],
        )

    def _write_state(self) -> None:
        self.data.state.write(self.snapshot())

    def _leave(self) -> None:
        self.data.state.remove()
        for name in ("control.sock", "engine.sock"):
            (self._sockets / name).unlink(missing_ok=True)
        if self._sockets != self.data.run:
            shutil.rmtree(self._sockets, ignore_errors=True)
        if self._guardian is not None:
            os.close(self._pipe)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guardian.wait(FAST_STOP_SECONDS)
        self._claim.release()


def forget_dead_metrics(directory: Path) -> None:
    """Drop the live gauges of processes that have ended, so that `/metrics` stops counting them."""
    for path in directory.glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if pid.isdigit() and not started_at(int(pid)):
            multiprocess.mark_process_dead(int(pid), str(directory))


def _clear_directory(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()
