"""Margin and short selling: what opens, what closes, what is held and refused (L1 to L8)."""

from decimal import Decimal

import pytest

from orders.domain import commands
from orders.domain.market_commands import CheckMargin
from orders.domain.replies import DoneReply, WhatIfReply
from orders.engine.margin import margin_of
from portfolio.domain.margin import MarginState
from tests.simulation.floor import ALICE, HOUSE, Floor, denial, submit_command


def margin_floor(
    multiplier: int = 2, cash: str = "1000", *, is_shorting_enabled: bool = True
) -> Floor:
    """Alice has a margin account; the street stands at 99 and 101."""
    floor = Floor(cash=cash)
    set_margin(floor, multiplier, is_shorting_enabled=is_shorting_enabled)
    floor.quote(bids="99x100", asks="101x100")
    return floor


def set_margin(floor: Floor, multiplier: int, *, is_shorting_enabled: bool = False) -> str:
    command = commands.SetMargin(ALICE, multiplier, is_shorting_enabled, "r", "a reason")
    reply = floor.do(command)
    return "DONE" if isinstance(reply, DoneReply) else denial(reply)


def margin(floor: Floor) -> MarginState:
    return margin_of(floor.state, floor.state.accounts[ALICE], floor.now_ns)


def test_a_margin_account_buys_with_a_loan() -> None:
    floor = margin_floor()

    assert floor.place("alice-1", "BUY 15 @ 101") == "FILLED 15/15"

    assert floor.cash("alice") == "-515"
    state = margin(floor)
    assert (state.long_value, state.equity) == (150_000_000_000, 98_500_000_000)
    assert (state.initial, state.maintenance) == (75_000_000_000, 37_500_000_000)
    assert state.buying_power == 47_000_000_000
    floor.check()


@pytest.mark.parametrize(("multiplier", "held"), [(2, "500"), (4, "250")])
def test_an_opening_buy_holds_its_initial_requirement(multiplier: int, held: str) -> None:
    floor = margin_floor(multiplier)

    floor.place("alice-1", "BUY 10 @ 100")

    assert floor.cash("alice") == f"1000 ({held} locked)"
    floor.cancel("alice-1")
    assert floor.cash("alice") == "1000"


def test_excess_short_by_a_unit_is_refused_and_exactly_enough_is_enough() -> None:
    floor = margin_floor(cash="499.99999999")

    assert floor.place("alice-1", "BUY 10 @ 100") == "FUNDS_INSUFFICIENT"
    assert floor.changes.is_empty

    floor.deposit("alice", "0.00000001")
    assert floor.place("alice-2", "BUY 10 @ 100") == "ACCEPTED 0/10"
    assert margin(floor).excess == 0


def test_a_short_sale_opens_and_a_buy_closes_it() -> None:
    floor = margin_floor()

    assert floor.place("alice-1", "SELL 5 MARKET") == "FILLED 5/5"
    assert floor.position("alice") == "-5 for -495 realized 0"
    assert floor.cash("alice") == "1495"
    state = margin(floor)
    assert (state.short_value, state.equity) == (-50_000_000_000, 99_500_000_000)
    assert (state.initial, state.maintenance) == (25_000_000_000, 15_000_000_000)

    assert floor.place("alice-2", "BUY 5 MARKET") == "FILLED 5/5"
    assert floor.position("alice") == "0 for 0 realized -10"
    assert floor.cash("alice") == "990"
    floor.check()


def test_a_closing_buy_holds_quantity_and_no_cash() -> None:
    floor = margin_floor()
    floor.place("alice-1", "SELL 5 MARKET")

    assert floor.place("alice-2", "BUY 3 @ 90") == "ACCEPTED 0/3"

    assert floor.cash("alice") == "1495"
    assert floor.position("alice") == "-5 (3 locked) for -495 realized 0"
    assert floor.place("alice-3", "BUY 3 @ 90") == "POSITION_INSUFFICIENT"
    assert floor.place("alice-4", "BUY 2 @ 90") == "ACCEPTED 0/2"
    floor.check()


