"""Numbers, times and trade numbers of other people's messages, made into ours without loss.

A source that tells its numbers as floats tells their shortest decimal form: `Decimal(repr(x))` is
the text that was sent, for every number of up to 15 digits.
"""

from datetime import datetime
from decimal import Decimal, InvalidOperation

from core.domain.clock import to_ns

NANOSECOND_DIGITS = 9
LARGEST_NUMBER = 2**63 - 1
"""Trade numbers are stored in eight bytes."""


class TellingError(ValueError):
    """A message of a source that cannot be what it says it is; it is dropped and counted."""


def decimal_of(value: object) -> Decimal:
    """The decimal that `value` writes; TellingError for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise TellingError(f"{value!r:.40} is no number")
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except InvalidOperation as error:
        raise TellingError(f"{value!r:.40} is no number") from error
    if not number.is_finite():
        raise TellingError(f"{value!r:.40} is no number")
    return number


def rfc3339_ns(text: str) -> int:
    """The nanosecond that an RFC 3339 time names; digits after the ninth are cut off."""
    whole, point, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))] if point else ""
    try:
        moment = datetime.fromisoformat(whole + rest[len(digits) :])
    except ValueError as error:
        raise TellingError(f"{text!r:.40} is no time") from error
    if moment.tzinfo is None:
        raise TellingError(f"{text!r:.40} names no time zone")
    return to_ns(moment) + int(digits[:NANOSECOND_DIGITS].ljust(NANOSECOND_DIGITS, "0"))


class TradeNumbers:
    """Numbers for the trades of one instrument whose source has none that we can store: its time
    in nanoseconds, and one more than the last where that would not rise.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, t_ns: int) -> int:
        self._last = max(self._last + 1, t_ns)
        return self._last
