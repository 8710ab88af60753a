"""`python -m benchmarks.sockets.bare`: the yardstick of the hub: picows and nothing else.

It sends every socket the newest update of one Redis channel, as the hub does, without
authentication, topics, snapshots or care for slow readers.
"""

import asyncio
import sys

import msgspec
import uvloop
from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server
from redis.asyncio import Redis

from benchmarks.sockets.client import allow_files
from benchmarks.sockets.spec import BareSpec

MAX_SOCKETS = 20_000
HOST = "127.0.0.1"
HELLO = b'[{"T":"subscription"}]'


class Sockets(WSListener):
    """One client; all open ones are in `open`."""

    open: set[WSTransport] = set()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.open.add(transport)
        transport.send(WSMsgType.TEXT, HELLO)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.open.discard(transport)


class Newest:
    """The update to send next."""

    def __init__(self) -> None:
        self.payload = b""
        self.changed = asyncio.Event()

    async def listen(self, spec: BareSpec) -> None:
        redis = Redis.from_url(spec.redis_url, socket_timeout=None)
        pubsub = redis.pubsub(ignore_subscribe_messages=True)
        await pubsub.subscribe(spec.channel)
        async for message in pubsub.listen():
            self.payload = message["data"]
            self.changed.set()

    async def send(self) -> None:
        while True:
            await self.changed.wait()
            self.changed.clear()
            for transport in Sockets.open:
                transport.send(WSMsgType.TEXT, self.payload)
            await asyncio.sleep(0)


async def run(spec: BareSpec) -> None:
    newest = Newest()

    def accept(request: WSUpgradeRequest) -> Sockets:
        return Sockets()

    server = await ws_create_server(accept, HOST, spec.port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(newest.listen(spec), newest.send(), server.serve_forever())


if __name__ == "__main__":
    allow_files(MAX_SOCKETS)
    uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=BareSpec)))
