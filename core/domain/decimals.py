"""Decimals as the outside world writes them: one strict way in, one plain way out.

Every number a client sends passes `parse_decimal` or `decimal_from_json`; every number we show
passes `to_wire`.
"""

import re
from decimal import Decimal

MAX_INTEGER_DIGITS = 18
MAX_FRACTION_DIGITS = 9
# ASCII digits only: Python's Decimal would also take "1_000", full-width digits, " 5 ", "+5", "1E3"
# and NaN.
_PATTERN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)
_SHORT_ENOUGH = re.compile(
    rf"-?(?:0|[1-9][0-9]{{,{MAX_INTEGER_DIGITS - 1}}})(?:\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?",
    re.ASCII,
)


class DecimalSyntaxError(ValueError):
    """The text is not a plain decimal number."""


def parse_decimal(text: str) -> Decimal:
    """The exact decimal that `text` writes in plain ASCII notation; DecimalSyntaxError otherwise.

    Refused: exponents, underscores, signs other than one minus, blanks, NaN, infinities, more than
    18 digits before or 9 digits after the point. Minus zero is zero.
    """
    if not _SHORT_ENOUGH.fullmatch(text):
        raise _refused(text)
    return Decimal(text) or Decimal(0)


def _refused(text: str) -> DecimalSyntaxError:
    if len(text) > MAX_INTEGER_DIGITS + MAX_FRACTION_DIGITS + 2 or not _PATTERN.fullmatch(text):
        return DecimalSyntaxError("must be a plain decimal number such as 12.50")
    return DecimalSyntaxError(
        f"must have at most {MAX_INTEGER_DIGITS} digits before and"
        f" {MAX_FRACTION_DIGITS} after the point"
    )


def decimal_from_json(value: object) -> Decimal:
    """A decimal from a value that `strict_json.loads` gave: a text, or a number as it was written.

    DecimalSyntaxError for anything else. true and false are no numbers, though to Python they are.
    """
    if isinstance(value, str):
        return parse_decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise DecimalSyntaxError("must be a decimal number or a text that writes one")
    return parse_decimal(format(value, "f") if isinstance(value, Decimal) else str(value))


def to_wire(value: Decimal) -> str:
    """`value` in plain notation without trailing zeros: `12.50` → `"12.5"`, zero → `"0"`.

    ValueError for NaN and infinities: they must never have been computed.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is no amount")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
