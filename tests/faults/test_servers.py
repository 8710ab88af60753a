"""The servers below a portal freeze, restart, forget or run out of disk while programs trade.

Nothing acknowledged is lost and nothing is told twice; what a fault leaves without an answer can
be found out (I1-I5, I9, I10, I14, I15; F04, F05, F07, F09, F14, F15).
"""

import errno
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.faults.harms import (
    FROZEN_SECONDS,
    end_the_engines_session,
    freeze_engine,
    freeze_postgres,
    frozen,
    restart_postgres,
)
from tests.faults.programs import (
    PROGRAMS,
    Program,
    in_flight,
    judge_programs,
    programs_trading,
    wait_until,
    wait_until_acknowledged,
    wait_until_ready,
)
from tests.live_portal import Browser, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]

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
