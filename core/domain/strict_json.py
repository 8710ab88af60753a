"""JSON read strictly: one meaning for every reader, or a clear refusal before anything happens.

Refused: duplicate keys (readers disagree which one counts), NaN and infinities, numbers that a
float would bend, nesting and sizes beyond the named limits, text that is not UTF-8. Numbers come
out as int or exact Decimal.
"""

import json
import re
from decimal import Decimal
from typing import Any

from core.domain.decimals import DecimalSyntaxError, parse_decimal

MAX_BODY_BYTES = 65_536
MAX_DEPTH = 8
MAX_NUMBER_LENGTH = 40
_OPENING = re.compile(rb'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)
_EXPONENT = re.compile(r"[eE]")


class StrictJsonError(ValueError):
    """The bytes are not JSON that every reader would understand alike."""


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for match in _OPENING.finditer(body):
        if match.group(1):
            depth += 1
            deepest = max(deepest, depth)
        elif match.group(2):
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise StrictJsonError(f"the key {key!r} stands twice")
            seen.add(key)
    return result


def _number(text: str) -> Decimal:
    # Stock clients send floats such as 1e-05; Python reads the exact decimal that the text writes.
    if len(text) > MAX_NUMBER_LENGTH:
        raise StrictJsonError("a number is too long")
    try:
        if _EXPONENT.search(text):
            value = Decimal(text)
            if not -12 <= value.adjusted() <= 18:
                raise StrictJsonError("a number is out of range")
            return parse_decimal(format(value, "f"))
        return parse_decimal(text)
    except DecimalSyntaxError as error:
        raise StrictJsonError(f"a number {error}") from error


def _whole(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise StrictJsonError("a number is too long")
    return int(text)


def _constant(text: str) -> None:
    raise StrictJsonError(f"{text} is not a JSON number")


def loads(body: bytes) -> Any:  # Any: JSON may be any shape; callers check it
    """The value that `body` writes; StrictJsonError says in one sentence what is wrong with it."""
    if len(body) > MAX_BODY_BYTES:
        raise StrictJsonError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    if _depth(body) > MAX_DEPTH:
        raise StrictJsonError(f"the body is nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_number,
            parse_int=_whole,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise StrictJsonError("the body is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise StrictJsonError(
            f"the body is not JSON: {error.msg} at character {error.pos}"
        ) from error
