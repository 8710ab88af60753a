"""What this process read a moment ago, believed up to a stated age, so that a busy key costs few
reads.

Pages' threads and the event loop use one cache. The age is the longest time for which something
that the database no longer says can still be acted on.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

REFRESH_SHARE = 0.75
"""From this share of its age on, an entry that is used is read anew while it still serves."""


class FreshCache(Generic[Key, Value]):
    """Bounded, newest kept. None is not remembered: a stranger must not be able to fill it."""

    def __init__(
        self,
        *,
        load: Callable[[Key], Value | None],
        load_in_thread: Callable[[Key], Value | None],
        ttl_seconds: float,
        max_entries: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`load` runs where it is asked, `load_in_thread` off the event loop."""
        self._load = load
        self._load_in_thread = load_in_thread
        self._ttl_seconds = ttl_seconds
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._lock = threading.Lock()
        self._pending: dict[tuple[int, Key], asyncio.Future[Value | None]] = {}

    def get(self, key: Key) -> Value | None:
        """The value, read here and now unless its entry is fresh."""
        known = self._fresh(key)
        if known is not None:
            return known[1]
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
        if age > self._ttl_seconds * REFRESH_SHARE:
            self._reading(key)
        return value

    def forget(self, key: Key) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def _reading(self, key: Key) -> "asyncio.Future[Value | None]":
        """The reading of `key` that runs on this loop, started if none does."""
        slot = (id(asyncio.get_running_loop()), key)
        reading = self._pending.get(slot)
        if reading is None:
            reading = self._pending[slot] = asyncio.ensure_future(self._read(key))
            reading.add_done_callback(lambda done: self._end_reading(slot, done))
        return reading

    def _end_reading(self, slot: tuple[int, Key], done: "asyncio.Future[Value | None]") -> None:
        self._pending.pop(slot, None)
        if not done.cancelled():
            done.exception()  # whoever waits gets it; of a reading ahead of time nobody needs it

    async def _read(self, key: Key) -> Value | None:
        asked_at = self._clock()
        value = await asyncio.to_thread(self._load_in_thread, key)
        self._keep(key, value, asked_at)
        return value

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
            self._entries[key] = (asked_at, value)
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
