"""Shrinking a failing history to few steps that still fail, by leaving out ever smaller pieces."""

from collections.abc import Callable
from typing import TypeVar

Step = TypeVar("Step")


def shrink(steps: list[Step], fails: Callable[[list[Step]], bool]) -> list[Step]:
    """The shortest history found of which no single step can be left out; `steps` must fail."""
    size = max(1, len(steps) // 2)
    while True:
        start, shorter = 0, False
        while start < len(steps):
            candidate = steps[:start] + steps[start + size :]
            if fails(candidate):
                steps, shorter = candidate, True
            else:
                start += size
        if size == 1 and not shorter:
            return steps
        size = max(1, size // 2)
