"""Average cost and realized profit, long and (for the street) short; rounding loses no unit."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portfolio.domain.positions import PositionState, apply_fill

Fill = tuple[int, int]
"""Signed quantity and the whole notional, both in engine integers."""


def after(fills: Sequence[Fill]) -> PositionState:
    position = PositionState()
    for signed_quantity, notional in fills:
        apply_fill(position, signed_quantity, notional)
    return position


# Fills → quantity, cost, realized.
PATHS = {
    "bought": ([(5, 500)], (5, 500, 0)),
    "bought twice": ([(5, 500), (5, 600)], (10, 1100, 0)),
    "sold in part at a profit": ([(10, 1000), (-4, 440)], (6, 600, 40)),
    "sold in part at a loss": ([(10, 1000), (-4, 360)], (6, 600, -40)),
    "sold all": ([(10, 1000), (-10, 1100)], (0, 0, 100)),
    "bought again after selling all": ([(5, 500), (-5, 600), (2, 300)], (2, 300, 100)),
    "share of the cost is rounded down": ([(3, 100), (-1, 40)], (2, 67, 7)),
    "last part takes the whole rest": ([(3, 100), (-1, 40), (-1, 40), (-1, 40)], (0, 0, 20)),
    "sold short": ([(-5, 500)], (-5, -500, 0)),
    "short bought back at a profit": ([(-10, 1000), (4, 360)], (-6, -600, 40)),
    "short bought back at a loss": ([(-10, 1000), (4, 440)], (-6, -600, -40)),
    "short share is rounded toward zero": ([(-3, 100), (1, 30)], (-2, -67, 3)),
    "short closed": ([(-3, 100), (3, 90)], (0, 0, 10)),
    "from long to short": ([(5, 500), (-8, 880)], (-3, -330, 50)),
    "from short to long": ([(-5, 500), (8, 720)], (3, 270, 50)),
    "turned with a notional that does not divide": ([(1, 10), (-3, 32)], (-2, -22, 0)),
}


@pytest.mark.parametrize("name", PATHS)
def test_path(name: str) -> None:
    fills, expected = PATHS[name]

    position = after(fills)

    assert (position.quantity, position.cost, position.realized) == expected
    assert position.locked == 0


fills_strategy = st.lists(
    st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10**6) | st.integers(1, 10**17)),
    max_size=30,
)


@settings(derandomize=True, deadline=None)
@given(fills_strategy)
def test_no_unit_is_made_or_lost(fills: list[Fill]) -> None:
    position = after(fills)

    paid = sum(notional if quantity > 0 else -notional for quantity, notional in fills)
    assert position.cost - position.realized == paid
    assert position.quantity == sum(quantity for quantity, _ in fills)


@settings(derandomize=True, deadline=None)
@given(fills_strategy)
def test_cost_has_the_sign_of_the_quantity_and_none_without(fills: list[Fill]) -> None:
    position = after(fills)

    assert position.cost == 0 if position.quantity == 0 else True
    assert position.cost * position.quantity >= 0


@settings(derandomize=True, deadline=None)
@given(fills_strategy)
def test_street_mirrors_its_customer(fills: list[Fill]) -> None:
    customer = after(fills)

    street = after([(-quantity, notional) for quantity, notional in fills])

    assert street.quantity == -customer.quantity
    assert street.cost == -customer.cost
    assert street.realized == -customer.realized


@settings(derandomize=True, deadline=None)
@given(fills_strategy)
def test_cost_stays_within_a_unit_a_fill_of_the_exact_average(fills: list[Fill]) -> None:
    position = after(fills)

    exact = exact_cost(fills)
    assert abs(position.cost - exact) <= 2 * len(fills)


def exact_cost(fills: Sequence[Fill]) -> Fraction:
    """The cost in exact fractions, by the average-cost rule."""
    quantity, cost = 0, Fraction(0)
    for signed, notional in fills:
        price = Fraction(notional, abs(signed))
        closing = min(abs(quantity), abs(signed)) if quantity * signed < 0 else 0
        if closing:
            cost -= cost * closing / abs(quantity)
        opened = abs(signed) - closing
        cost += price * opened * (1 if signed > 0 else -1)
        quantity += signed
    return cost
