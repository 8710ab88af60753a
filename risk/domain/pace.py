"""How orders come: the rates and the repetitions that limits look at (docs/risk.md M9 and M10).

Kept in memory alone, and empty after a start: a rate begins with its whole budget, and nothing has
been repeated yet.
"""

from collections import Counter, deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from core.domain.units import UNITS_PER_ONE
from risk.domain.limit_tree import Bound, LimitKey

SECOND_NS = 10**9


@dataclass(slots=True)
class _Bucket:
    """What is left of the budget, in nanoseconds times orders: an order costs the whole window."""

    level: int
    at_ns: int


@dataclass(slots=True)
class _Seen:
    """What came within the window, oldest first, and how often each."""

    times: deque[tuple[int, Hashable]] = field(default_factory=deque)
    counts: Counter[Hashable] = field(default_factory=Counter)

    def let_go(self, before_ns: int) -> None:
        while self.times and self.times[0][0] <= before_ns:
            _, likeness = self.times.popleft()
            self.counts[likeness] -= 1
            if not self.counts[likeness]:
                del self.counts[likeness]


@dataclass(slots=True)
class Pace:
    """What each limit has seen."""

    _buckets: dict[LimitKey, _Bucket] = field(default_factory=dict)
    _seen: dict[LimitKey, _Seen] = field(default_factory=dict)

    def forget(self, key: LimitKey) -> None:
        """The limit begins anew."""
        self._buckets.pop(key, None)
        self._seen.pop(key, None)

    def take(self, bounds: Iterable[Bound], now_ns: int) -> Bound | None:
        """Take one order from the budget of each rate, or from none: then the first that has too
        little left, the tightest of them.
        """
        filled = [(bound, self._filled(bound, now_ns)) for bound in bounds]
        empty = [bound for bound, bucket in filled if bucket.level < window_ns(bound)]
        if empty:
            return min(empty, key=lambda bound: bound.value)
        for bound, bucket in filled:
            bucket.level -= window_ns(bound)
        return None

    def _filled(self, bound: Bound, now_ns: int) -> _Bucket:
        orders = bound.value // UNITS_PER_ONE
        most = orders * window_ns(bound)
        bucket = self._buckets.setdefault(bound.key, _Bucket(most, now_ns))
        bucket.level = min(most, bucket.level + (now_ns - bucket.at_ns) * orders)
        bucket.at_ns = now_ns
        return bucket

    def has_repeated(self, bound: Bound, likeness: Hashable, now_ns: int) -> bool:
        """Whether so many alike were let in within the window that one more would be too many."""
        seen = self._seen.get(bound.key)
        if seen is None:
            return bound.value == 0
        seen.let_go(now_ns - window_ns(bound))
        return seen.counts[likeness] * UNITS_PER_ONE >= bound.value

    def note(self, bound: Bound, likeness: Hashable, now_ns: int) -> None:
        """One was let in."""
        seen = self._seen.setdefault(bound.key, _Seen())
        seen.let_go(now_ns - window_ns(bound))
        seen.times.append((now_ns, likeness))
        seen.counts[likeness] += 1


def window_ns(bound: Bound) -> int:
    """The window of a limit that has one."""
    return bound.window_seconds * SECOND_NS
