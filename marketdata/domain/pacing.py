"""How often a reader wants a topic: the intervals that may be chosen, and when each of them ends.

A socket chooses with `every_ms` when it subscribes; the hub has one timer for each interval.
"""

EACH = 0
"""Every message at once."""

INTERVALS_MS = (50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000)
"""What may be chosen beside EACH. A few, so that a hub has a few timers, however many sockets."""


def is_interval(every_ms: int) -> bool:
    """Whether a reader may choose it."""
    return every_ms == EACH or every_ms in INTERVALS_MS


def next_end(now_seconds: float, every_ms: int) -> float:
    """The end of the running interval: later than `now_seconds`, by `every_ms` at most. Intervals
    follow each other without a pause from the clock's zero on, so that all who chose one share it.
    """
    return (now_seconds * 1000 // every_ms + 1) * every_ms / 1000
