"""What an incoming order does at once: type and time in force (F1-F4), both sides paid."""

import pytest

from tests.simulation.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 10000 each; the street bids 99x5 98x10 and offers 101x5 102x10."""
    floor = Floor()
    floor.quote(bids="99x5 98x10", asks="101x5 102x10")
    return floor


# Order → outcome, Alice's cash, her position.
TAKING = {
    "BUY 3 MARKET": ("FILLED 3/3", "9697", "3 for 303 realized 0"),
    "BUY 8 MARKET": ("FILLED 8/8", "9189", "8 for 811 realized 0"),
    "BUY 15 MARKET": ("FILLED 15/15", "8475", "15 for 1525 realized 0"),
    "BUY 20 MARKET": ("CANCELED 15/20 LIQUIDITY_EXHAUSTED", "8475", "15 for 1525 realized 0"),
    "BUY 20 MARKET DAY": ("CANCELED 15/20 LIQUIDITY_EXHAUSTED", "8475", "15 for 1525 realized 0"),
    "BUY 20 MARKET IOC": ("CANCELED 15/20 LIQUIDITY_EXHAUSTED", "8475", "15 for 1525 realized 0"),
    "BUY 15 MARKET FOK": ("FILLED 15/15", "8475", "15 for 1525 realized 0"),
    "BUY 16 MARKET FOK": ("CANCELED 0/16 FOK_UNFILLABLE", "10000", "none"),
    "BUY 5 @ 101": ("FILLED 5/5", "9495", "5 for 505 realized 0"),
    "BUY 5 @ 105": ("FILLED 5/5", "9495", "5 for 505 realized 0"),
    "BUY 8 @ 101": ("PARTIALLY_FILLED 5/8", "9495 (303 locked)", "5 for 505 realized 0"),
    "BUY 8 @ 101 DAY": ("PARTIALLY_FILLED 5/8", "9495 (303 locked)", "5 for 505 realized 0"),
    "BUY 8 @ 100": ("ACCEPTED 0/8", "10000 (800 locked)", "none"),
    "BUY 8 @ 100 DAY": ("ACCEPTED 0/8", "10000 (800 locked)", "none"),
    "BUY 8 @ 101 IOC": ("CANCELED 5/8 IOC_REMAINDER", "9495", "5 for 505 realized 0"),
    "BUY 8 @ 100 IOC": ("CANCELED 0/8 IOC_REMAINDER", "10000", "none"),
    "BUY 8 @ 102 IOC": ("FILLED 8/8", "9189", "8 for 811 realized 0"),
    "BUY 8 @ 102 FOK": ("FILLED 8/8", "9189", "8 for 811 realized 0"),
    "BUY 8 @ 101 FOK": ("CANCELED 0/8 FOK_UNFILLABLE", "10000", "none"),
    "BUY 16 @ 200 FOK": ("CANCELED 0/16 FOK_UNFILLABLE", "10000", "none"),
}


@pytest.mark.parametrize("order", TAKING)
def test_buy_against_the_street(floor: Floor, order: str) -> None:
    outcome, cash, position = TAKING[order]

    assert floor.place("alice-1", order) == outcome

    assert floor.cash("alice") == cash
    assert floor.position("alice") == position
    floor.check()


SELLING = {
    "SELL 3 MARKET": ("FILLED 3/3", "9297", "7 for 700 realized -3"),
    "SELL 10 MARKET": ("FILLED 10/10", "9985", "0 for 0 realized -15"),
    "SELL 8 @ 99": ("PARTIALLY_FILLED 5/8", "9495", "5 (3 locked) for 500 realized -5"),
    "SELL 8 @ 100": ("ACCEPTED 0/8", "9000", "10 (8 locked) for 1000 realized 0"),
    "SELL 8 @ 99 IOC": ("CANCELED 5/8 IOC_REMAINDER", "9495", "5 for 500 realized -5"),
    "SELL 8 @ 99 FOK": ("CANCELED 0/8 FOK_UNFILLABLE", "9000", "10 for 1000 realized 0"),
    "SELL 8 @ 98 FOK": ("FILLED 8/8", "9789", "2 for 200 realized -11"),
    "SELL 10 @ 50": ("FILLED 10/10", "9985", "0 for 0 realized -15"),
}


@pytest.mark.parametrize("order", SELLING)
def test_sell_against_the_street(order: str) -> None:
    floor = Floor()
    floor.give("alice", "10", "100")
    floor.quote(bids="99x5 98x10", asks="101x5 102x10")
    outcome, cash, position = SELLING[order]

    assert floor.place("alice-1", order) == outcome

    assert floor.cash("alice") == cash
    assert floor.position("alice") == position
    floor.check()


def test_market_order_of_either_time_in_force_never_rests(floor: Floor) -> None:
    for number, time_in_force in enumerate(("DAY", "GTC", "IOC", "FOK")):
        floor.place(f"alice-{number}", f"BUY 4 MARKET {time_in_force}")

    assert floor.open_orders("alice") == []
    assert list(floor.state.instruments["AAPL"].book.resting()) == []


def test_trade_between_users_pays_the_makers_price(floor: Floor) -> None:
    floor.give("charlie", "5", "100")
    floor.place("charlie-1", "SELL 5 @ 100.5")

    assert floor.place("alice-1", "BUY 3 @ 101") == "FILLED 3/3"

    assert floor.transfers == ["3 pays 4 301.5"]
    assert floor.events == [
        "alice-1 OrderAccepted ACCEPTED 0/3",
        "charlie-1 OrderPartiallyFilled PARTIALLY_FILLED 3/5: 3 @ 100.5 MAKER",
        "alice-1 OrderFilled FILLED 3/3: 3 @ 100.5 TAKER",
    ]
    assert floor.cash("alice") == "9698.5"
    assert floor.cash("charlie") == "9801.5"
    assert floor.position("alice") == "3 for 301.5 realized 0"
    assert floor.position("charlie") == "2 (2 locked) for 200 realized 1.5"
    floor.check()


def test_both_executions_of_a_trade_between_users_carry_its_number(floor: Floor) -> None:
    floor.give("charlie", "5", "100")
    floor.place("charlie-1", "SELL 5 @ 100.5")

    floor.place("alice-1", "BUY 3 @ 101")

    (maker, taker), (transfer,) = floor.executions, floor.changes.transfers
    assert (maker.trade_id, maker.liquidity, maker.side) == (maker.id, "MAKER", "SELL")
    assert (taker.trade_id, taker.liquidity, taker.side) == (maker.id, "TAKER", "BUY")
    assert taker.id == maker.id + 1
    assert transfer.trade_id == maker.id


def test_sweep_pays_each_maker_its_own_price(floor: Floor) -> None:
    floor.give("charlie", "5", "100")
    floor.quote(asks="101x5 102x10")
    floor.place("charlie-1", "SELL 2 @ 100.5")
    floor.place("charlie-2", "SELL 3 @ 101.5")

    assert floor.place("alice-1", "BUY 12 @ 102") == "FILLED 12/12"

    assert floor.transfers == [
        "3 pays 4 201",
        "3 pays 2 505",
        "3 pays 4 304.5",
        "3 pays 2 204",
    ]
    assert floor.cash("alice") == "8785.5"
    assert floor.position("alice") == "12 for 1214.5 realized 0"
    floor.check()


def test_price_improvement_frees_what_the_limit_had_held(floor: Floor) -> None:
    assert floor.place("alice-1", "BUY 8 @ 101.5") == "PARTIALLY_FILLED 5/8"

    assert floor.cash("alice") == "9495 (304.5 locked)"  # 5 at 101 paid, 3 at 101.5 still held


def test_fractions_of_a_lot_grid_are_exact(floor: Floor) -> None:
    floor.quote(asks="64250.01x0.0003", symbol="BTC/USD")

    assert floor.place("alice-1", "BUY 0.0003 MARKET", symbol="BTC/USD") == "FILLED 0.0003/0.0003"

    assert floor.cash("alice") == "9980.724997"
    assert floor.position("alice", "BTC/USD") == "0.0003 for 19.275003 realized 0"


def test_crypto_pair_is_known_without_its_slash(floor: Floor) -> None:
    floor.quote(asks="64250x1", symbol="BTC/USD")

    assert floor.place("alice-1", "BUY 0.01 MARKET", symbol="BTCUSD") == "FILLED 0.01/0.01"


def test_old_street_is_not_taken(floor: Floor) -> None:
    floor.wait(5_000_000_000)
    assert floor.place("alice-1", "BUY 1 MARKET") == "FILLED 1/1"

    floor.wait(1)

    assert floor.place("alice-2", "BUY 1 MARKET") == "LIQUIDITY_NONE"
    assert floor.place("alice-3", "BUY 1 @ 101 IOC") == "CANCELED 0/1 IOC_REMAINDER"
