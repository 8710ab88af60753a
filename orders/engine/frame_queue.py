"""What the publisher has to say and Redis has not taken yet: bounded, and fair between accounts."""

from collections import OrderedDict, deque
from collections.abc import Iterable

import msgspec
import structlog

logger = structlog.get_logger(__name__)

TURN = 50
"""Events of one account that are sent before another's turn comes."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What goes to a channel. Of a state only the newest counts; `latest_key` keeps it."""

    channel: str
    text: str
    is_state: bool = False
    latest_key: str | None = None


class FrameQueue:
    """What waits for Redis: of each state the newest frame, of each account its events in order.

    Accounts are served in turn and the one with the most waiting pays for a full queue, so that
    nobody's flood delays or displaces what another account should hear.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._states: dict[str, Frame] = {}
        self._events: OrderedDict[str, deque[Frame]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states) + sum(map(len, self._events.values()))

    def put(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if frame.is_state:
                self._states[frame.channel] = frame
            else:
                self._line(frame.channel).append(frame)
        self._bound()

    def put_back(self, frames: list[Frame]) -> None:
        """Frames that were taken and not sent: before what came after them."""
        for frame in reversed(frames):
            if frame.is_state:
                self._states.setdefault(frame.channel, frame)
            else:
                self._line(frame.channel).appendleft(frame)

    def take(self, count: int) -> list[Frame]:
        """The states, and about `count` frames in all with the events: TURN of an account, then of
        the next.
        """
        taken = list(self._states.values())
        self._states.clear()
        while self._events and len(taken) < count:
            channel, line = self._events.popitem(last=False)
            if len(line) <= TURN:
                taken += line
            else:
                taken += [line.popleft() for _ in range(TURN)]
                self._events[channel] = line
        return taken

    def _line(self, channel: str) -> deque[Frame]:
        line = self._events.get(channel)
        if line is None:
            line = self._events[channel] = deque()
        return line

    def _bound(self) -> None:
        """Of the longest line only its newest frame stays: by its number readers see the gap."""
        excess = sum(map(len, self._events.values())) - self._limit
        while excess > 0:
            longest = max(self._events.values(), key=len)
            dropped = len(longest) - 1
            if not dropped:
                return  # one frame each: no more than there are accounts
            logger.warning("account_events_dropped", channel=longest[0].channel, frames=dropped)
            newest = longest.pop()
            longest.clear()
            longest.append(newest)
            excess -= dropped
