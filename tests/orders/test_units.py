"""Decimals to the engine's integers and back: exact, plain and half up where a mean is told."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.decimals import to_wire
from core.domain.units import (
    average_units,
    decimal_to_units,
    divide_half_up,
    units_to_decimal,
    units_to_wire,
)

WIRE = {
    0: "0",
    1: "0.00000001",
    -1: "-0.00000001",
    10_000_000: "0.1",
    100_000_000: "1",
    -100_000_000: "-1",
    1_250_000_000: "12.5",
    -1_250_000_000: "-12.5",
    10**18 + 1: "10000000000.00000001",
}


@pytest.mark.parametrize("units", WIRE)
def test_wire_notation_is_plain(units: int) -> None:
    assert units_to_wire(units) == WIRE[units]


@settings(derandomize=True, deadline=None)
@given(st.integers(-(10**27), 10**27))
def test_there_and_back(units: int) -> None:
    assert decimal_to_units(Decimal(units_to_wire(units))) == units
    assert units_to_wire(units) == to_wire(units_to_decimal(units))


@pytest.mark.parametrize("text", ["0.000000001", "1.123456789", "-0.000000005"])
def test_finer_than_a_unit_is_no_number_of_units(text: str) -> None:
    assert decimal_to_units(Decimal(text)) is None


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10**20), st.integers(1, 10**16))
def test_average_is_rounded_half_up(total: int, quantity: int) -> None:
    exact = Fraction(total * 10**8, quantity)

    average = average_units(total, quantity)

    assert average - Fraction(1, 2) <= exact < average + Fraction(1, 2)


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10**18), st.integers(1, 10**16))
def test_decimals_and_units_give_the_same_average(total: int, quantity: int) -> None:
    average = divide_half_up(units_to_decimal(total), units_to_decimal(quantity))

    assert decimal_to_units(average) == average_units(total, quantity)
