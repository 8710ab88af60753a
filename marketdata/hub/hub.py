"""The hub itself: which sockets listen to what, snapshots first, gaps repaired, everyone at
their pace.

A listener *joins* a topic: Redis confirms the channel, then the snapshot is read, then the
events after it follow. A lost connection, a gap in a log topic or an overflow makes listeners
join again.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping

import msgspec
import structlog
from django.db import DatabaseError
from redis.exceptions import RedisError

from core.domain.errors import Refusal
from marketdata.domain.conflation import ConflatingQueue
from marketdata.domain.sequence import Step
from marketdata.hub.listener import TOPIC_LIMIT, Listener
from marketdata.hub.messages import Message, read_event, snapshot_message
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
)

logger = structlog.get_logger(__name__)

INBOX_LIMIT = 5_000
"""Facts that wait for fan-out in an overloaded process; beyond it their topics start over."""
SENDS_AT_ONCE = 100
"""Then requests and reads go on. To let them after each message would add a turn of the loop, which
asks the system for news, to each of those that few listen to, as an account's.
"""
SNAPSHOT_RETRY_SECONDS = 0.5
SNAPSHOT_AWAY = (RedisError, OSError, DatabaseError, Refusal)


class TooManyTopicsError(ValueError):
    """The socket has TOPIC_LIMIT topics already."""


class Hub:
    """Belongs to one event loop. `start` before use, `close` at the end."""

    def __init__(self, url: str, prefix: str, providers: Mapping[str, TopicProvider]) -> None:
        self.providers = providers
        self._subscriber = Subscriber(
            url,
            prefix,
            on_message=self._on_message,
            on_subscribed=self._on_subscribed,
            on_lost=self._on_lost,
        )
        self._snapshots = Snapshots(url, prefix, providers)
        self._pulse = Pulse(url, prefix)
        self._listeners: dict[Listener, None] = {}
        self._topics: dict[str, LiveTopic] = {}
        self._inbox: ConflatingQueue[Message] = ConflatingQueue(INBOX_LIMIT)
        self._has_mail = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        for work in (self._subscriber.run(), self._fan_out(), self._watch()):
            self._spawn(work)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._snapshots.close()
        await self._pulse.close()

    # --- what consumers call -------------------------------------------------------------------

    def attach(self, listener: Listener) -> None:
        listener.on_drained = self._on_drained
        self._listeners[listener] = None

    def detach(self, listener: Listener) -> None:
        """The socket has closed: forget it and its topics."""
        for topic in list(listener.topics):
            self.unsubscribe(listener, topic)
        listener.stop()
        self._count([listener])
        self._listeners.pop(listener, None)

    def subscribe(self, listener: Listener, name: str) -> None:
        """Send the topic's snapshot and then its events. Asking again sends a snapshot again."""
        if name not in listener.topics and len(listener.topics) >= TOPIC_LIMIT:
            raise TooManyTopicsError
        listener.topics.add(name)
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = LiveTopic(name)
            self._subscriber.want(name)
        topic.join(listener)
        self._load(topic)

    def unsubscribe(self, listener: Listener, name: str) -> None:
        listener.topics.discard(name)
        listener.paused.discard(name)
        topic = self._topics.get(name)
        if topic is None:
            return
        topic.leave(listener)
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
        if topic.is_state:
            self._inbox.put_state(message.topic, message)
        elif not self._inbox.put_log(message):
            self._start_over(topic)
        self._has_mail.set()

    async def _fan_out(self) -> None:
        while True:
            await self._has_mail.wait()
            self._has_mail.clear()
            sent = 0
            while self._inbox:
                sent += 1 + self._deliver(self._inbox.pop())
                if sent >= SENDS_AT_ONCE:
                    sent = 0
                    await asyncio.sleep(0)

    def _deliver(self, message: Message) -> int:
        """Send the message to whoever listens; to how many."""
        topic = self._topics.get(message.topic)
        if topic is None:
            return 0
        step = topic.check.take(message.epoch, message.seq)
        if step is Step.OLD:
            return 0
        if step is Step.GAP and not topic.is_state:
            self._start_over(topic)
        topic.remember(message)
        recipients = topic.recipients(message)
        for listener in recipients:
            self._send(topic, listener, message)
        return len(recipients)

    def _send(self, topic: LiveTopic, listener: Listener, message: Message) -> None:
        outgoing = message.outgoing_for(listener.form)
        if outgoing is None:
            return
        if topic.is_state:
            listener.put_state(topic.name, outgoing)
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
            topic.check.forget()
            topic.start_over()

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
        """Serve whoever joins with a snapshot that was read after they joined."""
        try:
            while topic.joining and self._subscriber.is_confirmed(topic.name):
                served = list(topic.joining)
                try:
                    snapshot = await self._snapshots.read(topic.name)
                except SNAPSHOT_AWAY as error:
                    logger.warning("hub_snapshot_failed", topic=topic.name, error=str(error))
                    await asyncio.sleep(SNAPSHOT_RETRY_SECONDS)
                    continue
                while self._inbox:  # what was read before the snapshot belongs before it
                    self._deliver(self._inbox.pop())
                self._serve(topic, served, snapshot_message(topic.name, *snapshot))
        finally:
            topic.is_loading = False

    def _serve(self, topic: LiveTopic, served: list[Listener], snapshot: Message) -> None:
        later = topic.events_after(snapshot)
        for listener in served:
            if topic.admit(listener, snapshot):
                self._send(topic, listener, snapshot)
                for message in later:
                    self._send(topic, listener, message)
        topic.forget_if_settled()

    # --- upkeep --------------------------------------------------------------------------------

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            beat = await self._pulse.beat()
            now = loop.time()
            for listener in list(self._listeners):
                listener.check_progress(now)
                outgoing = beat.outgoing_for(listener.form)
                if outgoing is not None:
                    listener.put_state(beat.topic, outgoing)
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
