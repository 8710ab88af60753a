"""What happens to a resting order: its hold, partial fills, the street moving (M1, M2)."""

import pytest

from orders.domain.replies import OrderReply
from tests.simulation.floor import Floor, submit_command


@pytest.fixture
def floor() -> Floor:
    return Floor()


def test_buy_holds_its_whole_value_at_the_limit(floor: Floor) -> None:
    floor.place("alice-1", "BUY 3 @ 100.01")
    floor.place("alice-2", "BUY 2 @ 99")

    assert floor.cash("alice") == "10000 (498.03 locked)"
    floor.check()


def test_sell_holds_its_quantity(floor: Floor) -> None:
    floor.give("alice", "10", "100")

    floor.place("alice-1", "SELL 3 @ 105")
    floor.place("alice-2", "SELL 4 @ 106")

    assert floor.position("alice") == "10 (7 locked) for 1000 realized 0"
    assert floor.cash("alice") == "9000"


def test_hold_shrinks_with_each_partial_fill_and_ends_with_the_last(floor: Floor) -> None:
    floor.give("charlie", "5", "90")
    floor.place("alice-1", "BUY 5 @ 100")

    floor.place("charlie-1", "SELL 2 @ 100")
    assert floor.cash("alice") == "9800 (300 locked)"
    floor.place("charlie-2", "SELL 2 @ 95")
    assert floor.cash("alice") == "9600 (100 locked)"
    floor.place("charlie-3", "SELL 1 MARKET")

    assert floor.cash("alice") == "9500"
    assert floor.open_orders("alice") == []
    assert floor.position("alice") == "5 for 500 realized 0"
    assert floor.position("charlie") == "0 for 0 realized 50"
    floor.check()


def test_earlier_order_at_the_same_price_fills_first(floor: Floor) -> None:
    floor.give("charlie", "3", "90")
    floor.place("alice-1", "BUY 2 @ 100")
    floor.place("bob-1", "BUY 2 @ 100")

    floor.place("charlie-1", "SELL 3 @ 100")

    assert floor.events == [
        "charlie-1 OrderAccepted ACCEPTED 0/3",
        "alice-1 OrderFilled FILLED 2/2: 2 @ 100 MAKER",
        "charlie-1 OrderPartiallyFilled PARTIALLY_FILLED 2/3: 2 @ 100 TAKER",
        "bob-1 OrderPartiallyFilled PARTIALLY_FILLED 1/2: 1 @ 100 MAKER",
        "charlie-1 OrderFilled FILLED 3/3: 1 @ 100 TAKER",
    ]


def test_quote_through_an_order_fills_it_at_its_own_price(floor: Floor) -> None:
    floor.place("alice-1", "BUY 8 @ 100")

    floor.quote(bids="98x1", asks="99x5")

    assert floor.events == ["alice-1 OrderPartiallyFilled PARTIALLY_FILLED 5/8: 5 @ 100 MAKER"]
    assert floor.transfers == ["3 pays 2 500"]
    assert floor.cash("alice") == "9500 (300 locked)"
    assert floor.position("alice") == "5 for 500 realized 0"
    assert floor.position("street") == "-5 for -500 realized 0"
    floor.check()


def test_quote_through_an_offer_pays_the_offers_price(floor: Floor) -> None:
    floor.give("alice", "4", "90")
    floor.place("alice-1", "SELL 4 @ 100")

    floor.quote(bids="103x2 101x9", asks="104x1")

    assert floor.events == ["alice-1 OrderFilled FILLED 4/4: 4 @ 100 MAKER"]
    assert floor.cash("alice") == "10040"
    assert floor.position("alice") == "0 for 0 realized 40"
    floor.check()


def test_street_trade_at_the_price_fills_behind_what_stands_ahead(floor: Floor) -> None:
    floor.quote(bids="100x4", asks="102x4")
    floor.place("alice-1", "BUY 5 @ 100")

    floor.street_trade("SELL 3 @ 100")
    assert floor.events == []
    floor.street_trade("SELL 3 @ 100")

    assert floor.events == ["alice-1 OrderPartiallyFilled PARTIALLY_FILLED 2/5: 2 @ 100 MAKER"]
    assert floor.cash("alice") == "9800 (300 locked)"
    floor.check()


def test_street_trade_through_the_price_fills_at_the_orders_price(floor: Floor) -> None:
    floor.quote(bids="100x4", asks="102x4")
    floor.place("alice-1", "BUY 5 @ 100")

    floor.street_trade("SELL 9 @ 99.5")

    assert floor.events == ["alice-1 OrderFilled FILLED 5/5: 5 @ 100 MAKER"]
    assert floor.cash("alice") == "9500"


def test_street_trade_of_a_buyer_leaves_bids_alone(floor: Floor) -> None:
    floor.place("alice-1", "BUY 5 @ 100")

    floor.street_trade("BUY 9 @ 100")

    assert floor.events == []
    assert floor.changes.is_empty


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ("100.005x5", "102x5"),  # off the tick
        ("100x0.5", "102x5"),  # off the lot
        ("100x5", "100x5"),  # locked
        ("103x5", "102x5"),  # crossed
        ("0x5", "102x5"),
        ("-1x5", "102x5"),
        (" ".join(f"{price}x1" for price in range(90, 79, -1)), "102x5"),  # eleven levels
    ],
)
def test_quote_that_shows_nothing_there_leaves_no_old_price_to_trade_at(
    floor: Floor, bids: str, asks: str
) -> None:
    floor.quote(bids="99x5", asks="101x5")
    floor.place("alice-1", "BUY 1 @ 100.5")

    floor.quote(bids=bids, asks=asks)

    assert floor.events == []
    assert floor.place("charlie-1", "BUY 5 @ 101") == "ACCEPTED 0/5"


@pytest.mark.parametrize(
    "trade", ["SELL 5 @ 99.999", "SELL 0.5 @ 99", "SELL 0 @ 99", "SELL -3 @ 99"]
)
def test_street_trade_off_the_grid_is_left_out(floor: Floor, trade: str) -> None:
    floor.place("alice-1", "BUY 5 @ 100")

    floor.street_trade(trade)

    assert floor.changes.is_empty
    assert floor.open_orders("alice") == ["alice-1"]


def test_street_of_an_unknown_symbol_is_left_out(floor: Floor) -> None:
    floor.quote(bids="99x5", asks="101x5", symbol="NONE")
    floor.street_trade("SELL 5 @ 99", symbol="NONE")

    assert floor.changes.is_empty


def test_orders_number_in_the_order_of_acceptance(floor: Floor) -> None:
    floor.place("alice-1", "BUY 1 @ 100")
    assert floor.place("alice-2", "BUY 1000 @ 100") == "FUNDS_INSUFFICIENT"
    floor.place("charlie-1", "BUY 1 @ 100")

    sequences = [order.sequence for order in floor.state.orders.values()]
    assert sequences == [1, 2]


def test_order_keeps_the_client_order_id_or_its_own_id(floor: Floor) -> None:
    named = floor.do(submit_command("alice-1", "BUY 1 @ 100", client_order_id="mine"))
    unnamed = floor.do(submit_command("alice-2", "BUY 1 @ 100"))

    assert isinstance(named, OrderReply)
    assert isinstance(unnamed, OrderReply)
    assert named.order.client_order_id == "mine"
    assert unnamed.order.client_order_id == unnamed.order.id
