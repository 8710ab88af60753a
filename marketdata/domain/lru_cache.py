"""What a process worked out and may soon be asked again: bounded by weight and age, with counts.

Used by the chart service for bars and for indicators of closed bars.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class LruCache(Generic[Key, Value]):
    """Keeps what was used last, up to `max_weight` in all; nothing older than `max_age_seconds`.

    `hits`, `misses`, `evictions` count since the start, `size` and `weight` tell what is there.
    """

    def __init__(self, *, name: str, max_weight: int, max_age_seconds: float) -> None:
        self.name = name
        self.max_weight = max_weight
        self.hits = self.misses = self.evictions = 0
        self.weight = 0
        self._max_age_seconds = max_age_seconds
        self._entries: OrderedDict[Key, tuple[float, int, Value]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now_seconds: float) -> Value | None:
        """The value under `key`, unless there is none or it is too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or now_seconds - entry[0] > self._max_age_seconds:
                self.misses += 1
                return None
            self.hits += 1
            self._entries.move_to_end(key)
            return entry[2]

    def keep(self, key: Key, value: Value, *, weight: int, now_seconds: float) -> None:
        """Put `value` under `key`; what was used longest ago goes when there is no room."""
        with self._lock:
            before = self._entries.pop(key, None)
            self.weight += weight - (before[1] if before else 0)
            self._entries[key] = (now_seconds, weight, value)
            while self.weight > self.max_weight and self._entries:
                _, (_, freed, _) = self._entries.popitem(last=False)
                self.weight -= freed
                self.evictions += 1

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.weight = 0
