"""Refusals before acceptance: each reason, its facts, and that nothing whatever has changed."""

from decimal import Decimal

import pytest

from orders.domain import commands
from orders.domain.replies import DeniedReply
from orders.domain.values import OrderType, Side, TimeInForce
from risk.domain.limits import MAX_OPEN_ORDERS_PER_ACCOUNT
from tests.simulation.dump import dump
from tests.simulation.floor import ALICE, HOUSE, STREET, Floor, order_id_of


def submit(**different: object) -> commands.SubmitOrder:
    """A command that would pass, but for what is different."""
    fields: dict[str, object] = {
        "order_id": order_id_of("alice-x"),
        "account_id": ALICE,
        "symbol": "AAPL",
        "client_order_id": "",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": Decimal(1),
        "limit_price": Decimal(100),
        "submitted_by_id": 11,
        "request_id": "request",
    }
    return commands.SubmitOrder(**{**fields, **different})  # type: ignore[arg-type]


@pytest.fixture
def floor() -> Floor:
    """Alice has 10 shares, an offer of 4 of them at 120 and 9000 in cash; the street offers too."""
    floor = Floor()
    floor.give("alice", "10", "100")
    floor.place("alice-offer", "SELL 4 @ 120")
    floor.quote(bids="99x5", asks="101x5")
    return floor


def refusal(floor: Floor, command: commands.AnyCommand) -> DeniedReply:
    """The refusal of `command`, after a look that it changed nothing."""
    before = dump(floor.state)
    reply = floor.do(command)
    assert isinstance(reply, DeniedReply), reply
    assert dump(floor.state) == before
    assert floor.changes.is_empty
    assert not floor.changes.balances
    assert not floor.changes.holds
    assert not floor.changes.books
    return reply


