"""One service: readiness, restart with growing pauses, graceful and forced stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

import pytest

from tests.supervisor.small_portal import journal, service_spec
from tradeportal.supervisor.datadir import DataDir
from tradeportal.supervisor.errors import PortalError
from tradeportal.supervisor.identity import started_at
from tradeportal.supervisor.runner import Runner
from tradeportal.supervisor.spec import Backoff, ServiceSpec

QUICK = Backoff(0.02, 0.1, 60.0)


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    made = DataDir(tmp_path / "data")
    made.prepare()
    return made


def run(work: Coroutine[None, None, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(limited())


def runner_of(spec: ServiceSpec, events: list[str] | None = None) -> Runner:
    heard = events if events is not None else []
    return Runner(spec, QUICK, lambda runner, what: heard.append(f"{runner.state}: {what}"))


async def until(condition: str, runner: Runner, other_than: int | None = None) -> int:
    while runner.state != condition or runner.snapshot().pid == other_than:
        await asyncio.sleep(0.02)
    pid = runner.snapshot().pid
    return pid if pid is not None else 0


def test_pauses_double_up_to_the_limit_and_start_over_after_a_stable_time() -> None:
    backoff = Backoff(first_delay_seconds=0.5, max_delay_seconds=4, stable_after_seconds=60)

    assert [backoff.delay_seconds(count) for count in range(1, 7)] == [0.5, 1, 2, 4, 4, 4]
    assert backoff.delay_seconds(10_000) == 4
    assert backoff.failures_after(3, lived_seconds=1) == 4
    assert backoff.failures_after(3, lived_seconds=61) == 1


def test_a_service_counts_as_started_when_it_is_ready(data: DataDir) -> None:
    async def scenario() -> None:
        runner = runner_of(service_spec("alpha", data))

        await runner.start({})

        assert runner.state == "running"
        assert journal(data) == [f"alpha start {runner.snapshot().pid}"]
        await runner.stop()
        assert runner.state == "stopped"
        assert journal(data)[1:] == ["alpha stop"]
        assert runner.snapshot().pid is None

    run(scenario())


def test_a_background_service_gives_way_to_the_sessions_of_others(data: DataDir) -> None:
    async def scenario() -> None:
        runner = runner_of(replace(service_spec("alpha", data), niceness=7))

        await runner.start({})

        pid = runner.snapshot().pid
        assert pid is not None
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 7
        group = Path(f"/proc/{pid}/autogroup")
        if group.exists():  # the kernel groups sessions
            assert group.read_text().endswith(" nice 7\n")
        await runner.stop()

    run(scenario())


def test_a_dead_service_is_started_again(data: DataDir) -> None:
    async def scenario() -> None:
        runner = runner_of(service_spec("alpha", data))
        await runner.start({})
        first = await until("running", runner)

        os.kill(first, signal.SIGKILL)
        second = await until("running", runner, other_than=first)

        assert second != first
        assert runner.restarts == 1
        assert runner.note == ""
        await runner.stop()

    run(scenario())


def test_what_a_dead_service_leaves_in_its_group_is_ended(data: DataDir) -> None:
    async def scenario() -> None:
        runner = runner_of(service_spec("parent", data))
        await runner.start({})
        first = await until("running", runner)
        child = int(journal(data)[0].split()[-1])

        os.kill(first, signal.SIGKILL)
        await until("running", runner, other_than=first)

        assert started_at(child) == ""
        await runner.stop()

    run(scenario())


def test_a_service_that_ignores_its_stop_signal_is_killed(data: DataDir) -> None:
    async def scenario() -> None:
        events: list[str] = []
        spec = service_spec("stubborn", data, stop_timeout_seconds=0.3)
        runner = runner_of(spec, events)
        await runner.start({})
        pid = await until("running", runner)

        await runner.stop()

        assert started_at(pid) == ""
        assert "stopping: did not stop within 0.3 s and is killed" in events

    run(scenario())


def test_a_service_that_dies_at_once_fails_the_start_and_says_why(data: DataDir) -> None:
    async def scenario() -> None:
        spec = service_spec("alpha", data)
        broken = replace(spec, command=(sys.executable, "-c", "raise SystemExit(7)"))
        runner = runner_of(broken)

        with pytest.raises(PortalError, match=r"alpha did not become ready: exit code 7; see .*"):
            await runner.start({})

        assert runner.state == "stopped"

    run(scenario())


def test_a_program_that_does_not_exist_fails_the_start_and_says_why(data: DataDir) -> None:
    async def scenario() -> None:
        runner = runner_of(replace(service_spec("alpha", data), command=("/no/such/program",)))

        with pytest.raises(PortalError, match=r"cannot be started: No such file or directory"):
            await runner.start({})

    run(scenario())


def test_a_service_that_is_never_ready_fails_the_start_in_its_time(data: DataDir) -> None:
    async def scenario() -> None:
        async def never() -> bool:
            return False

        spec = service_spec("alpha", data)
        runner = runner_of(replace(spec, new_probe=lambda: never, start_timeout_seconds=0.4))

        with pytest.raises(PortalError, match=r"alpha did not become ready"):
            await runner.start({})

        assert runner.state == "stopped"

    run(scenario())


def test_a_service_waits_for_those_it_needs(data: DataDir) -> None:
    async def scenario() -> None:
        first = runner_of(service_spec("alpha", data))
        second = runner_of(replace(service_spec("beta", data), needs=("alpha",)))
        both = {"alpha": first, "beta": second}
        starting = asyncio.create_task(second.start(both))

        await asyncio.sleep(0.3)
        assert journal(data) == []

        await first.start(both)
        await starting
        assert [line.split()[0] for line in journal(data)] == ["alpha", "beta"]
        await second.stop()
        await first.stop()

    run(scenario())


def test_a_requested_restart_is_graceful_and_counts_as_no_failure(data: DataDir) -> None:
    async def scenario() -> None:
        runner = runner_of(service_spec("alpha", data))
        await runner.start({})
        first = await until("running", runner)

        await runner.restart()

        assert runner.state == "running"
        assert runner.snapshot().pid != first
        assert runner.restarts == 0
        assert "alpha stop" in journal(data)
        await runner.stop()

    run(scenario())
