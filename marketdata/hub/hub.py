"""The hub itself: which sockets listen to what, snapshots first, gaps repaired, everyone at
their pace.

A listener *joins* a topic: Redis confirms the channel, then the snapshot is read, then the
events after it follow. One that comes back is told what it missed instead, where all of it is
known. A lost connection, a gap in a log topic or an overflow makes listeners join again.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence

import msgspec
import structlog
from django.db import DatabaseError
from redis.exceptions import RedisError

from core.domain.clock import Clock, SystemClock
from core.domain.errors import Refusal
from marketdata.domain.conflation import ConflatingQueue
from marketdata.domain.live_requests import Position, Wish
from marketdata.domain.sequence import Step
from marketdata.hub.ending import end_if_cancelled
from marketdata.hub.listener import TOPIC_LIMIT, Listener
from marketdata.hub.messages import Message, read_event, resumed_message, snapshot_message
from marketdata.hub.pacer import Pacer
from marketdata.hub.pulse import Pulse
from marketdata.hub.snapshots import Snapshots, TopicProvider
from marketdata.hub.subscriber import Subscriber
from marketdata.hub.topic import LiveTopic
from marketdata.metrics import (
    HUB_CONFLATED,
    HUB_DELIVERED,
    HUB_OVERFLOWS,
    HUB_SOCKETS,
    HUB_TOPICS,
    TICK_TO_SOCKET,
)

logger = structlog.get_logger(__name__)

INBOX_LIMIT = 5_000
"""Facts that wait for fan-out in an overloaded process; beyond it their topics start over."""
SENDS_AT_ONCE = 100
"""Then requests and reads go on. To let them after each message would add a turn of the loop, which
asks the system for news, to each of those that few listen to, as an account's.
"""
SNAPSHOT_RETRY_SECONDS = 0.5
SNAPSHOT_PAUSE_SECONDS = 0.05
"""Between two readings of a topic's snapshot. Who joins meanwhile shares the next: of thousands of
sockets that come back at once, each would cause a reading of each of its topics.
"""
SNAPSHOT_AWAY = (RedisError, OSError, DatabaseError, Refusal)
EACH_MESSAGE = Wish()


class TooManyTopicsError(ValueError):
    """The socket has TOPIC_LIMIT topics already."""


class Hub:
    """Belongs to one event loop. `start` before use, `close` at the end."""

    def __init__(
        self,
        url: str,
        prefix: str,
        providers: Mapping[str, TopicProvider],
        clock: Clock | None = None,
    ) -> None:
        self.providers = providers
        self._clock = clock or SystemClock()
        self._subscriber = Subscriber(
            url,
            prefix,
            on_message=self._on_message,
            on_subscribed=self._on_subscribed,
            on_lost=self._on_lost,
        )
        self._snapshots = Snapshots(url, prefix, providers)
        self._pulse = Pulse(url, prefix)
        self._beat: Message | None = None
        self._listeners: dict[Listener, None] = {}
        self._topics: dict[str, LiveTopic] = {}
        self._inbox: ConflatingQueue[Message] = ConflatingQueue(INBOX_LIMIT)
        self._due: deque[tuple[int, str]] = deque()
        """Intervals that have ended, and the topics that something waits of."""
        self._pacer = Pacer(self._on_due)
        self._has_mail = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        for work in (self._subscriber.run(), self._fan_out(), self._watch()):
            self._spawn(work)

    async def close(self) -> None:
        self._pacer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._snapshots.close()
        await self._pulse.close()

    # --- what consumers call -------------------------------------------------------------------

    def attach(self, listener: Listener) -> None:
        """Have it hear the heartbeat, the newest at once: before, its reader knows of no feed."""
        listener.on_drained = self._on_drained
        self._listeners[listener] = None
        if self._beat is not None:
            listener.put_newest(self._beat)

    def detach(self, listener: Listener) -> None:
        """The socket has closed: forget it and its topics."""
        for topic in list(listener.topics):
            self.unsubscribe(listener, topic)
        listener.stop()
        self._count([listener])
        self._listeners.pop(listener, None)

    def subscribe(self, listener: Listener, name: str, wish: Wish = EACH_MESSAGE) -> None:
        """Send the topic's snapshot and then its events, or what was missed since the position that
        is wished for. Asking again starts again.
        """
        if name not in listener.topics and len(listener.topics) >= TOPIC_LIMIT:
            raise TooManyTopicsError
        listener.topics.add(name)
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = LiveTopic(name)
            self._subscriber.want(name)
        topic.join(listener, wish)
        self._load(topic)

    def unsubscribe(self, listener: Listener, name: str) -> None:
        listener.topics.discard(name)
        listener.paused.discard(name)
        topic = self._topics.get(name)
        if topic is None:
            return
        topic.forget(listener)
        if topic.is_empty:
            del self._topics[name]
            self._subscriber.unwant(name)

    # --- messages ------------------------------------------------------------------------------

    def _on_message(self, payload: bytes) -> None:
        """Take what a channel brought: one frame a line."""
        for frame in payload.split(b"\n"):
            try:
                message = read_event(frame)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                logger.warning("hub_message_malformed", error=str(error))
                continue
            self._take_in(message)

    def _take_in(self, message: Message) -> None:
        topic = self._topics.get(message.topic)
        if topic is None:
            return
        topic.mark(message)
        if (topic.is_state and not message.is_fact) or topic.depth is not None:
            self._inbox.put_state(message.key, message)
        elif not self._inbox.put_log(message):
            self._start_over(topic)
        self._has_mail.set()

    async def _fan_out(self) -> None:
        while True:
            await self._has_mail.wait()
            self._has_mail.clear()
            sent = 0
            while self._inbox or self._due:
                if self._inbox:
                    sent += 1 + self._deliver(self._inbox.pop())
                else:
                    sent += 1 + self._send_due(*self._due.popleft())
                if sent >= SENDS_AT_ONCE:
                    sent = 0
                    await asyncio.sleep(0)

    def _deliver_all(self) -> None:
        while self._inbox:
            self._deliver(self._inbox.pop())

    def _deliver(self, message: Message) -> int:
        """Send the message to whoever listens; to how many."""
        topic = self._topics.get(message.topic)
        if topic is None:
            return 0
        step = topic.check.take(message.epoch, message.seq)
        if step is Step.OLD:
            return 0
        if topic.depth is not None:
            change = topic.depth.take(message)
            if change is None:
                self._start_over(topic)
                return 0
            change.at, message = message.at, change
        elif step is Step.GAP and not topic.is_state:
            self._start_over(topic)
        topic.remember(message)
        for every_ms, can_wait in topic.gather(message):
            if can_wait:
                self._pacer.note(every_ms, topic.name)
            else:
                self._send_due(every_ms, topic.name)
        recipients = topic.recipients(message)
        self._send_to_all(topic, recipients, message)
        if recipients and message.at is not None:
            age_us = self._clock.now_ns() // 1000 - message.at
            TICK_TO_SOCKET.observe(max(age_us, 0) / 1_000_000)
        return len(recipients)

    def _on_due(self, every_ms: int, names: list[str]) -> None:
        self._due.extend((every_ms, name) for name in names)
        self._has_mail.set()

    def _send_due(self, every_ms: int, name: str) -> int:
        """Send what has gathered in an interval to those who chose it; to how many."""
        topic = self._topics.get(name)
        if topic is None:
            return 0
        due = topic.due(every_ms)
        for listener, message in due:
            self._send(topic, listener, message)
        return len(due)

    def _send_to_all(
        self, topic: LiveTopic, listeners: Sequence[Listener], message: Message
    ) -> None:
        """The same as `_send` to each; most take the finished frame and need nothing else."""
        form, outgoing = None, None
        for listener in listeners:
            if listener.form is not form:
                form = listener.form
                outgoing = message.outgoing_for(form)
            if outgoing is not None and not listener.take_finished(outgoing.frame):
                self._send(topic, listener, message)

    def _send(self, topic: LiveTopic, listener: Listener, message: Message) -> None:
        outgoing = message.outgoing_for(listener.form)
        if outgoing is None:
            return
        if topic.is_state and not message.is_fact:
            listener.put_state(message.key, outgoing)
        elif not listener.put_log(outgoing):
            # The queue is full: the rest is dropped, and a snapshot tells it once there is room.
            HUB_OVERFLOWS.inc()
            topic.leave(listener)
            topic.hold(listener)
            listener.paused.add(topic.name)

    # --- snapshots -----------------------------------------------------------------------------

    def _on_subscribed(self, name: str) -> None:
        topic = self._topics.get(name)
        if topic is not None:
            self._load(topic)

    def _on_lost(self) -> None:
        for topic in self._topics.values():
            topic.lose()

    def _on_drained(self, listener: Listener) -> None:
        for name in list(listener.paused):
            listener.paused.discard(name)
            topic = self._topics.get(name)
            if topic is not None:
                topic.join(listener)
                self._load(topic)

    def _start_over(self, topic: LiveTopic) -> None:
        topic.start_over()
        self._load(topic)

    def _load(self, topic: LiveTopic) -> None:
        if topic.is_loading or not self._subscriber.is_confirmed(topic.name):
            return
        topic.is_loading = True
        self._spawn(self._load_topic(topic))

    async def _load_topic(self, topic: LiveTopic) -> None:
        """Serve whoever joins: with a snapshot that was read after they joined, or with what they
        missed.
        """
        try:
            while topic.joining and self._subscriber.is_confirmed(topic.name):
                self._go_on(topic)
                if not topic.joining:
                    break
                now = asyncio.get_running_loop().time()
                if now < topic.next_reading_at:
                    await asyncio.sleep(topic.next_reading_at - now)
                    continue
                topic.next_reading_at = now + SNAPSHOT_PAUSE_SECONDS
                served = dict(topic.joining)
                losses = topic.losses
                try:
                    missed = await self._missed(topic, served.values())
                    snapshot = await self._snapshots.read(topic.name)
                except SNAPSHOT_AWAY as error:
                    end_if_cancelled()
                    logger.warning("hub_snapshot_failed", topic=topic.name, error=str(error))
                    await asyncio.sleep(SNAPSHOT_RETRY_SECONDS)
                    continue
                self._deliver_all()  # what was read before the snapshot belongs before it
                if topic.losses != losses:
                    continue  # the connection broke: what came after the snapshot may be lost
                if topic.depth is not None:
                    whole = topic.depth.snapshot(topic.name, snapshot)
                    topic.check.take(whole.epoch, whole.seq)
                else:
                    whole = snapshot_message(topic.name, *snapshot)
                self._serve(topic, served, whole, missed)
        finally:
            topic.is_loading = False

    def _go_on(self, topic: LiveTopic) -> None:
        """Serve those who missed nothing but what the hub itself still has."""
        self._deliver_all()
        for listener, since in list(topic.joining.items()):
            missed = None if since is None else topic.missed_since(since)
            if since is not None and missed is not None:
                self._resume(topic, listener, since, missed)

    async def _missed(
        self, topic: LiveTopic, positions: Iterable[Position | None]
    ) -> dict[Position, list[Message]]:
        """What came after each position, where all of it is known."""
        found: dict[Position, list[Message]] = {}
        if topic.is_state or topic.depth is not None:
            return found
        for since in {position for position in positions if position is not None}:
            missed = await self._snapshots.missed(topic.name, since)
            if missed is not None:
                found[since] = missed
        return found

    def _serve(
        self,
        topic: LiveTopic,
        served: Mapping[Listener, Position | None],
        snapshot: Message,
        missed: Mapping[Position, list[Message]],
    ) -> None:
        later = topic.events_after(snapshot)
        for listener, since in served.items():
            if since is not None and topic.joining.get(listener) == since:
                if since in missed:
                    self._resume(topic, listener, since, missed[since])
                    continue
                if since == (snapshot.epoch, snapshot.seq):
                    self._resume(topic, listener, since, [])
                    continue
            self._admit(topic, listener, snapshot, later)
        topic.forget_if_settled()

    def _resume(
        self, topic: LiveTopic, listener: Listener, since: Position, missed: Sequence[Message]
    ) -> None:
        """Let the listener go on from `since`: exactly what it missed, then what comes."""
        start = resumed_message(topic.name, since, len(missed))
        known = missed[-1] if missed else start
        self._admit(topic, listener, start, [*missed, *topic.events_after(known)])

    def _admit(
        self, topic: LiveTopic, listener: Listener, start: Message, later: Sequence[Message]
    ) -> None:
        if topic.admit(listener, later[-1] if later else start):
            self._send(topic, listener, start)
            for message in later:
                self._send(topic, listener, message)

    # --- upkeep --------------------------------------------------------------------------------

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            self._beat = await self._pulse.beat()
            now = loop.time()
            for listener in list(self._listeners):
                listener.check_progress(now)
                listener.put_newest(self._beat)
            self._count(self._listeners)
            HUB_SOCKETS.set(len(self._listeners))
            HUB_TOPICS.set(len(self._topics))

    def _count(self, listeners: Iterable[Listener]) -> None:
        # Once a second for all, not per frame: a multiprocess counter costs as much as sending one.
        counts = [listener.take_counts() for listener in listeners]
        HUB_DELIVERED.inc(sum(delivered for delivered, _ in counts))
        HUB_CONFLATED.inc(sum(conflated for _, conflated in counts))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
