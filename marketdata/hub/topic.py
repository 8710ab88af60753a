"""One topic inside the hub: who listens, who still waits for a snapshot, and what came
meanwhile.
"""

from marketdata.domain.sequence import SequenceCheck
from marketdata.domain.topics import is_state_topic
from marketdata.hub.listener import Listener
from marketdata.hub.messages import Message

EARLY_LIMIT = 512
"""Events kept for those who wait for a snapshot."""


class LiveTopic:
    """Listeners are *live* (they have a snapshot and every event since), *joining* or *held*.

    A held listener overflowed; it joins again when its socket has taken what is queued.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_state = is_state_topic(name)
        self.check = SequenceCheck()
        self.is_loading = False
        self.joining: dict[Listener, None] = {}
        self._live: dict[Listener, None] = {}
        self._held: dict[Listener, None] = {}
        self._floors: dict[Listener, Message] = {}
        self._early: list[Message] = []

    @property
    def is_empty(self) -> bool:
        return not (self._live or self.joining or self._held)

    def join(self, listener: Listener) -> None:
        self.leave(listener)
        self.joining[listener] = None

    def leave(self, listener: Listener) -> None:
        for group in (self._live, self.joining, self._held):
            group.pop(listener, None)
        self._floors.pop(listener, None)

    def hold(self, listener: Listener) -> None:
        self._held[listener] = None

    def start_over(self) -> None:
        """Everyone needs a snapshot again."""
        for listener in list(self._live):
            self.join(listener)

    def remember(self, message: Message) -> None:
        """Keep an event for those who wait for a snapshot that may not contain it."""
        if not self.joining:
            return
        if self.is_state:
            self._early.clear()
        elif len(self._early) >= EARLY_LIMIT:
            del self._early[0]
        self._early.append(message)

    def recipients(self, message: Message) -> list[Listener]:
        """The live listeners that do not have `message` in their snapshot already."""
        if not self._floors:
            return list(self._live)
        return [listener for listener in list(self._live) if self._is_after(listener, message)]

    def events_after(self, snapshot: Message) -> list[Message]:
        """The kept events that `snapshot` does not contain."""
        return [message for message in self._early if _is_later(message, snapshot)]

    def admit(self, listener: Listener, snapshot: Message) -> bool:
        """Make a joining listener live from `snapshot` on; False when it has left meanwhile."""
        if listener not in self.joining:
            return False
        del self.joining[listener]
        self._live[listener] = None
        self._floors[listener] = snapshot
        return True

    def forget_if_settled(self) -> None:
        if not self.joining:
            self._early.clear()

    def _is_after(self, listener: Listener, message: Message) -> bool:
        floor = self._floors.get(listener)
        if floor is None:
            return True
        if not _is_later(message, floor):
            return False
        del self._floors[listener]
        return True


def _is_later(message: Message, snapshot: Message) -> bool:
    """Another epoch is a publisher that started anew: what it says is later."""
    return message.epoch != snapshot.epoch or message.seq > snapshot.seq
