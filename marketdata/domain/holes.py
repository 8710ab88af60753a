"""What is missing: the stretches of open market for which no bars are stored.

Pure; times in nanoseconds since 1970. A market that is open need not trade: whether a stretch
without bars is a hole or a quiet market, only the source can say. A stretch counts from as many
missing bars on as the caller says.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from core.domain.clock import NANOSECONDS_PER_SECOND

LENGTHS_NS: Final = {
    "1Min": 60 * NANOSECONDS_PER_SECOND,
    "1Hour": 3_600 * NANOSECONDS_PER_SECOND,
}
LEAST_MISSING: Final = {"1Min": 5, "1Hour": 1, "1Day": 1}
"""Missing bars in a row that make a hole: a stock of middling trade has minutes without any."""


class Stretch(NamedTuple):
    """From `start_ns` on, no more at `end_ns`."""

    start_ns: int
    end_ns: int


def missing_bars(
    open_market: Iterable[Stretch], stored_ns: Sequence[int], length_ns: int, least: int
) -> list[Stretch]:
    """The holes of at least `least` bars of `length_ns` in the open stretches.

    `stored_ns` are the starts of the bars there are, rising. A bar covers `length_ns` from its
    start; an open stretch that begins within a bar (9:30 in the hour from 9:00) is covered by it.
    """
    holes: list[Stretch] = []
    position = 0
    for stretch in open_market:
        reached = stretch.start_ns
        while position < len(stored_ns) and stored_ns[position] < stretch.end_ns:
            start = stored_ns[position]
            if start > reached:
                _add(holes, Stretch(reached, start), length_ns * least)
            reached = max(reached, start + length_ns)
            position += 1
        if reached < stretch.end_ns:
            _add(holes, Stretch(reached, stretch.end_ns), length_ns * least)
    return holes


def missing_days(days_ns: Sequence[Stretch], stored_ns: Iterable[int]) -> list[Stretch]:
    """The trading days, each from midnight to midnight, of which no day bar is stored; days that
    follow each other in `days_ns` are one hole.
    """
    there = set(stored_ns)
    holes: list[Stretch] = []
    is_open = False
    for day in days_ns:
        if day.start_ns in there:
            is_open = False
        elif is_open:
            holes[-1] = Stretch(holes[-1].start_ns, day.end_ns)
        else:
            holes.append(day)
            is_open = True
    return holes


def within(stretches: Iterable[Stretch], window: Stretch) -> list[Stretch]:
    """The parts of the stretches that lie in the window."""
    cut = (
        Stretch(max(item.start_ns, window.start_ns), min(item.end_ns, window.end_ns))
        for item in stretches
    )
    return [item for item in cut if item.start_ns < item.end_ns]


def _add(holes: list[Stretch], hole: Stretch, least_ns: int) -> None:
    if hole.end_ns - hole.start_ns >= least_ns:
        holes.append(hole)
