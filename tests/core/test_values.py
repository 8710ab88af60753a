"""Money, prices and quantities: exact, on their grid, and never mixed."""

from decimal import Decimal, Inexact

import pytest

from core.domain.values import Money, OffGridError, Price, Quantity, notional, steps_of


@pytest.mark.parametrize(
    ("value", "step", "steps"),
    [("100.05", "0.05", 2001), ("999999999999999999.99999999", "0.00000001", 10**26 - 1)],
)
def test_steps_are_counted_exactly(value: str, step: str, steps: int) -> None:
    assert steps_of(Decimal(value), Decimal(step)) == steps


@pytest.mark.parametrize("value", ["100.01", "0.049999999", "NaN", "Infinity"])
def test_a_value_off_the_grid_is_refused(value: str) -> None:
    with pytest.raises(OffGridError):
        steps_of(Decimal(value), Decimal("0.05"))


def test_a_price_knows_its_ticks_and_a_quantity_its_lots() -> None:
    assert Price(Decimal("432.10"), Decimal("0.05")).ticks == 8642
    assert Quantity(Decimal("0.0015"), Decimal("0.0001")).lots == 15


def test_a_notional_keeps_every_digit() -> None:
    price = Price(Decimal("99999999999999999.99"), Decimal("0.01"))
    quantity = Quantity(Decimal("99999999.99999999"), Decimal("0.00000001"))

    assert notional(price, quantity, "USD") == Money(
        Decimal("9999999999999998999000000.0000000001"), "USD"
    )


def test_money_of_two_currencies_does_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot combine"):
        Money(Decimal(1), "USD") + Money(Decimal(1), "EUR")


def test_money_keeps_every_digit() -> None:
    large = Money(Decimal("99999999999999999999.99999999"), "USD")

    assert (large + large).amount == Decimal("199999999999999999999.99999998")
    assert large - large == Money(Decimal(0), "USD")
    assert -large == Money(Decimal("-99999999999999999999.99999999"), "USD")


def test_money_that_would_be_rounded_raises() -> None:
    with pytest.raises(Inexact):
        Money(Decimal("1E+40"), "USD") + Money(Decimal("1E-30"), "USD")