def test_no_order_turns_a_position_around() -> None:
    floor = margin_floor()
    floor.place("alice-1", "BUY 5 MARKET")

    assert floor.place("alice-2", "SELL 6 MARKET") == "POSITION_INSUFFICIENT"
    assert floor.place("alice-3", "SELL 5 MARKET") == "FILLED 5/5"
    assert floor.place("alice-4", "SELL 1 MARKET") == "FILLED 1/1"
    assert floor.place("alice-5", "BUY 2 MARKET") == "POSITION_INSUFFICIENT"


@pytest.mark.parametrize(
    ("first", "second"), [("BUY 1 @ 90", "SELL 1 @ 120"), ("SELL 1 @ 120", "BUY 1 @ 90")]
)
def test_orders_that_open_on_both_sides_do_not_stand_together(first: str, second: str) -> None:
    floor = margin_floor()
    floor.place("alice-1", first)

    assert floor.place("alice-2", second) == "OPENING_ORDERS_MIXED"

    floor.cancel("alice-1")
    assert floor.place("alice-3", second) == "ACCEPTED 0/1"


def test_a_short_sale_holds_at_the_mark_when_that_is_higher() -> None:
    floor = margin_floor(4)
    floor.quote(bids="99x5", asks="106x5")  # the mark is 102.5

    floor.place("alice-1", "SELL 2 @ 100")
    assert floor.cash("alice") == "1000 (102.5 locked)"  # half, whatever the multiplier
    floor.cancel("alice-1")
    floor.place("alice-2", "SELL 2 @ 110")
    assert floor.cash("alice") == "1000 (110 locked)"


def test_short_selling_needs_to_be_enabled_and_wanted() -> None:
    floor = margin_floor(is_shorting_enabled=False)
    assert floor.place("alice-1", "SELL 1 MARKET") == "POSITION_INSUFFICIENT"

    set_margin(floor, 2, is_shorting_enabled=True)
    floor.do(commands.ConfigureAccount(ALICE, None, True, "r"))
    assert floor.place("alice-2", "SELL 1 MARKET") == "POSITION_INSUFFICIENT"

    floor.do(commands.ConfigureAccount(ALICE, None, False, "r"))
    assert floor.place("alice-3", "SELL 1 MARKET") == "FILLED 1/1"


def test_crypto_is_neither_sold_short_nor_bought_on_credit() -> None:
    floor = margin_floor(4)
    floor.quote(bids="99x100", asks="101x100", symbol="BTC/USD")

    assert floor.place("alice-1", "SELL 1 MARKET", symbol="BTC/USD") == "NOT_SHORTABLE"
    assert floor.place("alice-2", "BUY 10 @ 101", symbol="BTC/USD") == "FUNDS_INSUFFICIENT"
    floor.place("alice-3", "BUY 9 @ 90", symbol="BTC/USD")
    assert floor.cash("alice") == "1000 (810 locked)"


def test_fees_are_held_on_top_of_the_requirement() -> None:
    floor = margin_floor()
    floor.do(commands.SetFeeTier("T1", "Tier", Decimal(0), Decimal(10), "r"))
    floor.do(commands.SetAccountTier(ALICE, "T1", "r"))

    floor.place("alice-1", "BUY 10 @ 100")

    assert floor.cash("alice") == "1000 (501 locked)"


def test_marks_are_the_middle_then_the_last_trade_then_the_cost() -> None:
    floor = margin_floor()
    floor.place("alice-1", "BUY 4 MARKET")
    assert margin(floor).long_value == 40_000_000_000

    floor.quote(bids="95x5")
    assert margin(floor).long_value == 40_400_000_000  # the last trade: its own, at 101
    floor.state.instruments["AAPL"].last_trade = None
    assert margin(floor).long_value == 40_400_000_000  # its cost


def test_cash_goes_out_as_far_as_the_excess() -> None:
    floor = margin_floor()
    floor.place("alice-1", "BUY 10 @ 101")  # cash -10, worth 1000, requires 500

    assert floor.deposit("alice", "-1", "ADJUSTMENT") == "FUNDS_INSUFFICIENT"
    floor.deposit("alice", "300")
    assert floor.deposit("alice", "-290.00000001", "ADJUSTMENT") == "FUNDS_INSUFFICIENT"
    assert floor.deposit("alice", "-290", "ADJUSTMENT") == "0"


