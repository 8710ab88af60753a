"""The simulated market's scenarios by name: what its price does besides its usual walk.

Pure numbers, on the simulator's own clock from its start; docs/feeds.md describes each for users.
"""

from dataclasses import dataclass
from typing import Final

from core.domain.words import Word


class Scenario(Word):
    CALM = "calm"
    TREND = "trend"
    CRASH = "crash"
    GAP = "gap"
    HALTED = "halted"
    ILLIQUID = "illiquid"


@dataclass(frozen=True, slots=True)
class Course:
    """What a scenario does. Shares are in millionths of the price; times in seconds from the
    market's start, of which scenario times repeat every `period`.
    """

    volatility_percent: int = 100
    """Of the instrument's usual volatility."""
    drift_ppm: int = 0
    """Each second the price moves so far, before its walk."""
    fall: tuple[int, int, int] | None = None
    """(begins, ends, ppm): between these the price loses that share, evenly."""
    recovery: tuple[int, int, int] | None = None
    """(begins, ends, ppm): between these the price gains that share of what it is, evenly."""
    jump: tuple[int, int] | None = None
    """(at, ppm): at once."""
    silence: tuple[int, int] | None = None
    """(begins, ends): no quotes and no trades."""
    activity_percent: int = 100
    """Of the usual quotes and trades a second."""
    spread_percent: int = 100
    size_percent: int = 100
    period: int = 600


CALM: Final = Course()
COURSES: Final[dict[Scenario, Course]] = {
    Scenario.CALM: CALM,
    Scenario.TREND: Course(drift_ppm=40),
    Scenario.CRASH: Course(
        volatility_percent=300,
        fall=(60, 120, 200_000),
        recovery=(180, 480, 100_000),
        spread_percent=400,
        size_percent=30,
    ),
    Scenario.GAP: Course(silence=(60, 90), jump=(90, 80_000)),
    Scenario.HALTED: Course(silence=(60, 360)),
    Scenario.ILLIQUID: Course(activity_percent=5, spread_percent=1_000, size_percent=10),
}
"""`calm` is the market as it was before there were scenarios. A market that gaps comes back from
its silence 8 % higher; one that crashes loses a fifth within a minute.
"""

MILLION: Final = 1_000_000


def push_ppm(course: Course, begin: float, end: float) -> int:
    """How far the course moves the price between two moments (seconds from the start), in
    millionths of the price.
    """
    moved = course.drift_ppm * (end - begin)
    for part, sign in ((course.fall, -1), (course.recovery, 1)):
        if part is not None:
            moved += sign * _share(part, begin, end, course.period)
    if course.jump is not None:
        at, ppm = course.jump
        moved += ppm * (_passed(end, at, course.period) - _passed(begin, at, course.period))
    return round(moved)


def silent_until(course: Course, second: float) -> float | None:
    """The end of the silence that `second` lies in; None outside of one."""
    if course.silence is None:
        return None
    begins, ends = course.silence
    within = second % course.period
    return second + ends - within if begins <= within < ends else None


def _share(part: tuple[int, int, int], begin: float, end: float, period: int) -> float:
    """The part of its share that falls between two moments."""
    begins, ends, ppm = part
    length = ends - begins

    def done(second: float) -> float:
        whole, within = divmod(second, period)
        return whole * length + min(max(within - begins, 0.0), length)

    return ppm * (done(end) - done(begin)) / length


def _passed(second: float, at: int, period: int) -> int:
    """How often the moment `at` of each period has passed by `second`."""
    return int((second - at) // period) + 1
