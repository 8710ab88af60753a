"""What this process read a moment ago, believed up to a stated age, so that a busy key costs few
reads.

Pages' threads and the event loop use one cache. The age is the longest time for which something
that the database no longer says can still be acted on. The event loop reads many keys at once: a
reading costs as much as twenty orders, and a thousand busy keys would be read each second.
"""

import asyncio
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from core.domain.cache_counts import CacheCounts

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

REFRESH_SHARE = 0.75
"""From this share of its age on, an entry that is used is read anew while it still serves."""

JOIN_SHARE = 0.25
"""From this share on it joins a reading that others cause, so that busy keys fall due together."""

MAX_KEYS_AT_ONCE = 500
"""In one reading; more wait for the next."""


@dataclass(slots=True)
class _Readings(Generic[Key, Value]):
    """What one event loop waits for: the keys under way, and which are not asked for yet."""

    under_way: "dict[Key, asyncio.Future[Value | None]]" = field(default_factory=dict)
    due: list[Key] = field(default_factory=list)
    reader: "asyncio.Task[None] | None" = None


class FreshCache(Generic[Key, Value]):
    """Bounded, newest kept. None is not remembered: a stranger must not be able to fill it."""

    def __init__(
        self,
        *,
        load: Callable[[Key], Value | None],
        load_in_thread: Callable[[Sequence[Key]], Mapping[Key, Value]],
        ttl_seconds: float,
        max_entries: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`load` runs where it is asked, `load_in_thread` off the event loop for many keys at once;
        it leaves out those that are not there.
        """
        self._load = load
        self._load_in_thread = load_in_thread
        self._ttl_seconds = ttl_seconds
        self._max_entries = max_entries
        self._clock = clock
        self.counts = CacheCounts()
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._forgotten_at = -math.inf
        self._lock = threading.Lock()
        self._used: set[Key] = set()
        self._readings: WeakKeyDictionary[asyncio.AbstractEventLoop, _Readings[Key, Value]] = (
            WeakKeyDictionary()
        )

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Value | None:
        """The value, read here and now unless its entry is fresh."""
        known = self._fresh(key)
        if known is not None:
            self.counts.hits += 1
            return known[1]
        self.counts.misses += 1
        asked_at = self._clock()
        value = self._load(key)
        self._keep(key, value, asked_at)
        return value

    async def get_async(self, key: Key) -> Value | None:
        """As `get` without blocking the loop. A busy key never waits: its entry is read anew before
        it is too old; those who miss at the same time share one reading.
        """
        value = self.remembered(key)
        if value is not None:
            return value
        self.counts.misses += 1
        # Shielded: one client that hangs up must not cancel the reading for the others.
        return await asyncio.shield(self._reading(key))

    def remembered(self, key: Key) -> Value | None:
        """On the event loop, what `get_async` would give without waiting; None when it would wait.

        Asking this first spares a busy caller the coroutine.
        """
        entry = self._entries.get(key)
        if entry is None:
            return None
        asked_at, value = entry
        age = self._clock() - asked_at
        if age > self._ttl_seconds:
            return None
        self.counts.hits += 1
        self._used.add(key)
        if age > self._ttl_seconds * REFRESH_SHARE:
            self._reading(key)
        return value

    def forget(self, key: Key) -> None:
        """Read it anew at the next question. What is being read right now may be of before: it is
        given to who asked for it, and not kept.
        """
        with self._lock:
            self._forgotten_at = self._clock()
            self._entries.pop(key, None)

    def clear(self) -> None:
        """As `forget`, everything."""
        with self._lock:
            self._forgotten_at = self._clock()
            self._entries.clear()

    def _reading(self, key: Key) -> "asyncio.Future[Value | None]":
        """The reading of `key` that runs on this loop; it is made due if none does."""
        loop = asyncio.get_running_loop()
        readings = self._readings.setdefault(loop, _Readings())
        reading = readings.under_way.get(key)
        if reading is None:
            reading = readings.under_way[key] = loop.create_future()
            readings.due.append(key)
            if readings.reader is None:
                readings.reader = loop.create_task(self._read_due(readings))
        return reading

    async def _read_due(self, readings: _Readings[Key, Value]) -> None:
        """Read all that is due, then what has become due meanwhile, until nothing is."""
        try:
            while readings.due:
                self._join(readings)
                keys = readings.due[:MAX_KEYS_AT_ONCE]
                del readings.due[:MAX_KEYS_AT_ONCE]
                asked_at = self._clock()
                loading = asyncio.ensure_future(asyncio.to_thread(self._load_in_thread, keys))
                await asyncio.wait([loading])
                for key in keys:
                    self._answer(readings.under_way.pop(key), key, loading, asked_at)
        finally:
            readings.reader = None

    def _join(self, readings: _Readings[Key, Value]) -> None:
        """Make due what was used and is no longer new."""
        oldest = self._clock() - self._ttl_seconds * JOIN_SHARE
        for key in list(self._used):
            entry = self._entries.get(key)
            if entry is None or entry[0] < oldest:
                self._used.discard(key)
            if entry is not None and entry[0] < oldest:
                self._reading(key)

    def _answer(
        self,
        reading: "asyncio.Future[Value | None]",
        key: Key,
        loading: "asyncio.Future[Mapping[Key, Value]]",
        asked_at: float,
    ) -> None:
        error = loading.exception()
        if error is None:
            value = loading.result().get(key)
            self._keep(key, value, asked_at)
            reading.set_result(value)
        else:
            reading.set_exception(error)
            reading.exception()  # whoever waits gets it; ahead of time nobody does

    def _fresh(self, key: Key) -> tuple[float, Value] | None:
        entry = self._entries.get(key)
        if entry is None or self._clock() - entry[0] > self._ttl_seconds:
            return None
        return entry

    def _keep(self, key: Key, value: Value | None, asked_at: float) -> None:
        """Age counts from the question, not from the answer: the row may change in between."""
        with self._lock:
            if value is None:
                self._entries.pop(key, None)
                return
            if asked_at <= self._forgotten_at:
                return
            self._entries[key] = (asked_at, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
                self.counts.evictions += 1
