"""The keys this process has just seen, for at most a second each, so that a busy key costs one
lookup a second.

Both the pages' threads and the event loop use one cache. An entry's age is the longest time for
which a revoked key or a disabled user can still act.
"""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from accounts.domain.api_keys import Principal

TTL_SECONDS = 0.8  # revocation is promised within one second, and the lookup itself takes time too
MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A live key as the database holds it."""

    secret_hash: str
    principal: Principal


class KeyCache:
    """Bounded, newest kept. Unknown key ids are not remembered: a stranger must not be able to fill
    it.
    """

    def __init__(
        self,
        *,
        load: Callable[[str], KnownKey | None],
        load_in_thread: Callable[[str], KnownKey | None],
        use_precision_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._load_in_thread = load_in_thread
        self._use_precision_seconds = use_precision_seconds
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, KnownKey]] = OrderedDict()
        self._noted: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self._pending: dict[tuple[int, str], asyncio.Future[KnownKey | None]] = {}

    def get(self, key_id: str) -> KnownKey | None:
        """The key, looked up here and now unless its entry is fresh."""
        known = self._fresh(key_id)
        if known is not None:
            return known
        asked_at = self._clock()
        known = self._load(key_id)
        self._keep(key_id, known, asked_at)
        return known

    async def get_async(self, key_id: str) -> KnownKey | None:
        """As `get` without blocking the loop; those who ask while a lookup runs wait for its
        answer.
        """
        known = self._fresh(key_id)
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        slot = (id(loop), key_id)
        pending = self._pending.get(slot)
        if pending is None:
            pending = asyncio.ensure_future(self._look_up(key_id))
            self._pending[slot] = pending
            pending.add_done_callback(lambda _: self._pending.pop(slot, None))
        # Shielded: one client that hangs up must not cancel the lookup for the others.
        return await asyncio.shield(pending)

    def forget(self, key_id: str) -> None:
        with self._lock:
            self._entries.pop(key_id, None)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._noted.clear()

    def is_use_noted_late(self, key_id: str) -> bool:
        """True once per key and precision interval: then the caller notes the use."""
        now = self._clock()
        with self._lock:
            noted_at = self._noted.get(key_id)
            if noted_at is not None and now - noted_at < self._use_precision_seconds:
                return False
            self._noted[key_id] = now
            self._noted.move_to_end(key_id)
            if len(self._noted) > MAX_KEYS:
                self._noted.popitem(last=False)
        return True

    async def _look_up(self, key_id: str) -> KnownKey | None:
        asked_at = self._clock()
        known = await asyncio.to_thread(self._load_in_thread, key_id)
        self._keep(key_id, known, asked_at)
        return known

    def _fresh(self, key_id: str) -> KnownKey | None:
        entry = self._entries.get(key_id)
        if entry is None or self._clock() - entry[0] > TTL_SECONDS:
            return None
        return entry[1]

    def _keep(self, key_id: str, known: KnownKey | None, asked_at: float) -> None:
        """Age counts from the question, not from the answer: the row may change in between."""
        with self._lock:
            if known is None:
                self._entries.pop(key_id, None)
                return
            self._entries[key_id] = (asked_at, known)
            self._entries.move_to_end(key_id)
            if len(self._entries) > MAX_KEYS:
                self._entries.popitem(last=False)
