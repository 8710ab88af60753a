"""Tells the world what a committed batch changed: account events at once, book depth each 100 ms.

Everything goes through Redis pub/sub as the finished frame that sockets receive. Losing Redis loses
no fact: account events are numbered rows, readers that see a gap take a snapshot from the database.
"""

import asyncio
from collections.abc import Mapping

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.domain.clock import Clock, wire_time
from core.domain.units import units_to_wire
from orders.domain.values import Side
from orders.engine.changes import Changes
from orders.engine.state import Instrument

logger = structlog.get_logger(__name__)

DEPTH_INTERVAL_SECONDS = 0.1
DEPTH_LEVELS = 10
MAX_QUEUED_MESSAGES = 50_000
"""Frames that may wait for Redis; beyond it the oldest go, and their readers see the gap."""

MAX_PIPELINE = 500


class Publisher:
    """Queues frames without waiting; one task sends them in pipelines."""

    def __init__(self, redis: Redis, prefix: str, clock: Clock, epoch: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._clock = clock
        self._epoch = epoch
        self._frames: list[tuple[str, str, str | None]] = []
        self._has_frames = asyncio.Event()
        self._books: dict[int, Instrument] = {}
        self._sequences: dict[int, int] = {}

    def publish_events(self, changes: Changes, payloads: list[str]) -> None:
        """Queue the account events of a committed batch, and wake the outbox relay."""
        for (_, event), payload in zip(changes.events, payloads, strict=True):
            topic = f"account:{event.account_id}"
            frame = (
                f'{{"op":"event","topic":"{topic}","epoch":"ledger",'
                f'"seq":{event.account_sequence},"data":{payload}}}'
            )
            self._frames.append((self._prefix + topic, frame, None))
        if changes.events:
            self._frames.append((self._prefix + "outbox", "", None))
        self._bound()
        self._has_frames.set()

    def note_books(self, books: Mapping[int, Instrument]) -> None:
        """Remember whose depth changed; the newest state is published with the next interval."""
        self._books.update(books)

    async def run(self) -> None:
        """Send what is queued, for ever."""
        await asyncio.gather(self._send_frames(), self._publish_depth())

    async def flush(self) -> None:
        """Send what is still queued, once; used when the engine stops."""
        frames, self._frames = self._frames, []
        if frames:
            try:
                await self._send(frames)
            except (RedisError, OSError) as error:
                logger.warning("publish_failed", frames=len(frames), error=str(error))

    def _bound(self) -> None:
        excess = len(self._frames) - MAX_QUEUED_MESSAGES
        if excess > 0:
            del self._frames[:excess]

    async def _publish_depth(self) -> None:
        while True:
            await asyncio.sleep(DEPTH_INTERVAL_SECONDS)
            books, self._books = self._books, {}
            for instrument in books.values():
                self._frames.append(self._depth_frame(instrument))
            if books:
                self._has_frames.set()

    def _depth_frame(self, instrument: Instrument) -> tuple[str, str, str]:
        now_ns = self._clock.now_ns()
        sequence = self._sequences[instrument.id] = self._sequences.get(instrument.id, 0) + 1
        topic = f"book:{instrument.symbol}"
        frame = {
            "op": "event",
            "topic": topic,
            "epoch": self._epoch,
            "seq": sequence,
            "data": {
                "bids": _levels(instrument, Side.BUY, now_ns),
                "asks": _levels(instrument, Side.SELL, now_ns),
                "t": wire_time(now_ns),
            },
        }
        text = msgspec.json.encode(frame).decode()
        return self._prefix + topic, text, f"{self._prefix}latest:{topic}"

    async def _send_frames(self) -> None:
        while True:
            await self._has_frames.wait()
            frames, self._frames = self._frames[:MAX_PIPELINE], self._frames[MAX_PIPELINE:]
            if not self._frames:
                self._has_frames.clear()
            try:
                await self._send(frames)
            except (RedisError, OSError) as error:
                logger.warning("publish_failed", frames=len(frames), error=str(error))
                await asyncio.sleep(0.5)

    async def _send(self, frames: list[tuple[str, str, str | None]]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for channel, frame, latest_key in frames:
            if latest_key is not None:
                pipeline.set(latest_key, frame)
            pipeline.publish(channel, frame)
        await pipeline.execute()


def _levels(instrument: Instrument, side: Side, now_ns: int) -> list[tuple[str, str]]:
    return [
        (units_to_wire(price * instrument.tick_units), units_to_wire(lots * instrument.lot_units))
        for price, lots in instrument.book.depth(side, DEPTH_LEVELS, now_ns)
    ]
