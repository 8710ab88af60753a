"""A portal that is harmed all the time while programs trade (F43): only by option, with
PORTAL_SOAK_MINUTES=20. A fault every twenty seconds, drawn from PORTAL_FIRST_SEED. Judged at the
end and, as far as a running portal can be, after each; what was acknowledged is read back at once
(I16), and the audit trail only grows, by what was done (I12).
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from tests.faults.harms import (
    VICTIMS,
    end_the_engines_session,
    freeze_engine,
    freeze_postgres,
    frozen,
    kill_amid_requests,
    restart_postgres,
)
from tests.faults.programs import (
    Program,
    judge_programs,
    trading_as,
    wait_until_acknowledged,
    wait_until_ready,
)
from tests.faults.watchful import AuditWitness, WatchfulProgram
from tests.live_portal import LivePortal

MINUTES = float(os.environ.get("PORTAL_SOAK_MINUTES", "0"))
SEED = int(os.environ.get("PORTAL_FIRST_SEED", "1"))
SECONDS_BETWEEN = 20

pytestmark = [
    pytest.mark.processes,
    pytest.mark.xdist_group("portal"),
    pytest.mark.skipif(not MINUTES, reason="PORTAL_SOAK_MINUTES asks for it"),
]

Fault = Callable[[LivePortal, list[Program]], None]


def test_nothing_is_lost_in_a_long_time_of_faults(
    live_portal: LivePortal,
    record_property: Any,  # Any: pytest's function
) -> None:
    draw, met = random.Random(SEED), Counter[str]()
    faults = {**{f"kill {name}": killing(name) for name in VICTIMS}, **OTHERS}
    ends = time.monotonic() + MINUTES * 60

    with trading_as(WatchfulProgram, live_portal) as programs:
        audit = AuditWitness(live_portal)
        while time.monotonic() < ends:
            name = draw.choice(sorted(faults))
            next_at = time.monotonic() + SECONDS_BETWEEN
            faults[name](live_portal, [*programs])
            met[name] += 1
            wait_until_ready(live_portal)
            wait_until_acknowledged(programs)
            assert "clean" in live_portal.manage("verify_ledger"), name
            audit.look()
            time.sleep(max(0.0, next_at - time.monotonic()))

        read, acts = watched(programs)
        record_property("faults", dict(met))
        record_property("read back", dict(read))
        record_property("audited acts", acts)
        judge_programs(live_portal, programs)
        audit.judge(programs)
        assert set(read) == {"order", "list", "account", "cancel"}
        assert acts > 0


def watched(programs: list[WatchfulProgram]) -> tuple[Counter[str], int]:
    """How often what was read back, and how many audited acts were acknowledged."""
    read = sum((program.read for program in programs), Counter[str]())
    return read, sum(len(program.done_acts) for program in programs)


def killing(name: str) -> Fault:
    return lambda portal, programs: kill_amid_requests(portal, name, programs)


def freeze_redis(portal: LivePortal, programs: list[Program]) -> None:
    with frozen(portal.service("valkey")["pid"]):
        wait_until_acknowledged(programs)


def empty_redis(portal: LivePortal, programs: list[Program]) -> None:
    with Redis.from_url(portal.redis_url) as redis:
        redis.flushall()


def end_the_engine(portal: LivePortal, programs: list[Program]) -> None:
    """In good order, as a restart does it."""
    pid = portal.service("engine")["pid"]
    os.kill(pid, signal.SIGTERM)
    portal.wait_until_restarted("engine", pid)


OTHERS: dict[str, Fault] = {
    "freeze the database": freeze_postgres,
    "freeze the engine": freeze_engine,
    "restart the database": restart_postgres,
    "end the engine's session": end_the_engines_session,
    "freeze redis": freeze_redis,
    "empty redis": empty_redis,
    "end the engine": end_the_engine,
}
