"""Tells the world what a committed batch changed: account events at once, book depth each 100 ms,
marks of trailing stops each half second.

Everything goes through Redis pub/sub as the finished frame that sockets receive. Losing Redis loses
no fact: account events are numbered rows, readers that see a gap take a snapshot from the database.
"""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.domain.clock import Clock, wire_time
from core.domain.units import units_to_wire
from marketdata.domain.ladders import MOST_LEVELS, TextLevel, checksum
from marketdata.domain.topics import book_topic, depth_topic
from orders.domain.values import Side
from orders.engine.auctions import indicative
from orders.engine.changes import Changes
from orders.engine.frame_queue import Frame, FrameQueue
from orders.engine.state import EngineState, Instrument
from orders.engine.trail_frames import TrailFrames

logger = structlog.get_logger(__name__)

DEPTH_INTERVAL_SECONDS = 0.1
BOOK_LEVELS = 10
TRAIL_INTERVAL_SECONDS = 0.5
BOOK_REFRESH_SECONDS = 2.0
"""How often every book is published, changed or not: a Redis that lost all knows them again, and
the street of a feed that ended goes from the screens when it has expired.
"""
MAX_QUEUED_EVENTS = 50_000
"""Account events that may wait for Redis, all accounts together."""

MAX_TOGETHER = 500
GATHER_SECONDS = 0.005
"""Pause after each sending, in which frames gather for the next: the first waits for nothing, and
many share what a sending costs by itself.
"""
RETRY_SECONDS = 0.5
FLUSH_SECONDS = 3
"""How long the engine's end may wait for Redis to take what is left."""

_channel = attrgetter("channel")

_PUBLISH_ALL = """
local refusals = {}
for i = 1, #ARGV, 2 do
  local answer = redis.pcall('PUBLISH', ARGV[i], ARGV[i + 1])
  if type(answer) == 'table' then table.insert(refusals, answer.err) end
end
return refusals
"""
"""Publishes each channel's message and gives the refusals. As one command: a client's work for each
command of a pipeline is three times the work for its message.
"""