def test_margin_is_set_without_open_orders_and_taken_back_without_debt() -> None:
    floor = margin_floor()
    floor.place("alice-1", "BUY 1 @ 90")
    assert set_margin(floor, 4) == "MARGIN_ORDERS_OPEN"
    floor.cancel("alice-1")

    floor.place("alice-2", "SELL 1 MARKET")
    assert set_margin(floor, 2, is_shorting_enabled=False) == "MARGIN_IN_USE"
    floor.place("alice-3", "BUY 1 MARKET")
    floor.place("alice-4", "BUY 15 MARKET")
    assert set_margin(floor, 1) == "MARGIN_IN_USE"
    floor.place("alice-5", "SELL 15 MARKET")
    assert set_margin(floor, 1) == "DONE"
    assert floor.place("alice-6", "SELL 1 MARKET") == "POSITION_INSUFFICIENT"
    assert floor.place("alice-7", "BUY 11 MARKET") == "FUNDS_INSUFFICIENT"


@pytest.mark.parametrize(("multiplier", "is_shorting"), [(0, False), (3, False), (1, True)])
def test_margin_that_cannot_be_is_refused(multiplier: int, is_shorting: bool) -> None:
    floor = Floor()

    assert set_margin(floor, multiplier, is_shorting_enabled=is_shorting) == "MARGIN_INVALID"
    assert floor.changes.is_empty


def test_the_house_is_no_margin_account() -> None:
    reply = Floor().do(commands.SetMargin(HOUSE, 2, False, "r"))

    assert denial(reply) == "ACCOUNT_UNKNOWN"


def test_a_cash_account_is_what_it_was() -> None:
    floor = Floor(cash="1000")
    floor.quote(bids="99x100", asks="101x100")

    assert floor.place("charlie-1", "SELL 1 MARKET") == "POSITION_INSUFFICIENT"
    assert floor.place("charlie-2", "BUY 10 @ 101") == "FUNDS_INSUFFICIENT"
    assert floor.place("charlie-3", "BUY 9 @ 101") == "FILLED 9/9"


@pytest.mark.parametrize(
    ("held", "text", "call"),
    [
        ("", "BUY 10 @ 100", ("below", None)),
        ("", "BUY 15 @ 100", ("below", "44.45")),
        ("BUY 10 @ 101", "BUY 5 MARKET", ("below", "45.78")),
        ("", "SELL 10 @ 100", ("above", "153.84")),
        ("BUY 10 @ 101", "SELL 10 MARKET", ("", None)),
    ],
)
def test_what_if_tells_from_which_price_on_the_account_would_be_called(
    held: str, text: str, call: tuple[str, str | None]
) -> None:
    floor = margin_floor()
    if held:
        floor.place("alice-1", held)

    reply = floor.do(commands.WhatIf(submit_command("alice-2", text)))

    assert isinstance(reply, WhatIfReply)
    assert reply.denied is None
    assert reply.outlook is not None
    assert (reply.outlook.call_side, reply.outlook.call_price) == call


@pytest.mark.parametrize(
    ("text", "called", "kept"),
    [("BUY 15 @ 100", "44.44", "44.45"), ("SELL 10 @ 100", "153.85", "153.84")],
)
def test_the_account_is_called_beyond_that_price_and_not_at_it(
    text: str, called: str, kept: str
) -> None:
    floor = margin_floor()
    is_buy = text.startswith("BUY")
    floor.quote(bids="99x20" if is_buy else "100x20", asks="100x20" if is_buy else "101x20")
    assert floor.place("alice-1", text).startswith("FILLED")

    for price, is_called in ((kept, False), (called, True)):
        middle = Decimal(price)
        floor.quote(bids=f"{middle - 1}x20", asks=f"{middle + 1}x20")
        floor.do(CheckMargin())
        assert (floor.state.accounts[ALICE].call is not None) is is_called
