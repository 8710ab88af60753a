"""One topic inside the hub: who listens, who still waits for a snapshot, and what came
meanwhile.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from marketdata.domain.live_requests import Position, Wish
from marketdata.domain.pacing import EACH
from marketdata.domain.sequence import SequenceCheck
from marketdata.domain.topics import is_bar_topic, is_depth_topic, is_state_topic
from marketdata.hub.depth import DepthChain, merged_deltas
from marketdata.hub.listener import Listener
from marketdata.hub.messages import Message, events_message
from marketdata.hub.snapshots import RESUME_LIMIT, events_since

EARLY_LIMIT = 512
"""Events kept for those who wait for a snapshot."""

CLOSED = b'"closed":true'
"""How the publisher writes a closed bar (marketdata/domain/frames.py)."""

GATHER_LIMIT = 256
"""Facts that gather for one frame; then it goes out, whatever interval was chosen."""


class PacedReaders:
    """Those who chose one interval, and what they get at its end."""

    def __init__(self) -> None:
        self.readers: dict[Listener, None] = {}
        self.gathered: list[Message] = []

    def gather(self, message: Message, *, is_state: bool) -> bool:
        """Keep it for the end of the interval; False when it is the last that fits."""
        if is_state:
            self.gathered = _facts(self.gathered)
        self.gathered.append(message)
        return len(self.gathered) < GATHER_LIMIT

    def take(self) -> list[Message]:
        gathered, self.gathered = self.gathered, []
        return gathered


class LiveTopic:
    """Listeners are *live* (they have a snapshot and every event since), *joining* or *held*.

    A held listener overflowed; it joins again when its socket has taken what is queued.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_state = is_state_topic(name)
        self.is_bar = is_bar_topic(name)
        self.depth = DepthChain() if is_depth_topic(name) else None
        self.check = SequenceCheck()
        self.is_loading = False
        self.next_reading_at = 0.0
        """When its snapshot may be read again, by the loop's time."""
        self.losses = 0
        self.joining: dict[Listener, Position | None] = {}
        """And the position from which they would go on."""
        self.paced: dict[int, PacedReaders] = {}
        self._live: dict[Listener, None] = {}
        self._held: dict[Listener, None] = {}
        self._paces: dict[Listener, int] = {}
        self._floors: dict[Listener, Message] = {}
        self._newest_fact = 0
        self._early: list[Message] = []
        self._recent: deque[Message] = deque(maxlen=RESUME_LIMIT)

    @property
    def is_empty(self) -> bool:
        return not (self._live or self.joining or self._held or self.paced)

    def mark(self, message: Message) -> None:
        """Say of a bar whether it is a fact (closed or amended), which no newer bar may replace; an
        open bar takes the place of one that waits behind the same facts.
        """
        if not self.is_bar:
            return
        message.is_fact = CLOSED in message.data
        if message.is_fact:
            self._newest_fact = message.seq
        else:
            message.key = (self.name, self._newest_fact)

    def join(self, listener: Listener, wish: Wish | None = None) -> None:
        """Wait for a snapshot; without a wish at the pace chosen before."""
        self.leave(listener)
        if wish is not None:
            self._paces[listener] = wish.every_ms
        self.joining[listener] = wish.since if wish else None

    def leave(self, listener: Listener) -> None:
        for group in (self._live, self.joining, self._held):
            group.pop(listener, None)
        self._floors.pop(listener, None)
        every_ms = self._paces.get(listener, EACH)
        if every_ms in self.paced:
            self.paced[every_ms].readers.pop(listener, None)
            if not self.paced[every_ms].readers:
                del self.paced[every_ms]

    def forget(self, listener: Listener) -> None:
        """It wants the topic no more."""
        self.leave(listener)
        self._paces.pop(listener, None)

    def hold(self, listener: Listener) -> None:
        self._held[listener] = None

    def start_over(self) -> None:
        """Everyone needs a snapshot again."""
        self._recent.clear()
        for listener in [*self._live, *self._paced_readers()]:
            self.join(listener)

    def lose(self) -> None:
        """The connection is lost, and with it whatever was published since."""
        self.losses += 1
        self.check.forget()
        if self.depth is not None:
            self.depth.forget()
        self.start_over()

    def remember(self, message: Message) -> None:
        """Keep an event for those who wait for a snapshot that may not contain it, and for those
        who come back.
        """
        if not self.is_state:
            self._recent.append(message)
        if not self.joining:
            return
        if self.is_state:
            self._early = _facts(self._early)
        if len(self._early) >= EARLY_LIMIT:
            del self._early[0]
        self._early.append(message)

    def recipients(self, message: Message) -> list[Listener]:
        """The live listeners that want each message and do not have this one in their snapshot
        already.
        """
        if not self._floors:
            return list(self._live)
        return [listener for listener in list(self._live) if self._is_after(listener, message)]

    def gather(self, message: Message) -> list[tuple[int, bool]]:
        """Keep an event for those who chose an interval: which ones, and whether it can wait for
        its end.
        """
        return [
            (every_ms, paced.gather(message, is_state=self.is_state))
            for every_ms, paced in self.paced.items()
        ]

    def due(self, every_ms: int) -> list[tuple[Listener, Message]]:
        """What the readers of this interval get at its end."""
        paced = self.paced.get(every_ms)
        gathered = paced.take() if paced is not None else []
        if paced is None or not gathered:
            return []
        for_all = self._together(gathered)
        result: list[tuple[Listener, Message]] = []
        for listener in paced.readers:
            floor = self._floors.pop(listener, None)
            if floor is None:
                result.extend((listener, message) for message in for_all)
            elif later := [message for message in gathered if _is_later(message, floor)]:
                result.extend((listener, message) for message in self._together(later))
            else:
                self._floors[listener] = floor
        return result

    def events_after(self, snapshot: Message) -> list[Message]:
        """The kept events that `snapshot` does not contain."""
        if self.depth is not None:
            return []  # its snapshot is the newest state of all
        return [message for message in self._early if _is_later(message, snapshot)]

    def missed_since(self, since: Position) -> list[Message] | None:
        """Every event after `since`, when the hub still has them all."""
        return events_since(self._recent, since)

    def admit(self, listener: Listener, floor: Message) -> bool:
        """Make a joining listener live, who is told everything up to `floor` now; False when it has
        left meanwhile.
        """
        if listener not in self.joining:
            return False
        del self.joining[listener]
        every_ms = self._paces.get(listener, EACH)
        if every_ms == EACH:
            self._live[listener] = None
        else:
            self.paced.setdefault(every_ms, PacedReaders()).readers[listener] = None
        self._floors[listener] = floor
        return True

    def forget_if_settled(self) -> None:
        if not self.joining:
            self._early.clear()

    def _paced_readers(self) -> list[Listener]:
        return [listener for paced in self.paced.values() for listener in paced.readers]

    def _together(self, messages: Sequence[Message]) -> Sequence[Message]:
        """One message that says what these say; of a state its facts and the newest."""
        if self.is_state or len(messages) == 1:
            return messages
        return [events_message(messages) if self.depth is None else merged_deltas(messages)]

    def _is_after(self, listener: Listener, message: Message) -> bool:
        floor = self._floors.get(listener)
        if floor is None:
            return True
        if not _is_later(message, floor):
            return False
        del self._floors[listener]
        return True


def _facts(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.is_fact]


def _is_later(message: Message, snapshot: Message) -> bool:
    """Another epoch is a publisher that started anew: what it says is later."""
    return message.epoch != snapshot.epoch or message.seq > snapshot.seq
