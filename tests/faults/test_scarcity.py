"""A portal that is short of something while programs trade: a disk that is slow to sync, processes
with few descriptors, an engine with no more memory (F37, F38). Nothing acknowledged is lost, and
when there is enough again it goes on (I1-I5, I9, I10, I15).
"""

import resource
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orders.engine.protocol import MAX_FRAME_BYTES
from tests.faults.harms import tree
from tests.faults.programs import (
    judge_programs,
    programs_trading,
    wait_until,
    wait_until_acknowledged,
    wait_until_ready,
)
from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]

SYNC_DELAY_MS = 200
DESCRIPTORS = 64
FLOOD = 100
SPARE_BYTES = 1 << 20
PART_OF_A_FRAME = MAX_FRAME_BYTES.to_bytes(4, "big") + bytes(MAX_FRAME_BYTES - 1)
"""The engine keeps it and waits for the rest."""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace delays the syncs")
def test_a_slow_disk_makes_larger_batches_and_loses_nothing(
    live_portal: LivePortal, tmp_path: Path
) -> None:
    with programs_trading(live_portal) as programs:
        with syncs_delayed(live_portal, tmp_path / "calls") as delayed:
            wait_until_acknowledged(programs)
            wait_until_acknowledged(programs)
        assert delayed() > 10, "no sync was slow: the test has shown nothing"

        wait_until_acknowledged(programs)
        judge_programs(live_portal, programs)


def test_few_descriptors_and_little_memory_lose_nothing(live_portal: LivePortal) -> None:
    with programs_trading(live_portal) as programs:
        for name, connect in (("gateway", to_gateway), ("engine", to_engine)):
            pid = live_portal.service(name)["pid"]
            with limited(pid, resource.RLIMIT_NOFILE, DESCRIPTORS), ExitStack() as flood:
                for _ in range(FLOOD):
                    flood.enter_context(connect(live_portal))
                wait_until(lambda: open_descriptors(pid) >= DESCRIPTORS - 1, "none is left")  # noqa: B023
            wait_until_ready(live_portal)
            wait_until_acknowledged(programs)

        run_the_engine_out_of_memory(live_portal)
        wait_until_ready(live_portal)
        wait_until_acknowledged(programs)

        judge_programs(live_portal, programs)


@contextmanager
def syncs_delayed(portal: LivePortal, calls: Path) -> Iterator[Callable[[], int]]:
    """Every sync of the database server takes so much longer; how many did."""
    pids = tree(portal.service("postgres")["pid"])
    syncs = "fsync,fdatasync"
    command = ["strace", "-f", "-qq", "-o", str(calls), "-e", f"trace={syncs}"]
    command += ["-e", f"inject={syncs}:delay_exit={SYNC_DELAY_MS * 1000}"]
    command += [word for pid in pids for word in ("-p", str(pid))]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        yield lambda: calls.read_text().count("(DELAYED)")
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=30)


@contextmanager
def limited(pid: int, what: int, most: int) -> Iterator[None]:
    """A running process gets no more than this."""
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, what, before)


def run_the_engine_out_of_memory(portal: LivePortal) -> None:
    """Its clients send more than it may keep: it refuses them, or ends and is started again."""
    pid = portal.service("engine")["pid"]
    size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (size + SPARE_BYTES, before[1]))
    with ExitStack() as flood:
        clients = [flood.enter_context(to_engine(portal)) for _ in range(FLOOD)]
        for client in clients:
            with suppress(OSError):
                client.sendall(PART_OF_A_FRAME)
        wait_until(lambda: any(is_cut_off(client) for client in clients), "memory is short")
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_AS, before)


def is_cut_off(client: socket.socket) -> bool:
    """Whether the engine has closed the connection: it answers nothing to a part of a frame."""
    try:
        return client.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def to_gateway(portal: LivePortal) -> socket.socket:
    address = urlsplit(portal.url)
    return socket.create_connection((address.hostname, address.port), timeout=5)


def to_engine(portal: LivePortal) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(5)
    client.connect(portal.environment["PORTAL_ENGINE_SOCKET"])
    return client


def open_descriptors(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
