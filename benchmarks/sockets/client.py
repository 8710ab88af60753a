"""`python -m benchmarks.sockets.client`: opens the sockets, says "ready", counts until told to end.

Reads a SocketsSpec from the first line of its input; the end of its input ends it.
"""

import asyncio
import gc
import re
import resource
import sys
import time

import msgspec
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.quantiles import quantile
from benchmarks.sockets.spec import SocketsResult, SocketsSpec

AGE = re.compile(rb'"(?:bs|bid_size)": ?"?(\d+)')
OPENING_AT_ONCE = 20
SPARE_FILES = 100


class Counts:
    """Shared by all sockets of the process."""

    def __init__(self, is_timed: bool, ready: str) -> None:
        self.is_timed = is_timed
        self._mark = ready.encode()
        self.ready = self.received = 0
        self.first = self.last = 0.0
        self.ages_us: list[int] = []

    def note(self, payload: bytes) -> None:
        match = AGE.search(payload)
        if match is None:
            self.ready += self._mark in payload
            return
        self.received += 1
        self.last = time.monotonic()
        self.first = self.first or self.last
        if self.is_timed:
            self.ages_us.append(int(self.last * 1e6) - int(match[1]))


class Reader(WSListener):
    """One socket."""

    def __init__(self, counts: Counts, hello: list[str]) -> None:
        self._counts = counts
        self._hello = hello

    def on_ws_connected(self, transport: WSTransport) -> None:
        for message in self._hello:
            transport.send(WSMsgType.TEXT, message.encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self._counts.note(frame.get_payload_as_bytes())


async def run(spec: SocketsSpec) -> SocketsResult:
    counts = Counts(spec.is_timed, spec.ready)
    gate = asyncio.Semaphore(OPENING_AT_ONCE)

    async def open_one() -> WSTransport:
        async with gate:
            transport, _ = await ws_connect(
                lambda: Reader(counts, spec.hello), spec.url, websocket_handshake_timeout=60
            )
            return transport

    transports = await asyncio.gather(*(open_one() for _ in range(spec.sockets)))
    while counts.ready < spec.sockets:
        await asyncio.sleep(0.05)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    begin_cpu = time.process_time()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    spent = time.process_time() - begin_cpu
    for transport in transports:
        transport.disconnect()
    ages = sorted(counts.ages_us)
    return SocketsResult(
        received=counts.received,
        seconds=counts.last - counts.first,
        p50=quantile(ages, 0.5) / 1000,
        p99=quantile(ages, 0.99) / 1000,
        cpu_seconds=spent,
    )


def allow_files(count: int) -> None:
    """Raise the limit of open files as far as `count` needs and the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_FILES
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def main() -> None:
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=SocketsSpec)
    allow_files(spec.sockets)
    gc.disable()
    sys.stdout.write(msgspec.json.encode(uvloop.run(run(spec))).decode() + "\n")


if __name__ == "__main__":
    main()
