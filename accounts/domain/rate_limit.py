"""How many requests a key may make: a token bucket kept as one whole number per key.

Generic cell rate algorithm: the number is the instant at which the bucket will be full again. It
counts exactly like a bucket that holds `limit` tokens and refills evenly over a minute. The process
that answers keeps the count, so behind n gateways a key has n buckets.
"""

import threading
from collections import OrderedDict
from functools import lru_cache
from typing import NamedTuple

WINDOW_SECONDS = 60
MAX_KEYS = 10_000
_SECOND = 1_000_000_000
_WINDOW = WINDOW_SECONDS * _SECOND


class RateDecision(NamedTuple):
    """One request's answer: may it pass, how many may follow at once, when is the bucket full, when
    to come back.
    """

    is_allowed: bool
    limit: int
    remaining: int
    full_in_ns: int
    retry_in_ns: int

    def headers(self, epoch_ns: int) -> dict[str, str]:
        """The dialect's and the IETF's rate headers (draft-ietf-httpapi-ratelimit-headers)."""
        raw = self.raw_headers(epoch_ns)
        return {_SPELLINGS[name]: value.decode() for name, value in raw}

    def raw_headers(self, epoch_ns: int) -> list[tuple[bytes, bytes]]:
        """`headers` as ASGI sends them: half the work of turning those into bytes."""
        limit, policy = _limit_headers(self.limit)
        full_in = _ceil_seconds(self.full_in_ns)
        headers = [
            limit,
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % _ceil_seconds(epoch_ns + self.full_in_ns)),
            policy,
            (b"ratelimit", b'"default";r=%d;t=%d' % (self.remaining, full_in)),
        ]
        if not self.is_allowed:
            headers.append((b"retry-after", b"%d" % max(1, _ceil_seconds(self.retry_in_ns))))
        return headers


_SPELLINGS = {
    name.lower().encode(): name
    for name in (
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "RateLimit-Policy",
        "RateLimit",
        "Retry-After",
    )
}


@lru_cache(maxsize=1024)
def _limit_headers(limit: int) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Those that say the same for every request of a key."""
    return (
        (b"x-ratelimit-limit", b"%d" % limit),
        (b"ratelimit-policy", b'"default";q=%d;w=%d' % (limit, WINDOW_SECONDS)),
    )


def _ceil_seconds(nanoseconds: int) -> int:
    return -(-nanoseconds // _SECOND)


def decide(full_at_ns: int, limit: int, now_ns: int, cost: int = 1) -> tuple[RateDecision, int]:
    """Take `cost` tokens, all or none, from a bucket that is full at `full_at_ns`; also when it
    will be full after that.

    `limit` is tokens a minute, at least 1. Times are of a clock that never goes back.
    """
    interval = _WINDOW // limit
    capacity = interval * limit
    full_at_ns = max(full_at_ns, now_ns)
    after = full_at_ns + cost * interval - now_ns
    if after > capacity:
        left = (capacity - (full_at_ns - now_ns)) // interval
        return RateDecision(False, limit, left, full_at_ns - now_ns, after - capacity), full_at_ns
    remaining = (capacity - after) // interval
    return RateDecision(True, limit, remaining, after, 0), full_at_ns + cost * interval


class RateLimiter:
    """The buckets of one process, for pages' threads and the event loop alike; at most MAX_KEYS of
    them.
    """

    def __init__(self, max_keys: int = MAX_KEYS) -> None:
        self._max_keys = max_keys
        self._full_at: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, limit: int, now_ns: int, cost: int = 1) -> RateDecision:
        """Count `cost` requests of `key`; the check and the count are one step."""
        with self._lock:
            decision, self._full_at[key] = decide(
                self._full_at.get(key, now_ns), limit, now_ns, cost
            )
            self._full_at.move_to_end(key)
            if len(self._full_at) > self._max_keys:
                self._full_at.popitem(last=False)
        return decision
