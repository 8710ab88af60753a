"""JSON read strictly: one meaning for every reader, or a clear refusal before anything happens.

Refused: duplicate keys (readers disagree which one counts), NaN and infinities, numbers that a
float would bend, NUL and half surrogate pairs (no database or encoder takes them), nesting and
sizes beyond the named limits, text that is not UTF-8. Numbers come out as int or exact Decimal,
never as float.
"""

import json
import re
from decimal import Decimal
from typing import Any

from core.domain.decimals import MAX_INTEGER_DIGITS, DecimalSyntaxError, parse_decimal

MAX_BODY_BYTES = 65_536
MAX_DEPTH = 8
MAX_NUMBER_LENGTH = 40
# A string counts as one piece, closed or not: an open one swallows the rest, so that the scan stays
# linear whatever is sent. Possessive, because trying again from the middle of a string is no use.
_PIECE = re.compile(rb'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_EXPONENT = re.compile(r"[eE][+-]?[0-9]{1,3}\Z", re.ASCII)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class StrictJsonError(ValueError):
    """The bytes are not JSON that every reader would understand alike."""


class BodyTooLargeError(StrictJsonError):
    """More than MAX_BODY_BYTES."""


class NumberRefusedError(StrictJsonError):
    """The JSON is sound, but a number in it is none, too large or too fine."""


def loads(body: bytes) -> Any:  # Any: JSON may be any shape; callers check it
    """The value that `body` writes; StrictJsonError says in one sentence what is wrong with it."""
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLargeError(f"the body is larger than {MAX_BODY_BYTES} bytes")
    if _depth(body) > MAX_DEPTH:
        raise StrictJsonError(f"the body is nested deeper than {MAX_DEPTH} levels")
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise StrictJsonError("the body is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise StrictJsonError(
            f"the body is not JSON: {error.msg} at character {error.pos}"
        ) from error
    if b"\\u" in body:  # only an escape can bring them in
        _check_texts(value)
    return value


def _depth(body: bytes) -> int:
    """How deep brackets may nest: json itself would recurse into them before noticing anything.

    A body with few brackets cannot nest deep, and need not be looked through.
    """
    brackets = body.count(b"{") + body.count(b"[")
    if brackets <= MAX_DEPTH:
        return brackets
    depth = deepest = 0
    for match in _PIECE.finditer(body):
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
                raise StrictJsonError(f"the key {key[:64]!r} stands twice")
            seen.add(key)
    return result


def _number(text: str) -> Decimal:
    # Stock clients send floats such as 1e-05: the exact decimal that the text writes is taken.
    if len(text) > MAX_NUMBER_LENGTH:
        raise NumberRefusedError("a number is too long")
    try:
        if "e" not in text and "E" not in text:
            return parse_decimal(text)
        if not _EXPONENT.search(text):
            raise NumberRefusedError("a number is out of range")
        value = Decimal(text)
        if not -12 <= value.adjusted() <= MAX_INTEGER_DIGITS:
            raise NumberRefusedError("a number is out of range")
        return parse_decimal(format(value, "f"))
    except DecimalSyntaxError as error:
        raise NumberRefusedError(f"a number {error}") from error


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise NumberRefusedError("a number is out of range")
    return int(text)


def _constant(text: str) -> None:
    raise NumberRefusedError(f"{text} is not a number")


def _check_texts(value: Any) -> None:  # Any: any JSON
    """StrictJsonError for a text, key or value, that could not be stored; `loads` limits depth."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise StrictJsonError("a text holds NUL or half a surrogate pair")
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_texts(key)
            _check_texts(member)
    elif isinstance(value, list):
        for member in value:
            _check_texts(member)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_number, parse_int=_whole, parse_constant=_constant
)
