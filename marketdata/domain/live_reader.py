"""What a reader of a live socket knows, and whether it may call it live: the reference for clients.

Pure: frames and the clock go in, data, standings and what to say to the server come out.
static/src/core/store.ts is the same for pages; both pass tests/marketdata/live_reader.json.
"""

from enum import StrEnum
from typing import Any

import msgspec

from marketdata.domain.ladders import DeltaData, LadderData, applied, checksum
from marketdata.domain.topics import is_depth_topic, is_state_topic

Frame = dict[str, Any]  # Any: JSON

SILENT_MS = 3_000
"""A heartbeat comes each second: after three without any frame nothing is known to be live."""

LATE_FEED_MS = 5_000
"""When the feed was last known to run; as long as the engine believes a quote (STREET_TTL_NS)."""

MOST_TRADES = 50
MOST_WAITING = 1_000
PRIVATE_KINDS = frozenset({"account", "trails", "notifications"})


class Standing(StrEnum):
    LIVE = "live"
    RECOVERING = "recovering"
    """Not connected, or waiting for a snapshot: what is shown may be old."""
    STALE = "stale"
    """Connected, but the server or the price's source is silent."""


class _Topic:
    def __init__(self) -> None:
        self.is_live = False
        self.epoch = ""
        self.seq = 0
        self.data: Any = None
        self.waiting: list[Frame] = []


class LiveReader:
    """`now_ms` is the reader's own clock, of any origin, and never goes back."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic] = {}
        self._is_open = False
        self._heard_ms = 0
        self._feed_age_ms: int | None = None

    def want(self, *names: str) -> list[Frame]:
        """Follow these topics too; what to say to the server now."""
        fresh = [name for name in names if name not in self._topics]
        self._topics.update((name, _Topic()) for name in fresh)
        return [_subscribe(fresh)] if fresh and self._is_open else []

    def opened(self, now_ms: int) -> list[Frame]:
        """A socket is there (and has been let in): what to say first."""
        self._is_open, self._heard_ms = True, now_ms
        topics: list[str | Frame] = [
            {"topic": name, "epoch": topic.epoch, "seq": topic.seq} if topic.epoch else name
            for name, topic in self._topics.items()
        ]
        return [_subscribe(topics)] if topics else []

    def lost(self) -> None:
        """The socket is gone."""
        self._is_open = False
        for topic in self._topics.values():
            topic.is_live = False
            topic.waiting.clear()

    def take(self, frame: Frame, now_ms: int) -> list[Frame]:
        """A frame of the server's; what to say to it."""
        self._heard_ms = now_ms
        if frame["op"] == "heartbeat":
            self._feed_age_ms = frame["feed_age_ms"]
        name = frame.get("topic")
        topic = self._topics.get(name) if name else None
        if name is None or topic is None or frame["op"] == "error":
            return []
        is_whole = self._apply(name, topic, frame)
        return [] if is_whole else [_subscribe([name])]

    def data(self, name: str) -> Any:  # Any: JSON of the topic's kind
        """What is known of the topic; how far to trust it, says `standing`."""
        return self._topics[name].data

    def standing(self, name: str, now_ms: int) -> Standing:
        topic = self._topics[name]
        if not self._is_open or not topic.is_live:
            return Standing.RECOVERING
        if now_ms - self._heard_ms > SILENT_MS:
            return Standing.STALE
        if name.partition(":")[0] in PRIVATE_KINDS:
            return Standing.LIVE
        if self._feed_age_ms is None or self._feed_age_ms > LATE_FEED_MS:
            return Standing.STALE
        is_stale = isinstance(topic.data, dict) and topic.data.get("stale") is True
        return Standing.STALE if is_stale else Standing.LIVE

    # --- frames ----------------------------------------------------------------------------------

    def _apply(self, name: str, topic: _Topic, frame: Frame) -> bool:
        """False when the reader has to start over from a snapshot."""
        if frame["op"] in {"snapshot", "resumed"}:
            return self._start(name, topic, frame)
        if frame["op"] == "events":
            first = frame["first"]
            each = [
                frame | {"op": "event", "seq": first + number, "data": data}
                for number, data in enumerate(frame["data"])
            ]
            taken = [self._apply(name, topic, event) for event in each]
            return all(taken)
        if is_state_topic(name):
            return _take_state(topic, frame)
        if not topic.is_live:
            if len(topic.waiting) < MOST_WAITING:
                topic.waiting.append(frame)
            return True
        return _take_fact(name, topic, frame)

    def _start(self, name: str, topic: _Topic, frame: Frame) -> bool:
        place = (frame["epoch"], frame["seq"])
        if frame["op"] == "resumed" and place != (topic.epoch, topic.seq):
            return _give_up(topic)
        if frame["op"] == "snapshot":
            if not _is_sound(frame["data"]):
                return _give_up(topic)
            topic.epoch, topic.seq = place
            topic.data = frame["data"]
        topic.is_live = True
        waiting, topic.waiting = topic.waiting, []
        taken = [self._apply(name, topic, event) for event in waiting]
        return all(taken)


def _take_state(topic: _Topic, frame: Frame) -> bool:
    if topic.is_live and frame["epoch"] == topic.epoch and frame["seq"] <= topic.seq:
        return True
    if not _is_sound(frame["data"]):
        return _give_up(topic)
    topic.epoch, topic.seq, topic.data = frame["epoch"], frame["seq"], frame["data"]
    topic.is_live = True
    return True


def _take_fact(name: str, topic: _Topic, frame: Frame) -> bool:
    is_same = frame["epoch"] == topic.epoch or not topic.epoch
    if is_same and frame["seq"] <= topic.seq:
        return True
    base = frame["data"]["base"] if is_depth_topic(name) else frame["seq"] - 1
    is_next = is_same and (base == topic.seq or not topic.epoch)
    data = _with_fact(name, topic.data, frame["data"]) if is_next else None
    if data is None:
        topic.waiting = [frame]
        topic.is_live = False
        if is_depth_topic(name):
            topic.epoch = ""  # the ladder itself may be wrong: nothing can go on from it
        return False
    topic.epoch, topic.seq, topic.data = frame["epoch"], frame["seq"], data
    return True


def _with_fact(name: str, data: Any, fact: Any) -> Any:  # Any: JSON
    """The topic's data with the fact; None when the two do not fit. Account events are the
    caller's to apply (docs/event-kinds.md); here only their numbers are followed.
    """
    if is_depth_topic(name):
        if data is None:
            return None
        ladder = msgspec.convert(data, LadderData)
        after = applied(ladder, msgspec.convert(fact, DeltaData))
        return None if after is None else msgspec.json.decode(msgspec.json.encode(after))
    if name.startswith("trade:"):
        return {"trades": [fact, *data["trades"]][:MOST_TRADES]}
    return data if data is not None else {}


def _is_sound(data: Any) -> bool:  # Any: JSON
    """Whether a whole ladder is what its publisher summed up; what has no checksum is."""
    if not isinstance(data, dict) or "checksum" not in data:
        return True
    bids, asks = data["bids"], data["asks"]
    summed = checksum([(b[0], b[1]) for b in bids], [(a[0], a[1]) for a in asks])
    return bool(summed == data["checksum"])


def _give_up(topic: _Topic) -> bool:
    topic.is_live = False
    topic.epoch, topic.seq = "", 0
    return False


def _subscribe(topics: list[str] | list[str | Frame]) -> Frame:
    return {"op": "subscribe", "topics": topics}