class Publisher:
    """Queues frames without waiting; one task sends them, many together."""

    def __init__(self, redis: Redis, prefix: str, clock: Clock, epoch: str) -> None:
        self._redis = redis
        self._publish = redis.register_script(_PUBLISH_ALL)
        self._prefix = prefix
        self._clock = clock
        self._epoch = epoch
        self._queue = FrameQueue(MAX_QUEUED_EVENTS)
        self._has_frames = asyncio.Event()
        self._sending = asyncio.Lock()
        self._books: dict[int, Instrument] = {}
        self._trails = TrailFrames(prefix, epoch)
        self._sequences: dict[int, int] = {}

    def publish_events(self, changes: Changes, payloads: list[str]) -> None:
        """Queue the account events of a committed batch, and wake the outbox relay."""
        frames: list[Frame] = []
        for (_, event), payload in zip(changes.events, payloads, strict=True):
            topic = f"account:{event.account_id}"
            frame = (
                f'{{"op":"event","topic":"{topic}","epoch":"ledger",'
                f'"seq":{event.account_sequence},"data":{payload}}}'
            )
            frames.append(Frame(self._prefix + topic, frame))
        if changes.trail_peaks:
            self._trails.note(changes.trail_peaks)
        if frames:
            frames.append(Frame(self._prefix + "outbox", "", is_state=True))
            self._put(frames)

    def note_books(self, books: Mapping[int, Instrument]) -> None:
        """Remember whose depth changed; the newest state is published with the next interval."""
        self._books.update(books)

    async def run(self, instruments: Mapping[str, Instrument]) -> None:
        """Send what is queued, and now and then all books of `instruments`, for ever."""
        await asyncio.gather(
            self._send_frames(), self._publish_depth(), self._refresh_books(instruments)
        )

    async def tell_trails(self, state: EngineState) -> None:
        """Send, now and then and for ever, where the trailing stops stand that trades have moved;
        run beside `run`.
        """
        while True:
            await asyncio.sleep(TRAIL_INTERVAL_SECONDS)
            frames = self._trails.take(state)
            if frames:
                self._put(frames)

    async def flush(self) -> None:
        """Send what is still queued and wait for what is on its way; used when the engine stops."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                while await self._send_some() and self._queue:
                    pass
        except TimeoutError:
            logger.warning("publish_unfinished", frames=len(self._queue))

    def _put(self, frames: Iterable[Frame]) -> None:
        self._queue.put(frames)
        self._has_frames.set()

    async def _refresh_books(self, instruments: Mapping[str, Instrument]) -> None:
        while True:
            self.note_books({instrument.id: instrument for instrument in instruments.values()})
            await asyncio.sleep(BOOK_REFRESH_SECONDS)

    async def _publish_depth(self) -> None:
        while True:
            await asyncio.sleep(DEPTH_INTERVAL_SECONDS)
            books, self._books = self._books, {}
            if books:
                for instrument in books.values():
                    self._put(self._depth_frames(instrument))

    def _depth_frames(self, instrument: Instrument) -> tuple[Frame, Frame]:
        """The book as pages show it, and as many levels as anyone may follow."""
        now_ns = self._clock.now_ns()
        number = self._sequences[instrument.id] = self._sequences.get(instrument.id, 0) + 1
        bids = _levels(instrument, Side.BUY, now_ns)
        asks = _levels(instrument, Side.SELL, now_ns)
        t = wire_time(now_ns)
        book = {
            "bids": bids[:BOOK_LEVELS],
            "asks": asks[:BOOK_LEVELS],
            "checksum": checksum(bids[:BOOK_LEVELS], asks[:BOOK_LEVELS]),
            "state": instrument.market_state(now_ns).value,
            "indicative": _indicative(instrument, now_ns),
            "t": t,
        }
        depth = {"bids": bids, "asks": asks, "t": t}
        return (
            self._state_frame(book_topic(instrument.symbol), number, book),
            self._state_frame(depth_topic(instrument.symbol), number, depth),
        )

    def _state_frame(self, topic: str, number: int, data: Mapping[str, object]) -> Frame:
        frame = {"op": "event", "topic": topic, "epoch": self._epoch, "seq": number, "data": data}
        text = msgspec.json.encode(frame).decode()
        latest_key = f"{self._prefix}latest:{topic}"
        return Frame(self._prefix + topic, text, is_state=True, latest_key=latest_key)

    async def _send_frames(self) -> None:
        while True:
            await self._has_frames.wait()
            self._has_frames.clear()
            while self._queue:
                is_sent = await self._send_some()
                await asyncio.sleep(GATHER_SECONDS if is_sent else RETRY_SECONDS)

    async def _send_some(self) -> bool:
        """Send the next frames; False when Redis did not take it and it waits again.

        What Redis took without our hearing of it is sent twice: readers drop numbers they know.
        """
        async with self._sending:
            frames = self._queue.take(MAX_TOGETHER)
            try:
                await self._send(frames)
            except (RedisError, OSError) as error:
                self._queue.put_back(frames)
                logger.warning("publish_failed", frames=len(self._queue), error=str(error))
                return False
        return True

    async def _send(self, frames: list[Frame]) -> None:
        """Keep the newest states, then publish all: what is refused is left (asking again would get
        the same, and keep all others waiting).
        """
        refusals: list[str] = []
        if any(frame.latest_key for frame in frames):
            refusals += await self._keep(frames)
        messages: list[str] = []
        for channel, each in groupby(frames, key=_channel):
            # A frame a line: JSON has no bare newline.
            messages += (channel, "\n".join([frame.text for frame in each]))
        refusals += [error.decode() for error in await self._publish(args=messages)]
        if refusals:
            logger.warning("publish_refused", commands=len(refusals), error=refusals[0])

    async def _keep(self, frames: list[Frame]) -> list[str]:
        """Store each state where a reader finds it; gives the refusals."""
        pipeline = self._redis.pipeline(transaction=False)
        for frame in frames:
            if frame.latest_key is not None:
                pipeline.set(frame.latest_key, frame.text)
        answers = await pipeline.execute(raise_on_error=False)
        return [str(answer) for answer in answers if isinstance(answer, Exception)]


def _indicative(instrument: Instrument, now_ns: int) -> tuple[str, str] | None:
    """At what price and quantity the auction that collects would trade."""
    if not instrument.queue and not instrument.closing:
        return None
    found = indicative(instrument, now_ns)
    if found is None:
        return None
    price, lots = found
    return units_to_wire(price * instrument.tick_units), units_to_wire(lots * instrument.lot_units)


def _levels(instrument: Instrument, side: Side, now_ns: int) -> list[TextLevel]:
    return [
        (units_to_wire(price * instrument.tick_units), units_to_wire(lots * instrument.lot_units))
        for price, lots in instrument.book.depth(side, MOST_LEVELS, now_ns)
    ]
