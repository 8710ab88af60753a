"""How long sign-in stays shut after failures: five tries, then a wait that doubles."""

from datetime import timedelta

FAILURE_LIMIT = 5
FIRST_LOCK = timedelta(minutes=15)
LONGEST_LOCK = timedelta(hours=24)
"""Failures without a success in between are remembered this long."""


def lock_duration(failures: int) -> timedelta:
    """The wait after so many failures: 15 minutes at the fifth, doubling to 24 hours."""
    doublings = max(0, failures - FAILURE_LIMIT)
    return LONGEST_LOCK if doublings > 6 else FIRST_LOCK * 2**doublings
