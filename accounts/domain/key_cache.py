"""The keys this process has just seen, for less than a second each, and when their use was noted.

An entry's age is the longest time for which a revoked key or a disabled user can still act.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from accounts.domain.api_keys import Principal
from core.domain.fresh_cache import FreshCache

TTL_SECONDS = 0.8  # revocation is promised within one second, and the lookup itself takes time too
MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A live key as the database holds it."""

    secret_hash: str
    principal: Principal


class KeyCache(FreshCache[str, KnownKey]):
    """Live keys by their id."""

    def __init__(
        self,
        *,
        load: Callable[[str], KnownKey | None],
        load_in_thread: Callable[[Sequence[str]], Mapping[str, KnownKey]],
        use_precision_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            load=load,
            load_in_thread=load_in_thread,
            ttl_seconds=TTL_SECONDS,
            max_entries=MAX_KEYS,
            clock=clock,
        )
        self._use_precision_seconds = use_precision_seconds
        self._noted: OrderedDict[str, float] = OrderedDict()

    def clear(self) -> None:
        super().clear()
        with self._lock:
            self._noted.clear()

    def is_use_noted_late(self, key_id: str) -> bool:
        """True once per key and precision interval: then the caller notes the use."""
        now = self._clock()
        noted_at = self._noted.get(key_id)
        if noted_at is not None and now - noted_at < self._use_precision_seconds:
            return False  # nearly always, and then without the lock
        with self._lock:
            if self._noted.get(key_id) != noted_at:
                return False  # another thread was faster
            self._noted[key_id] = now
            self._noted.move_to_end(key_id)
            if len(self._noted) > MAX_KEYS:
                self._noted.popitem(last=False)
        return True
