"""How a source of prices is: connected or not, telling or silent, and the counts that operators
see.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from core.domain.clock import NANOSECONDS_PER_SECOND
from core.domain.words import Word


class FeedState(Word):
    """CONNECTING until the source is open, LIVE while it tells, SILENT when it is open and has told
    nothing for a while, AWAY when it cannot be reached or was given up as silent.
    """

    CONNECTING = "CONNECTING"
    LIVE = "LIVE"
    SILENT = "SILENT"
    AWAY = "AWAY"


QUIET_NS: Final = 5 * NANOSECONDS_PER_SECOND
"""After so long without a message an open source is SILENT: the engine's street is as old then."""
RATE_SECONDS: Final = 10
"""The rate is that of so many past seconds."""


AHEAD_MS: Final = 5_000
"""Two machines' clocks may differ by so much; a mark further ahead was made by a wrong one."""


def age_ms(alive_ms: int, now_ms: int) -> int | None:
    """How old the feed's mark of life is; None when it lies in the future: nobody knows then."""
    age = now_ms - alive_ms
    return None if age < -AHEAD_MS else max(0, age)


@dataclass(slots=True)
class FeedStatus:
    """One source, as this process knows it. Times are in nanoseconds: those named `steady_ns` of a
    clock that never jumps.
    """

    name: str
    state: FeedState = FeedState.CONNECTING
    error: str = ""
    heard_ns: int = 0
    """When, by the steady clock, it told something last, or was opened."""
    last_message_ns: int | None = None
    messages: int = 0
    reconnects: int = 0
    is_known: bool = False
    """It was open before, so that opening it is a reconnect."""
    recent: list[int] = field(default_factory=list)
    """`messages` at each of the past seconds."""

    def connect(self) -> None:
        self.state = FeedState.CONNECTING

    def open(self, steady_ns: int) -> None:
        """The source is there; it is LIVE with its first message."""
        self.reconnects += self.is_known
        self.is_known = True
        self.heard_ns = steady_ns

    def hear(self, count: int, now_ns: int, steady_ns: int) -> None:
        """`count` messages came, one at least."""
        self.state, self.error = FeedState.LIVE, ""
        self.messages += count
        self.last_message_ns, self.heard_ns = now_ns, steady_ns

    def wait(self, steady_ns: int) -> int:
        """Nothing came; returns for how many nanoseconds nothing did."""
        silence_ns = steady_ns - self.heard_ns
        if silence_ns > QUIET_NS:
            self.state = FeedState.SILENT
        return silence_ns

    def lose(self, error: str) -> None:
        self.state, self.error = FeedState.AWAY, error

    def every_second(self) -> None:
        """Move the window of the rate on; call it once a second."""
        self.recent.append(self.messages)
        del self.recent[: -RATE_SECONDS - 1]

    @property
    def rate(self) -> int:
        """Messages a second over the past ten seconds, to the nearest."""
        if len(self.recent) < 2:
            return 0
        return round((self.recent[-1] - self.recent[0]) / (len(self.recent) - 1))

    def as_data(self, wire: Callable[[int], str]) -> dict[str, object]:
        """The members of the status message that are ours to tell (docs/feeds.md)."""
        last = self.last_message_ns
        return {
            "feed": self.name,
            "state": self.state,
            "error": self.error,
            "last_message_at": None if last is None else wire(last),
            "messages": self.messages,
            "rate": self.rate,
            "reconnects": self.reconnects,
        }
