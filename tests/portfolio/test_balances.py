"""Cash of an account: total = locked + free, and neither locked nor free goes below zero."""

import pytest

from portfolio.domain.balances import BalanceState, NegativeBalanceError


def test_free_is_what_is_not_locked() -> None:
    balance = BalanceState(total=100)

    balance.lock(30)
    assert (balance.total, balance.locked, balance.free) == (100, 30, 70)
    balance.move(-70)
    assert (balance.total, balance.locked, balance.free) == (30, 30, 0)
    balance.lock(-30)
    assert (balance.total, balance.locked, balance.free) == (30, 0, 30)


def test_one_unit_too_much_cannot_be_taken() -> None:
    with pytest.raises(NegativeBalanceError):
        BalanceState(total=100, locked=30).move(-71)


def test_one_unit_too_much_cannot_be_locked() -> None:
    with pytest.raises(NegativeBalanceError):
        BalanceState(total=100, locked=30).lock(71)


def test_more_than_is_locked_cannot_be_given_back() -> None:
    with pytest.raises(NegativeBalanceError):
        BalanceState(total=100, locked=30).lock(-31)


def test_house_and_street_may_owe() -> None:
    balance = BalanceState(is_overdraft_allowed=True)

    balance.move(-5)

    assert (balance.total, balance.free) == (-5, -5)


def test_not_even_the_house_locks_less_than_nothing() -> None:
    with pytest.raises(NegativeBalanceError):
        BalanceState(is_overdraft_allowed=True).lock(-1)
