"""Orders for a value: how many lots come of it, and that they never cost more (V1 to V3)."""

from decimal import Decimal

import msgspec
import pytest

from orders.domain.replies import OrderReply
from orders.domain.values import StpMode
from tests.simulation.floor import Floor, denial, submit_command, told


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 20 shares each, bought at 100."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    return floor


def worth(floor: Floor, name: str, text: str, value: str, symbol: str = "AAPL") -> str:
    """Place "BUY MARKET" or such for this value; what became of it."""
    side, *terms = text.split()
    command = submit_command(name, " ".join([side, "1", *terms]), symbol=symbol)
    floor._names[str(command.order_id)] = name
    reply = floor.do(msgspec.structs.replace(command, quantity=Decimal(0), notional=Decimal(value)))
    return told(reply.order) if isinstance(reply, OrderReply) else denial(reply)


def test_as_many_lots_as_the_value_pays_price_by_price(floor: Floor) -> None:
    floor.quote(asks="100x3 101x10")

    assert worth(floor, "alice-1", "BUY MARKET", "600") == "FILLED 5/5"

    assert floor.cash("alice") == "7498"  # 300 + 202; another lot would make it 603
    order = floor.account_events[0].order
    assert order is not None
    assert (order.notional, order.quantity) == ("600", "5")
    floor.check()


def test_a_value_that_fits_to_the_cent_is_used_up(floor: Floor) -> None:
    floor.quote(asks="100x3 101x10")

    assert worth(floor, "alice-1", "BUY MARKET", "603") == "FILLED 6/6"
    assert floor.cash("alice") == "7397"


def test_fractions_where_the_instrument_has_them(floor: Floor) -> None:
    floor.quote(asks="20000x1", symbol="BTC/USD")

    assert worth(floor, "alice-1", "BUY MARKET", "333.33", "BTC/USD") == "FILLED 0.0166/0.0166"
    assert floor.cash("alice") == "7668"


def test_a_sell_brings_no_more_than_the_value(floor: Floor) -> None:
    floor.quote(bids="100x3 99x10")

    assert worth(floor, "alice-1", "SELL MARKET", "500") == "FILLED 5/5"
    assert floor.cash("alice") == "8498"


def test_a_market_that_has_less_gives_what_it_has(floor: Floor) -> None:
    floor.quote(asks="100x3")

    assert worth(floor, "alice-1", "BUY MARKET", "1000") == "FILLED 3/3"


def test_the_collar_bounds_it(floor: Floor) -> None:
    floor.quote(asks="100x3 106x10")

    assert worth(floor, "alice-1", "BUY MARKET", "1000") == "FILLED 3/3"


def test_own_orders_are_left_out(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 @ 100")
    floor.quote(asks="101x10")
    command = msgspec.structs.replace(
        submit_command("bob-1", "BUY 1 MARKET"),
        quantity=Decimal(0),
        notional=Decimal(303),
        stp_mode=StpMode.EXPIRE_MAKER,
    )
    floor._names[str(command.order_id)] = "bob-1"

    reply = floor.do(command)

    assert isinstance(reply, OrderReply)
    assert told(reply.order) == "FILLED 3/3"


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("BUY MARKET", "99.99", "NOTIONAL_TOO_SMALL"),
        ("BUY MARKET", "0", "NOTIONAL_OUT_OF_RANGE"),
        ("BUY MARKET", "1000000001", "NOTIONAL_OUT_OF_RANGE"),
        ("BUY MARKET", "0.000000001", "NOTIONAL_OUT_OF_RANGE"),
        ("BUY @ 100", "500", "NOTIONAL_NOT_ALLOWED"),
        ("SELL STOP 90", "500", "NOTIONAL_NOT_ALLOWED"),
        ("BUY MARKET CLS", "500", "NOTIONAL_NOT_ALLOWED"),
        ("SELL MARKET", "500", "LIQUIDITY_NONE"),
        ("BUY MARKET", "9000", "FUNDS_INSUFFICIENT"),
    ],
)
def test_what_cannot_be_is_refused(floor: Floor, text: str, value: str, reason: str) -> None:
    floor.quote(asks="100x300")

    assert worth(floor, "alice-1", text, value) == reason
    assert floor.changes.is_empty


def test_a_quantity_beside_it_is_refused(floor: Floor) -> None:
    floor.quote(asks="100x3")

    assert floor.place("alice-1", "BUY 1 MARKET", notional=Decimal(100)) == "NOTIONAL_NOT_ALLOWED"


def test_a_market_that_collects_takes_none(floor: Floor) -> None:
    floor.set_status("AUCTION")

    assert worth(floor, "alice-1", "BUY MARKET", "500") == "NOTIONAL_NOT_ALLOWED"
