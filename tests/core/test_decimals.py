"""Numbers from outside: exact, plain, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.decimals import DecimalSyntaxError, decimal_from_json, parse_decimal, to_wire

HOSTILE = [
    "NaN", "sNaN", "Infinity", "-Infinity", "inf", "1e400", "1e-400", "1E999999999", "1E3",
    "1_000", "１２", "٣", " 5 ", "5 ", "\t5", "5\n", "+5", "1,5", "1.", ".5", "--1", "-", "",
    "0x10", "01", "00", "1.1.1", "1e", "²", "½", "1\0", "1" * 19, "0." + "1" * 10, "9" * 5000, "−1",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(DecimalSyntaxError):
        parse_decimal(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("12.50", "12.5"),
        ("-3", "-3"),
        ("999999999999999999.999999999", "999999999999999999.999999999"),
        ("0.000000001", "0.000000001"),
    ],
)
def test_a_plain_decimal_is_read_exactly(text: str, value: str) -> None:
    assert parse_decimal(text) == Decimal(value)


@pytest.mark.parametrize("text", ["-0", "-0.0", "-0.000000000", "0.00"])
def test_minus_zero_is_zero(text: str) -> None:
    value = parse_decimal(text)

    assert value == 0
    assert not value.is_signed()


@pytest.mark.parametrize("value", [True, False, None, [], {}, 1.5, b"1", object()])
def test_only_texts_ints_and_decimals_are_numbers(value: object) -> None:
    with pytest.raises(DecimalSyntaxError):
        decimal_from_json(value)


@pytest.mark.parametrize("value", [5, Decimal("5"), "5", Decimal("5E+0")])
def test_a_number_and_its_text_mean_the_same(value: object) -> None:
    assert decimal_from_json(value) == Decimal(5)


@pytest.mark.parametrize("value", [10**18, Decimal("1E+18"), Decimal("1E-10"), Decimal("NaN")])
def test_a_number_out_of_range_is_refused(value: object) -> None:
    with pytest.raises(DecimalSyntaxError):
        decimal_from_json(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12.50", "12.5"),
        ("0", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("1E-8", "0.00000001"),
        ("100", "100"),
        ("-0.10", "-0.1"),
    ],
)
def test_the_wire_shows_plain_notation(value: str, text: str) -> None:
    assert to_wire(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_never_reaches_the_wire(value: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        to_wire(Decimal(value))


@given(
    st.decimals(
        min_value=Decimal(-(10**18)) + 1,
        max_value=Decimal(10**18) - 1,
        places=8,
        allow_nan=False,
        allow_infinity=False,
    )
)
def test_wire_and_back_is_the_same_value(value: Decimal) -> None:
    assert parse_decimal(to_wire(value)) == value


@given(st.text(max_size=40))
def test_any_text_is_read_exactly_or_refused(text: str) -> None:
    try:
        value = parse_decimal(text)
    except DecimalSyntaxError:
        return
    assert value.is_finite()
    assert value == Decimal(text)
