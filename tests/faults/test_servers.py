"""The servers below a portal freeze, restart, forget or run out of disk while programs trade.

Nothing acknowledged is lost and nothing is told twice; what a fault leaves without an answer can
be found out (I1-I5, I9, I10, I14, I15; F04, F05, F07, F09, F14, F15).
"""

import errno
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests.faults.programs import (
    PROGRAMS,
    Program,
    in_flight,
    judge_programs,
    programs_trading,
    wait_until,
    wait_until_acknowledged,
    wait_until_placing,
    wait_until_ready,
)
from tests.live_portal import Browser, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]

FROZEN_SECONDS = 6
"""Longer than anybody waits for an answer: requests that meet it end with an unknown outcome."""
DISK_MEGABYTES = 600
BALLAST_CHUNK = bytes(1 << 20)


def test_frozen_and_restarted_servers_lose_nothing(live_portal: LivePortal) -> None:
    with programs_trading(live_portal) as programs:
        for freeze_and_thaw in (freeze_postgres, freeze_engine):
            before = in_flight(programs)
            freeze_and_thaw(live_portal, programs)
            wait_until_ready(live_portal)
            wait_until_acknowledged(programs)
            assert in_flight(programs) > before, "the freeze has met no order on its way"
        for harm in (restart_postgres, end_the_engines_session):
            harm(live_portal, programs)
            wait_until_ready(live_portal)
            wait_until_acknowledged(programs)

        judge_programs(live_portal, programs)


def test_orders_need_no_redis_and_people_stay_signed_in_when_it_forgets(
    live_portal: LivePortal,
) -> None:
    alice = live_portal.create_trader("alice-forgotten")
    browser = Browser(live_portal.url)
    browser.sign_in(alice)

    with programs_trading(live_portal) as programs:
        failures = failed(programs)
        with frozen(live_portal.service("valkey")["pid"]):
            wait_until_acknowledged(programs)
            time.sleep(FROZEN_SECONDS)
            wait_until_acknowledged(programs)
        with Redis.from_url(live_portal.redis_url) as redis:
            redis.flushall()
        wait_until_acknowledged(programs)

        assert failed(programs) == failures
        assert browser.http.get("/terminal").status_code == 200
        judge_programs(live_portal, programs)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_full_disk_stops_acknowledgements_and_nothing_else(small_disk: Path) -> None:
    portal = LivePortal(small_disk / "data")
    portal.start("--port", "0")
    try:
        with programs_trading(portal) as programs:
            ballast = small_disk / "ballast"
            fill_up(ballast)
            before = failed(programs)
            wait_until(lambda: failed(programs) >= before + PROGRAMS, "the full disk is felt")
            ballast.unlink()
            wait_until_ready(portal)
            wait_until_acknowledged(programs)

            judge_programs(portal, programs)
    finally:
        portal.stop()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="portal-disk-"))
    options = f"size={DISK_MEGABYTES}m,mode=0711"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


def fill_up(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(BALLAST_CHUNK):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC


def failed(programs: list[Program]) -> int:
    """Requests that were answered with a failure of the portal, or not at all."""
    return sum(
        number
        for program in programs
        for answer, number in program.answers.items()
        if not answer.split()[1].startswith(("2", "4"))
    )


# --- faults


def freeze_postgres(portal: LivePortal, programs: list[Program]) -> None:
    """All its processes, so that nothing commits; they are one process group of their own."""
    wait_until_placing(programs)
    with frozen(*tree(portal.service("postgres")["pid"])):
        time.sleep(FROZEN_SECONDS)


def freeze_engine(portal: LivePortal, programs: list[Program]) -> None:
    wait_until_placing(programs)
    with frozen(portal.service("engine")["pid"]):
        time.sleep(FROZEN_SECONDS)


def restart_postgres(portal: LivePortal, programs: list[Program]) -> None:
    """Its "fast" shutdown: sessions are ended, what they had not committed is undone."""
    pid = portal.service("postgres")["pid"]
    wait_until_placing(programs)
    os.kill(pid, signal.SIGINT)
    portal.wait_until_restarted("postgres", pid)


def end_the_engines_session(portal: LivePortal, programs: list[Program]) -> None:
    pid = portal.service("engine")["pid"]
    wait_until_placing(programs)
    with psycopg.connect(portal.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'portal-engine'"
        )
    portal.wait_until_restarted("engine", pid)


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    try:
        tell(pids, signal.SIGSTOP)
        yield
    finally:
        tell(pids, signal.SIGCONT)


def tell(pids: Sequence[int], number: signal.Signals) -> None:
    """Send all of them a signal; those that have ended by themselves need none."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def tree(pid: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]