BIG = Decimal(10) ** 18
REFUSALS: dict[str, tuple[dict[str, object], str]] = {
    "unknown account": ({"account_id": 99}, "ACCOUNT_UNKNOWN"),
    "the house": ({"account_id": HOUSE}, "ACCOUNT_UNKNOWN"),
    "the street": ({"account_id": STREET}, "ACCOUNT_UNKNOWN"),
    "unknown symbol": ({"symbol": "NONE"}, "INSTRUMENT_UNKNOWN"),
    "symbol in small letters": ({"symbol": "aapl"}, "INSTRUMENT_UNKNOWN"),
    "nothing": ({"quantity": Decimal(0)}, "QUANTITY_OUT_OF_RANGE"),
    "less than nothing": ({"quantity": Decimal(-1)}, "QUANTITY_OUT_OF_RANGE"),
    "huge quantity": ({"quantity": BIG}, "QUANTITY_OUT_OF_RANGE"),
    "half a lot": ({"quantity": Decimal("0.5")}, "QUANTITY_OFF_LOT"),
    "finer than any number": ({"quantity": Decimal("1.000000001")}, "QUANTITY_OFF_LOT"),
    "no price": ({"limit_price": None}, "PRICE_REQUIRED"),
    "price of a market order": ({"type": OrderType.MARKET}, "PRICE_NOT_ALLOWED"),
    "price zero": ({"limit_price": Decimal(0)}, "PRICE_OUT_OF_RANGE"),
    "price below zero": ({"limit_price": Decimal(-1)}, "PRICE_OUT_OF_RANGE"),
    "huge price": ({"limit_price": BIG}, "PRICE_OUT_OF_RANGE"),
    "half a tick": ({"limit_price": Decimal("100.005")}, "PRICE_OFF_TICK"),
    "price finer than any number": ({"limit_price": Decimal("1.000000001")}, "PRICE_OFF_TICK"),
    "value too large": (
        {"quantity": Decimal(100_000_000), "limit_price": Decimal("10.01")},
        "NOTIONAL_ABOVE_MAXIMUM",
    ),
    "value too small": (
        {"symbol": "BTC/USD", "quantity": Decimal("0.0001"), "limit_price": Decimal("9999.99")},
        "NOTIONAL_BELOW_MINIMUM",
    ),
    "against the own offer": ({"limit_price": Decimal(120)}, "SELF_TRADE"),
    "market order against the own offer": (
        {"type": OrderType.MARKET, "limit_price": None},
        "SELF_TRADE",
    ),
    "one cent short": (
        {"quantity": Decimal(100), "limit_price": Decimal("90.01")},
        "FUNDS_INSUFFICIENT",
    ),
    "more than the free position": (
        {"side": Side.SELL, "quantity": Decimal(7), "limit_price": Decimal(130)},
        "POSITION_INSUFFICIENT",
    ),
    "never owned": (
        {"side": Side.SELL, "symbol": "BTC/USD", "limit_price": Decimal(60000)},
        "POSITION_INSUFFICIENT",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusal_changes_nothing(floor: Floor, case: str) -> None:
    different, reason = REFUSALS[case]

    assert refusal(floor, submit(**different)).reason == reason


def test_halted_instrument_refuses_and_nothing_changes(floor: Floor) -> None:
    floor.set_status("HALTED")

    assert refusal(floor, submit()).reason == "INSTRUMENT_HALTED"


def test_market_order_without_another_side_is_refused(floor: Floor) -> None:
    floor.quote(asks="101x5")
    market = submit(side=Side.SELL, type=OrderType.MARKET, limit_price=None)

    assert refusal(floor, market).reason == "LIQUIDITY_NONE"


def test_exact_funds_pass_and_leave_nothing_free(floor: Floor) -> None:
    assert floor.place("alice-1", "BUY 100 @ 90") == "ACCEPTED 0/100"

    assert floor.cash("alice") == "9000 (9000 locked)"
    assert floor.place("alice-2", "BUY 1 @ 0.01") == "FUNDS_INSUFFICIENT"


def test_exact_funds_pass_for_a_market_order() -> None:
    floor = Floor(cash="506")
    floor.quote(asks="101x3 101.5x2")

    assert floor.place("alice-1", "BUY 5 MARKET") == "FILLED 5/5"

    assert floor.cash("alice") == "0"


def test_market_order_one_cent_short_is_refused_before_it_trades() -> None:
    floor = Floor(cash="505.99")
    floor.quote(asks="101x3 101.5x2")

    assert floor.place("alice-1", "BUY 5 MARKET") == "FUNDS_INSUFFICIENT"

    assert floor.cash("alice") == "505.99"
    assert floor.position("alice") == "none"


def test_market_order_pays_only_for_what_the_market_has() -> None:
    floor = Floor(cash="303")
    floor.quote(asks="101x3")

    outcome = floor.place("alice-1", "BUY 1000 MARKET")

    assert outcome == "CANCELED 3/1000 LIQUIDITY_EXHAUSTED"
    assert floor.cash("alice") == "0"


def test_exact_free_position_passes(floor: Floor) -> None:
    assert floor.place("alice-1", "SELL 6 @ 130") == "ACCEPTED 0/6"

    assert floor.position("alice") == "10 (10 locked) for 1000 realized 0"
    assert floor.place("alice-2", "SELL 1 @ 130") == "POSITION_INSUFFICIENT"


def test_value_exactly_at_the_bounds_passes() -> None:
    floor = Floor()
    for _ in range(2):
        floor.deposit("alice", "1000000000")

    largest = floor.place("alice-1", "BUY 100000000 @ 10")
    smallest = floor.place("alice-2", "BUY 0.0001 @ 10000", symbol="BTC/USD")

    assert (largest, smallest) == ("ACCEPTED 0/100000000", "ACCEPTED 0/0.0001")


def test_own_order_that_the_limit_does_not_reach_is_no_self_trade(floor: Floor) -> None:
    assert floor.place("alice-1", "BUY 1 @ 119.99 IOC").startswith("FILLED")


def test_bob_shares_the_account_so_he_trades_with_himself(floor: Floor) -> None:
    floor.quote()

    assert floor.place("bob-1", "BUY 1 @ 120") == "SELF_TRADE"
    assert floor.place("charlie-1", "BUY 1 @ 120") == "FILLED 1/1"


def test_open_orders_have_a_bound_per_account(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_OPEN_ORDERS_PER_ACCOUNT == 100_000
    monkeypatch.setattr("risk.domain.checks.MAX_OPEN_ORDERS_PER_ACCOUNT", 2)
    assert floor.place("alice-1", "BUY 1 @ 90") == "ACCEPTED 0/1"  # with the offer: two

    denied = refusal(floor, submit(limit_price=Decimal(90)))

    assert (denied.reason, denied.facts) == ("OPEN_ORDERS_EXCEEDED", {"open_orders": "2"})
    assert floor.place("charlie-1", "BUY 1 @ 90") == "ACCEPTED 0/1"
    floor.cancel("alice-1")
    assert floor.place("alice-2", "BUY 1 @ 90") == "ACCEPTED 0/1"


FACTS: dict[str, tuple[dict[str, object], dict[str, str], str]] = {
    "FUNDS_INSUFFICIENT": (
        {"quantity": Decimal(100), "limit_price": Decimal("90.01")},
        {"required": "9001", "available": "9000", "currency": "USD"},
        "insufficient balance for USD (requested: 9001, available: 9000). Lower the quantity or"
        " the price, or cancel orders that hold cash.",
    ),
    "POSITION_INSUFFICIENT": (
        {"side": Side.SELL, "quantity": Decimal(7), "limit_price": Decimal(130)},
        {
            "requested": "7",
            "available": "6",
            "existing_qty": "10",
            "held_for_orders": "4",
            "symbol": "AAPL",
        },
        "insufficient qty available for order (requested: 7, available: 6)",
    ),
    "PRICE_OFF_TICK": (
        {"limit_price": Decimal("100.005")},
        {"limit_price": "100.005", "tick_size": "0.01", "symbol": "AAPL"},
        "invalid limit_price 100.005. It must be a multiple of 0.01 for AAPL.",
    ),
    "QUANTITY_OFF_LOT": (
        {"quantity": Decimal("0.5")},
        {"quantity": "0.5", "lot_size": "1", "symbol": "AAPL"},
        "invalid qty 0.5. It must be a multiple of 1 for AAPL.",
    ),
    "NOTIONAL_BELOW_MINIMUM": (
        {"symbol": "BTC/USD", "quantity": Decimal("0.0001"), "limit_price": Decimal("9999.99")},
        {"notional": "0.999999", "minimum": "1"},
        "The order's value 0.999999 is below the minimum of 1.",
    ),
    "INSTRUMENT_UNKNOWN": (
        {"symbol": "NONE"},
        {"symbol": "NONE"},
        'asset "NONE" not found. See /v2/assets for what trades here.',
    ),
}


def test_sell_is_worth_what_the_bids_pay_however_low_its_limit() -> None:
    floor = Floor(cash="100000")
    floor.give("alice", "10000000", "0.01")
    floor.quote(bids="1000x10000000")
    before = dump(floor.state)

    assert floor.place("alice-1", "SELL 1000001 @ 0.01") == "NOTIONAL_ABOVE_MAXIMUM"
    assert dump(floor.state) == before
    assert floor.place("alice-2", "SELL 1000000 @ 0.01") == "FILLED 1000000/1000000"

    floor.check()


@pytest.mark.parametrize("reason", FACTS)
def test_refusal_states_the_facts_in_plain_words(floor: Floor, reason: str) -> None:
    different, facts, sentence = FACTS[reason]

    denied = refusal(floor, submit(**different))

    assert (denied.reason, denied.facts, denied.sentence) == (reason, facts, sentence)


# From the first check to the last: an order that breaks all of them is told of the first. Each
# line mends one thing.
MENDING: list[tuple[str, dict[str, object]]] = [
    ("ACCOUNT_UNKNOWN", {}),
    ("INSTRUMENT_UNKNOWN", {"account_id": ALICE}),
    ("QUANTITY_OUT_OF_RANGE", {"symbol": "AAPL"}),
    ("QUANTITY_OFF_LOT", {"quantity": Decimal("1000.5")}),
    ("PRICE_REQUIRED", {"quantity": Decimal(10_000_000)}),
    ("PRICE_OUT_OF_RANGE", {"limit_price": Decimal(-1)}),
    ("PRICE_OFF_TICK", {"limit_price": Decimal("130.005")}),
    ("INSTRUMENT_HALTED", {"limit_price": Decimal(130)}),
    ("NOTIONAL_ABOVE_MAXIMUM", {}),
    ("SELF_TRADE", {"quantity": Decimal(1000)}),
    ("FUNDS_INSUFFICIENT", {"limit_price": Decimal(119)}),
]


def test_checks_stand_in_one_order(floor: Floor) -> None:
    order: dict[str, object] = {
        "account_id": 99,
        "symbol": "NONE",
        "quantity": Decimal(0),
        "limit_price": None,
    }
    floor.set_status("HALTED")
    for reason, mended in MENDING:
        if reason == "NOTIONAL_ABOVE_MAXIMUM":
            floor.set_status("OPEN")
        order |= mended

        assert refusal(floor, submit(**order)).reason == reason


def test_refused_order_leaves_its_client_order_id_free(floor: Floor) -> None:
    refusal(floor, submit(client_order_id="mine", quantity=Decimal(0)))

    reply = floor.do(submit(client_order_id="mine", limit_price=Decimal(90)))

    assert not isinstance(reply, DeniedReply)
