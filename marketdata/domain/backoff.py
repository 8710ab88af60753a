"""How long to wait before a source that went away is asked again: exponential, with full jitter.

The wait is drawn evenly between nothing and a bound that doubles, so that a thousand clients of a
source that came back do not all knock in the same instant.
"""

from random import Random

FIRST_BOUND_SECONDS = 0.5
LONGEST_BOUND_SECONDS = 30.0
"""A source that is back is found within half a minute; one that is not is not pestered."""
DOUBLINGS = 6
"""After so many the bound is the longest; stops the power from growing without end."""


def bound_seconds(attempt: int) -> float:
    """The longest that the wait after failure number `attempt` (from 0) may last."""
    return min(LONGEST_BOUND_SECONDS, FIRST_BOUND_SECONDS * (1 << min(attempt, DOUBLINGS)))


def pause_seconds(attempt: int, random: Random) -> float:
    """The wait after failure number `attempt` (from 0), drawn from `random`."""
    return random.uniform(0.0, bound_seconds(attempt))
