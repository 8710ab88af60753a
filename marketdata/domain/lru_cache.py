"""What a process worked out and may soon be asked again: bounded by weight and age, with counts.

Used by the chart service for bars and for indicators of closed bars.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from core.domain.cache_counts import CacheCounts

Value = TypeVar("Value")
Key = tuple[object, ...]
"""What it begins with names what it is of, and is what may be forgotten."""


class LruCache(Generic[Value]):
    """Keeps what was used last, up to `max_weight` in all; nothing older than `max_age_seconds`."""

    def __init__(
        self,
        *,
        max_weight: int,
        max_age_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` is the one that `now_seconds` is told by."""
        self._clock = clock
        self.counts = CacheCounts()
        self.weight = 0
        self._max_weight = max_weight
        self._max_age_seconds = max_age_seconds
        self._entries: OrderedDict[Key, tuple[float, int, Value]] = OrderedDict()
        self._forgotten_at = -math.inf
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now_seconds: float) -> Value | None:
        """The value under `key`, unless there is none or it is too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or now_seconds - entry[0] > self._max_age_seconds:
                self.counts.misses += 1
                return None
            self.counts.hits += 1
            self._entries.move_to_end(key)
            return entry[2]

    def keep(self, key: Key, value: Value, *, weight: int, now_seconds: float) -> None:
        """Put `value` under `key`; what was used longest ago goes when there is no room.

        `now_seconds` is when its reading began: one from before something was forgotten may be of
        before that change, and is not kept.
        """
        with self._lock:
            if now_seconds <= self._forgotten_at:
                return
            self._drop(key)
            self.weight += weight
            self._entries[key] = (now_seconds, weight, value)
            while self.weight > self._max_weight:
                self._drop(next(iter(self._entries)))
                self.counts.evictions += 1

    def forget(self, key: str) -> None:
        """Drop everything whose key begins with what is written `key`."""
        with self._lock:
            self._forgotten_at = self._clock()
            for known in [known for known in self._entries if str(known[0]) == key]:
                self._drop(known)

    def clear(self) -> None:
        with self._lock:
            self._forgotten_at = self._clock()
            self._entries.clear()
            self.weight = 0

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        self.weight -= entry[1] if entry else 0
