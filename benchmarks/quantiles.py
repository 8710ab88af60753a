"""The few statistics that the benchmarks report."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "quantile"]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ascending values lie (nearest rank); 0 for none."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
