"""Deposits and adjustments: one transfer with the house, as far as free cash goes."""

from uuid import UUID

import pytest

from orders.domain import commands
from orders.domain.replies import DoneReply
from tests.simulation.floor import ALICE, HOUSE, Floor, cash_of


def house_cash(floor: Floor) -> str:
    return cash_of(floor.state.accounts[HOUSE])


def test_deposit_comes_from_the_house() -> None:
    floor = Floor(cash="0")

    assert floor.deposit("alice", "250.5") == "250.5"

    assert floor.transfers == ["1 pays 3 250.5"]
    assert floor.events == ["CashDeposited 250.5"]
    assert house_cash(floor) == "-250.5"
    floor.check()


def test_adjustment_may_take_cash_out_down_to_nothing() -> None:
    floor = Floor(cash="100")

    assert floor.deposit("alice", "-100", "ADJUSTMENT") == "0"

    assert floor.transfers == ["3 pays 1 100"]
    assert floor.events == ["CashAdjusted 0"]
    floor.check()


def test_held_cash_cannot_be_taken_out() -> None:
    floor = Floor(cash="100")
    floor.place("alice-1", "BUY 1 @ 40")

    assert floor.deposit("alice", "-60.00000001", "ADJUSTMENT") == "FUNDS_INSUFFICIENT"
    assert floor.changes.is_empty
    assert floor.cash("alice") == "100 (40 locked)"

    assert floor.deposit("alice", "-60", "ADJUSTMENT") == "40 (40 locked)"


@pytest.mark.parametrize("amount", ["0", "0.000000001", "10000000000.00000001", "-10000000001"])
def test_amount_out_of_bounds_is_refused(amount: str) -> None:
    floor = Floor()

    assert floor.deposit("alice", amount) == "AMOUNT_INVALID"

    assert floor.changes.is_empty
    assert floor.cash("alice") == "10000"


@pytest.mark.parametrize("amount", ["0.00000001", "10000000000"])
def test_amount_at_the_bound_passes(amount: str) -> None:
    floor = Floor(cash="0")

    assert floor.deposit("alice", amount) == amount


def test_opening_an_account_twice_changes_nothing() -> None:
    floor = Floor()
    again = floor.state.accounts[ALICE]

    reply = floor.do(commands.OpenAccount(ALICE, UUID(again.public_id), "CASH", "USD"))

    assert reply == DoneReply()
    assert floor.state.accounts[ALICE] is again
    assert floor.cash("alice") == "10000"
