"""Decimals as the outside world writes them: one strict way in, one plain way out.

Every number a client sends passes `parse_decimal`; every number we show passes `to_wire`.
"""

import re
from decimal import Decimal

MAX_INTEGER_DIGITS = 18
MAX_FRACTION_DIGITS = 9
# ASCII digits only: Python's Decimal would also take "1_000", full-width digits, " 5 ", "+5", "1E3"
# and NaN.
_PATTERN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)


class DecimalSyntaxError(ValueError):
    """The text is not a plain decimal number."""


def parse_decimal(text: str) -> Decimal:
    """The exact decimal that `text` writes in plain ASCII notation; DecimalSyntaxError otherwise.

    Refused: exponents, underscores, signs other than one minus, blanks, NaN, infinities, more than
    18 digits before or 9 digits after the point.
    """
    if len(text) > MAX_INTEGER_DIGITS + MAX_FRACTION_DIGITS + 2 or not _PATTERN.fullmatch(text):
        raise DecimalSyntaxError("must be a plain decimal number such as 12.50")
    integer, _, fraction = text.lstrip("-").partition(".")
    if len(integer) > MAX_INTEGER_DIGITS or len(fraction) > MAX_FRACTION_DIGITS:
        raise DecimalSyntaxError(
            f"must have at most {MAX_INTEGER_DIGITS} digits before and"
            f" {MAX_FRACTION_DIGITS} after the point"
        )
    return Decimal(text)


def to_wire(value: Decimal) -> str:
    """`value` in plain notation without trailing zeros: `Decimal("12.50")` → `"12.5"`, zero →
    `"0"`.
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
