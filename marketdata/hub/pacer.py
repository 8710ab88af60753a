"""The hub's clock for readers who do not want every message: one timer for each interval, and only
while something waits for its end.
"""

import asyncio
from collections.abc import Callable

from marketdata.domain.pacing import next_end


class Pacer:
    """Belongs to one event loop. `on_due(every_ms, topics)` is called when an interval ends in
    which these topics were noted.
    """

    def __init__(self, on_due: Callable[[int, list[str]], None]) -> None:
        self._on_due = on_due
        self._waiting: dict[int, dict[str, None]] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}

    def note(self, every_ms: int, topic: str) -> None:
        """Something of the topic waits for the end of the running interval."""
        waiting = self._waiting.setdefault(every_ms, {})
        waiting[topic] = None
        if every_ms not in self._timers:
            loop = asyncio.get_running_loop()
            end = next_end(loop.time(), every_ms)
            self._timers[every_ms] = loop.call_at(end, self._end, every_ms)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def _end(self, every_ms: int) -> None:
        del self._timers[every_ms]
        self._on_due(every_ms, list(self._waiting.pop(every_ms)))
