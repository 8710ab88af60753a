"""`python -m benchmarks.sockets.storm`: sockets that come back by themselves, as pages do.

Reads a StormSpec, says "ready" when all are in sync; then for each line (`cut`: closes them all;
`wait`: somebody else does) the seconds until all are in sync again.
"""

import asyncio
import sys
import time
from random import SystemRandom

import msgspec
import uvloop
from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from benchmarks.sockets.client import allow_files
from benchmarks.sockets.spec import StormSpec

FIRST_PAUSE_SECONDS = 0.4
LONGEST_PAUSE_SECONDS = 15.0
SNAPSHOT = b'"op":"snapshot"'
_random = SystemRandom()
AUTHENTICATED = b'"op":"authenticated"'


class Storm:
    """All sockets, and when each of them is in sync."""

    def __init__(self, spec: StormSpec) -> None:
        self.spec = spec
        self.in_sync: set[int] = set()
        self.open: dict[int, WSTransport] = {}
        self.all_in_sync = asyncio.Event()
        self.lost = 0
        self.subscribe = msgspec.json.encode({"op": "subscribe", "topics": spec.topics})

    def synced(self, number: int) -> None:
        self.in_sync.add(number)
        if len(self.in_sync) == self.spec.sockets:
            self.all_in_sync.set()

    def gone(self, number: int) -> None:
        self.lost += 1
        self.in_sync.discard(number)
        self.open.pop(number, None)
        self.all_in_sync.clear()

    async def keep(self, number: int) -> None:
        """Keep one socket connected, for ever."""
        attempts = 0
        while True:
            try:
                transport, _ = await ws_connect(
                    lambda: Reader(self, number), self.spec.url, websocket_handshake_timeout=60
                )
                self.open[number] = transport
                attempts = 0
                await transport.wait_disconnected()
            except (OSError, WSError, TimeoutError):
                pass
            ceiling = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempts)
            attempts += 1
            await asyncio.sleep(ceiling / 2 + _random.random() * ceiling / 2)


class Reader(WSListener):
    """One connection."""

    def __init__(self, storm: Storm, number: int) -> None:
        self._storm = storm
        self._number = number
        self._snapshots = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, self._storm.spec.auth.encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        if AUTHENTICATED in payload:
            transport.send(WSMsgType.TEXT, self._storm.subscribe)
        elif SNAPSHOT in payload:
            self._snapshots += 1
            if self._snapshots == len(self._storm.spec.topics):
                self._storm.synced(self._number)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._storm.gone(self._number)


async def run(spec: StormSpec) -> None:
    storm = Storm(spec)
    keepers = [asyncio.create_task(storm.keep(number)) for number in range(spec.sockets)]
    await storm.all_in_sync.wait()
    storm.lost = 0
    _say("ready")
    loop = asyncio.get_running_loop()
    while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        begin = time.monotonic()
        if word == "cut":
            for transport in list(storm.open.values()):
                transport.disconnect()
        while storm.lost < spec.sockets:  # they may have been before we were told
            await asyncio.sleep(0.005)
        await storm.all_in_sync.wait()
        storm.lost = 0
        _say(f"{time.monotonic() - begin:.3f}")
    for keeper in keepers:
        keeper.cancel()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    spec = msgspec.json.decode(sys.stdin.buffer.readline(), type=StormSpec)
    allow_files(spec.sockets)
    uvloop.run(run(spec))


if __name__ == "__main__":
    main()
