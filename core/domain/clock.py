"""Time as an argument. Code that decides takes `now`; only the rims ask a Clock for it."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

NANOSECONDS_PER_SECOND = 1_000_000_000


class Clock(Protocol):
    def now(self) -> datetime: ...

    def now_ns(self) -> int: ...


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def now_ns(self) -> int:
        return time.time_ns()


class FixedClock:
    """A clock that stands still until told; for tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._now_ns = to_ns(start)

    def now(self) -> datetime:
        return from_ns(self._now_ns)

    def now_ns(self) -> int:
        return self._now_ns

    def advance(self, seconds: int) -> None:
        self._now_ns += seconds * NANOSECONDS_PER_SECOND


def to_ns(moment: datetime) -> int:
    """Nanoseconds since 1970 of an aware datetime, exact to its microsecond."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (
        delta.days * 86_400 + delta.seconds
    ) * NANOSECONDS_PER_SECOND + delta.microseconds * 1000


def from_ns(nanoseconds: int) -> datetime:
    """The UTC datetime of `nanoseconds` since 1970, cut to the microsecond."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS_PER_SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


@lru_cache(maxsize=1024)  # a batch has one time, and writes it into everything it changes
def wire_time(nanoseconds: int) -> str:
    """RFC 3339 in UTC with microseconds and `Z`."""
    return from_ns(nanoseconds).isoformat(timespec="microseconds").replace("+00:00", "Z")
