"""Stand-ins for the far side of the hub: sockets that read as fast, or as slowly, as a test
says.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from marketdata.domain.frames import event_frame
from marketdata.hub import Hub, Listener, TextForm

PREFIX = "hubtest:"
HEARTBEAT = b'"op":"heartbeat"'


class FakeSocket:
    """An ASGI send that records what it took. While it is not `reading`, a send waits, as with a
    client that reads nothing. Heartbeats, which come whenever their second is over, are apart.
    """

    def __init__(self, *, takes_frames: bool = False) -> None:
        self.frames: list[str] = []
        self.finished: list[bytes] = []
        """What it took as finished frames, if it takes them."""
        self.beats: list[str] = []
        self.stuck_count = 0
        self._reading = asyncio.Event()
        self._reading.set()
        write_frame = self.write_frame if takes_frames else None
        self.listener = Listener(self.send, TextForm(), self._on_stuck, write_frame)

    def write_frame(self, frame: bytes) -> bool:
        if self._reading.is_set() and HEARTBEAT not in frame:
            self.finished.append(frame)
        return self._reading.is_set()

    async def send(self, event: dict[str, Any]) -> None:
        await self._reading.wait()
        text = event["text"]
        (self.beats if HEARTBEAT in text.encode() else self.frames).append(text)

    def stop_reading(self) -> None:
        self._reading.clear()

    def read_on(self) -> None:
        self._reading.set()

    def of(self, topic: str) -> list[dict[str, Any]]:
        """The frames of one topic, decoded."""
        frames = [msgspec.json.decode(frame) for frame in self.frames]
        return [frame for frame in frames if frame.get("topic") == topic]

    def told(self, topic: str) -> list[tuple[str, int]]:
        """What the topic's frames were: (op, seq)."""
        return [(frame["op"], frame["seq"]) for frame in self.of(topic)]

    def _on_stuck(self) -> None:
        self.stuck_count += 1


class Publisher:
    """Publishes numbered events as the feed does."""

    def __init__(self, url: str, epoch: str = "e1") -> None:
        self.redis: Redis = Redis.from_url(url, retry=Retry(NoBackoff(), 3))
        self.epoch = epoch

    async def state(self, topic: str, seq: int, data: object) -> bytes:
        frame = event_frame(topic, epoch=self.epoch, seq=seq, data=data)
        await self.redis.set(f"{PREFIX}latest:{topic}", frame)
        await self.redis.publish(PREFIX + topic, frame)
        return frame

    async def trade(self, topic: str, seq: int, *, is_lost: bool = False) -> None:
        frame = event_frame(topic, epoch=self.epoch, seq=seq, data={"id": seq})
        await self.redis.lpush(f"{PREFIX}recent:{topic}", frame)
        await self.redis.ltrim(f"{PREFIX}recent:{topic}", 0, 49)
        if not is_lost:
            await self.redis.publish(PREFIX + topic, frame)


async def until(is_true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the condition holds; fails the test when it never does."""
    async with asyncio.timeout(seconds):
        while not is_true():
            await asyncio.sleep(0.005)


def with_hub(url: str, scenario: Callable[[Hub, Publisher], Awaitable[None]]) -> None:
    """Run a scenario with a started hub and a publisher, and close both."""

    async def run() -> None:
        hub = Hub(url, PREFIX, {})
        hub.start()
        publisher = Publisher(url)
        try:
            await scenario(hub, publisher)
        finally:
            await hub.close()
            await publisher.redis.aclose()

    asyncio.run(run())


def attached(hub: Hub) -> FakeSocket:
    socket = FakeSocket()
    hub.attach(socket.listener)
    return socket
