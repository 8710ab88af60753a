"""When a delivery that failed is tried again: seven pauses over about two days, then it is dead."""

from datetime import timedelta

PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
MAX_ATTEMPTS = len(PAUSES) + 1
MAX_JITTER_PERCENT = 20
"""Mails that failed together do not come back together."""


def retry_pause(attempts: int, jitter_percent: int) -> timedelta | None:
    """How long to wait after so many failed attempts (from 1), or None when it was the last one.

    `jitter_percent` lies between 0 and MAX_JITTER_PERCENT and lengthens the pause.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return PAUSES[attempts - 1] * (100 + jitter_percent) / 100
