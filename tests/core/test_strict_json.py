"""JSON with one meaning, and refusals that cost nothing."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import strict_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b"{}\0",
        b"\xef\xbb\xbf{}",
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 2}',
        b'[{"a": {"b": 1, "b": 1}}]',
        b"[1,]",
        b"{'a': 1}",
        b'{"a": undefined}',
        b'"\xff"',
        b'"a\nb"',
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'{"a": ["\\ud800"]}',
        b'"\\udc00\\ud800"',
        b'"\\x41"',
        b"[" * 9 + b"]" * 9,
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"01",
        b"1_000",
        b"+1",
        b".5",
        b"0x10",
        "１２".encode(),
        b'{"a": 1}'.decode().encode("utf-16"),
        b'"' + b"x" * 65_536 + b'"',
        b"//{}\n{}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_doubtful_json_is_refused(body: bytes) -> None:
    with pytest.raises(strict_json.StrictJsonError):
        strict_json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"NaN", b"Infinity", b"-Infinity", b"1e400", b"1e-400", b"1E999999999",
        b"1e99999999999999999999", b"-1e99999999999999999999", b"1e-99999999999999999999",
        b"0e999999999999999999999", b"1" * 19, b"9" * 5_000, b"0." + b"1" * 10,
        b"1." + b"0" * 5_000, b"0.30000000000000004",
    ],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_a_number_that_is_none_is_refused_as_one(body: bytes) -> None:
    with pytest.raises(strict_json.NumberRefusedError):
        strict_json.loads(b'{"qty": ' + body + b"}")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"5", 5),
        (b"-0", 0),
        (b"0.1", Decimal("0.1")),
        (b"-0.0", Decimal(0)),
        (b"1e-05", Decimal("0.00001")),
        (b"1E+2", Decimal(100)),
        (b"999999999999999999", 999999999999999999),
        (b"true", True),
        (b"null", None),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'{"a": [1.50, "x"]}', {"a": [Decimal("1.5"), "x"]}),
        (b'"[[[[[[[[[[[["', "[[[[[[[[[[[["),
        (b'"\\"[[[[[[[[[[["', '"[[[[[[[[[[['),
    ],
)
def test_plain_json_is_read_exactly(body: bytes, value: object) -> None:
    result = strict_json.loads(body)

    assert result == value
    assert type(result) is type(value)


def test_no_number_becomes_a_float() -> None:
    value = strict_json.loads(b'{"a": 1.5, "b": [2e3, 3]}')

    assert type(value["a"]) is Decimal
    assert [type(member) for member in value["b"]] == [Decimal, int]


@pytest.mark.parametrize(
    "body", [b'\\"' * 32_000, b'"' * 65_000, b'"\\' * 32_000, b"\\" * 65_000, b'[" ' * 20_000]
)
def test_a_hostile_body_is_refused_in_linear_time(body: bytes) -> None:
    started = time.process_time()

    with pytest.raises(strict_json.StrictJsonError):
        strict_json.loads(body)

    # A quadratic scan took 15 s here; the bound is loose on purpose.
    assert time.process_time() - started < 1


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        strict_json.loads(body)
    except strict_json.StrictJsonError:
        return


@given(st.text(alphabet='{}[]",:\\u0018dDeE-+. "a', max_size=80))
def test_anything_like_json_is_read_or_refused(text: str) -> None:
    try:
        strict_json.loads(text.encode())
    except strict_json.StrictJsonError:
        return
