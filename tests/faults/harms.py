"""What can be done to a running portal: its processes killed, frozen, ended in good order."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from tests.faults.programs import Program, wait_until_placing
from tests.live_portal import LivePortal

VICTIMS = ("engine", "gateway", "worker", "valkey", "postgres", "feed", "beat")

FROZEN_SECONDS = 6
"""Longer than anybody waits for an answer: requests that meet it end with an unknown outcome."""


def kill_amid_requests(portal: LivePortal, name: str, programs: list[Program]) -> None:
    """kill -9 of a service while orders of several programs are on their way."""
    pid = portal.service(name)["pid"]
    wait_until_placing(programs)
    os.kill(pid, signal.SIGKILL)
    portal.wait_until_restarted(name, pid)


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
