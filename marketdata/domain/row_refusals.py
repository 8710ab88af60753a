"""Why a row of a file is not stored. Imports count refused rows by reason and show the counts."""

from collections import Counter
from enum import StrEnum


class RowRefusal(StrEnum):
    MALFORMED = "MALFORMED"
    """The row has other columns than the file, or one of them is no number."""
    TIME_UNREADABLE = "TIME_UNREADABLE"
    """Not in the stated format, or a local time that happens twice or never (clock changes)."""
    TOO_FINE = "TOO_FINE"
    TOO_LARGE = "TOO_LARGE"
    PRICE_NOT_POSITIVE = "PRICE_NOT_POSITIVE"
    SIZE_NEGATIVE = "SIZE_NEGATIVE"
    SUSPICIOUS = "SUSPICIOUS"
    """Marked as such by the source itself."""
    NOT_ENCLOSED = "NOT_ENCLOSED"
    """A bar whose low and high do not enclose its open and close."""
    OFF_GRID = "OFF_GRID"
    """A bar that does not begin where bars of its length begin."""


Refusals = Counter[RowRefusal]
