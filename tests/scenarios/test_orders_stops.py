"""Stop and stop-limit orders: when they are elected, in which order, and what becomes of them."""

from decimal import Decimal

import pytest

from orders.engine.core import Core
from tests.simulation.floor import Floor, submit_command

SECOND_NS = 10**9


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 20 shares each, bought at 100; the market stands at 99 to 101."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    floor.wait(6 * SECOND_NS)
    floor.quote(bids="99x50 98x50", asks="101x50 102x50")
    return floor


def traded_at(floor: Floor, price: str) -> None:
    """A print inside the quote."""
    floor.street_trade(f"BUY 1 @ {price}")


# --- waiting (E1, E5)


def test_a_stop_waits_outside_the_book(floor: Floor) -> None:
    outcome = floor.place("alice-1", "SELL 5 STOP 99.5")

    assert outcome == "ACCEPTED 0/5"
    assert floor.events == ["alice-1 OrderAccepted ACCEPTED 0/5"]
    assert list(floor.state.instruments["AAPL"].book.resting()) == []
    assert floor.position("alice") == "20 (5 locked) for 2000 realized 0"
    floor.check()


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("BUY 10 STOP 105", "1076.2"),  # 107.625 rounded down to the tick
        ("BUY 10 STOP 50", "512.5"),
        ("BUY 10 STOP 49.99", "519.8"),
        ("BUY 10 @ 106 STOP 105", "1060"),
        ("BUY 10 @ 104 STOP 105", "1040"),
    ],
)
def test_a_buy_holds_cash_at_the_price_it_may_pay(floor: Floor, text: str, held: str) -> None:
    floor.wait(SECOND_NS)

    floor.place("alice-1", text)

    assert floor.cash("alice") == f"8000 ({held} locked)"
    floor.check()


def test_a_canceled_stop_gives_back_what_it_held(floor: Floor) -> None:
    floor.place("alice-1", "BUY 10 STOP 105")

    assert floor.cancel("alice-1") == "CANCELED 0/10 USER_REQUESTED"

    assert floor.cash("alice") == "8000"
    assert floor.state.instruments["AAPL"].stops.waiting() == []
    floor.check()


def test_a_day_stop_expires_with_its_day(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 STOP 95 DAY")
    floor.wait(9 * 3_600 * SECOND_NS)

    assert floor.expire() == ["alice-1"]

    assert floor.events == ["alice-1 OrderExpired EXPIRED 0/5 DAY_END"]
    assert floor.position("alice") == "20 for 2000 realized 0"


# --- election (E2)


def test_a_trade_at_the_stop_price_elects(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 STOP 99")

    floor.place("charlie-1", "SELL 1 MARKET")

    assert floor.events == [
        "charlie-1 OrderAccepted ACCEPTED 0/1",
        "charlie-1 OrderFilled FILLED 1/1: 1 @ 99 TAKER",
        "alice-1 OrderTriggered TRIGGERED 0/5",
        "alice-1 OrderFilled FILLED 5/5: 5 @ 99 TAKER",
    ]
    floor.check()


def test_a_quote_through_the_stop_price_elects_nothing(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 STOP 99")

    floor.quote(bids="90x50", asks="91x50")

    assert floor.events == []
    assert floor.open_orders("alice") == ["alice-1"]


def test_a_trade_short_of_the_stop_price_elects_nothing(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 STOP 98.99")
    floor.place("alice-2", "BUY 5 STOP 101.01")

    floor.place("charlie-1", "SELL 1 MARKET")
    floor.place("charlie-2", "BUY 1 MARKET")

    assert floor.open_orders("alice") == ["alice-1", "alice-2"]


@pytest.mark.parametrize(
    ("price", "is_elected"), [("99", True), ("101", True), ("98.99", False), ("101.01", False)]
)
def test_a_print_counts_only_inside_the_quote(floor: Floor, price: str, is_elected: bool) -> None:
    floor.place("alice-1", "SELL 1 STOP 105")
    floor.place("charlie-1", "BUY 1 STOP 95")

    traded_at(floor, price)

    elected = [event.event for event in floor.account_events].count("OrderTriggered")
    assert elected == (2 if is_elected else 0)


@pytest.mark.parametrize("sides", [{"bids": "99x50"}, {"asks": "101x50"}, {}])
def test_a_print_beside_half_a_quote_does_not_count(floor: Floor, sides: dict[str, str]) -> None:
    floor.place("alice-1", "SELL 1 STOP 105")
    floor.quote(**sides)

    traded_at(floor, "100")

    assert floor.events == []


def test_a_print_after_the_quote_has_expired_does_not_count(floor: Floor) -> None:
    floor.place("alice-1", "SELL 1 STOP 105")
    floor.wait(5 * SECOND_NS + 1000)

    traded_at(floor, "100")

    assert floor.events == []


# --- what an elected order becomes (E3, E5, E6, E7)


def test_a_sell_stop_takes_what_there_is_and_never_rests(floor: Floor) -> None:
    floor.quote(bids="99x3", asks="101x50")
    floor.place("alice-1", "SELL 5 STOP 100")

    traded_at(floor, "100")

    assert floor.events[-1] == "alice-1 OrderCanceled CANCELED 3/5 LIQUIDITY_EXHAUSTED"
    assert floor.position("alice") == "17 for 1700 realized -3"
    floor.check()


def test_a_buy_stop_pays_no_more_than_its_protection_and_rests_there(floor: Floor) -> None:
    floor.place("alice-1", "BUY 10 STOP 101")
    floor.quote(bids="100x50", asks="103x4 104x50")

    traded_at(floor, "101")

    assert floor.events == [
        "alice-1 OrderTriggered TRIGGERED 0/10",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 4/10: 4 @ 103 TAKER",
    ]
    (resting,) = floor.state.instruments["AAPL"].book.resting()
    assert (resting.price, resting.leaves) == (10_352, 6)  # 101 × 1.025 = 103.525
    assert floor.cash("alice") == "7588 (621.12 locked)"
    floor.check()


def test_a_stop_limit_enters_at_its_limit(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 @ 100.5 STOP 100")

    traded_at(floor, "99.5")

    assert floor.events == ["alice-1 OrderTriggered TRIGGERED 0/5"]
    (resting,) = floor.state.instruments["AAPL"].book.resting()
    assert (resting.price, resting.leaves) == (10_050, 5)
    assert floor.cancel("alice-1") == "CANCELED 0/5 USER_REQUESTED"
    assert floor.position("alice") == "20 for 2000 realized 0"


def test_the_order_of_entry(floor: Floor) -> None:
    for name, text in (
        ("alice-high", "SELL 1 @ 110 STOP 100"),
        ("charlie-late", "SELL 1 @ 110 STOP 100"),
        ("alice-highest", "SELL 1 @ 110 STOP 105"),
        ("charlie-buy", "BUY 1 @ 90 STOP 99.5"),
        ("charlie-low", "BUY 1 @ 90 STOP 95"),
    ):
        floor.place(name, text)

    traded_at(floor, "100")

    assert [line.split()[0] for line in floor.events] == [
        "charlie-low",
        "charlie-buy",
        "alice-highest",
        "alice-high",
        "charlie-late",
    ]


def test_an_elected_order_stands_behind_those_that_rested_before(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 @ 110 STOP 100")
    floor.place("charlie-1", "SELL 5 @ 110")

    traded_at(floor, "100")

    resting = floor.state.instruments["AAPL"].book.resting()
    assert [order.owner_id for order in resting] == [4, 3]


def test_a_cascade_goes_on_by_itself(floor: Floor) -> None:
    floor.quote(bids="99x1 98x1 97x50", asks="101x50")
    floor.place("alice-1", "SELL 1 STOP 99")
    floor.place("alice-2", "SELL 1 STOP 98")
    floor.place("alice-3", "SELL 1 STOP 97")

    floor.place("charlie-1", "SELL 1 MARKET")

    assert [line for line in floor.events if "alice" in line] == [
        "alice-1 OrderTriggered TRIGGERED 0/1",
        "alice-1 OrderFilled FILLED 1/1: 1 @ 98 TAKER",
        "alice-2 OrderTriggered TRIGGERED 0/1",
        "alice-2 OrderFilled FILLED 1/1: 1 @ 97 TAKER",
        "alice-3 OrderTriggered TRIGGERED 0/1",
        "alice-3 OrderFilled FILLED 1/1: 1 @ 97 TAKER",
    ]
    floor.check()


def test_more_than_the_maximum_goes_on_with_the_next_command(floor: Floor) -> None:
    floor.core = Core(floor.state, 2)
    for number in range(5):
        floor.place(f"alice-{number}", "SELL 1 STOP 100")

    traded_at(floor, "100")
    first = len(floor.events)
    floor.cancel("alice-2")
    floor.expire()

    assert first == 4
    assert floor.events == [
        "alice-3 OrderTriggered TRIGGERED 0/1",
        "alice-3 OrderFilled FILLED 1/1: 1 @ 99 TAKER",
    ]
    assert floor.core.is_electing
    floor.expire()
    assert floor.open_orders("alice") == []
    assert not floor.core.is_electing
    floor.check()


def test_an_elected_order_does_not_trade_with_its_own_account(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 @ 103")
    floor.place("bob-1", "BUY 5 STOP 101")

    traded_at(floor, "101")

    assert floor.events == [
        "bob-1 OrderTriggered TRIGGERED 0/5",
        "bob-1 OrderCanceled CANCELED 0/5 SELF_TRADE",
    ]
    assert floor.cash("alice") == "8000"
    floor.check()


def test_a_halt_sends_the_queue_back_to_waiting(floor: Floor) -> None:
    floor.core = Core(floor.state, 1)
    floor.place("alice-1", "SELL 1 STOP 100")
    floor.place("alice-2", "SELL 1 STOP 100")
    traded_at(floor, "100")

    floor.set_status("HALTED")
    floor.expire()

    assert floor.events == []
    assert not floor.core.is_electing
    floor.set_status("OPEN")
    traded_at(floor, "100")
    assert floor.open_orders("alice") == []


# --- refusals (E4, E6)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("SELL 1 STOP 100", "STOP_PRICE_PASSED"),
        ("SELL 1 STOP 100.01", "STOP_PRICE_PASSED"),
        ("SELL 1 STOP 99.99", "ACCEPTED 0/1"),
        ("BUY 1 STOP 100", "STOP_PRICE_PASSED"),
        ("BUY 1 STOP 99.99", "STOP_PRICE_PASSED"),
        ("BUY 1 STOP 100.01", "ACCEPTED 0/1"),
        ("BUY 1 @ 99 STOP 100", "STOP_PRICE_PASSED"),
    ],
)
def test_a_stop_that_the_market_has_passed_is_refused(
    floor: Floor, text: str, outcome: str
) -> None:
    traded_at(floor, "100")

    assert floor.place("alice-1", text) == outcome


def test_an_old_trade_does_not_speak_for_the_market(floor: Floor) -> None:
    traded_at(floor, "100")
    floor.wait(5 * SECOND_NS)
    assert floor.place("alice-1", "SELL 1 STOP 100") == "STOP_PRICE_PASSED"

    floor.wait(1000)

    assert floor.place("alice-2", "SELL 1 STOP 100") == "ACCEPTED 0/1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELL 1 STOP 95 IOC", "TIF_NOT_ALLOWED"),
        ("SELL 1 @ 94 STOP 95 FOK", "TIF_NOT_ALLOWED"),
        ("SELL 1 STOP 95.005", "STOP_PRICE_OFF_TICK"),
        ("SELL 1 STOP 0", "STOP_PRICE_OUT_OF_RANGE"),
        ("SELL 1 STOP 10000001", "STOP_PRICE_OUT_OF_RANGE"),
        ("SELL 1 @ 94.005 STOP 95", "PRICE_OFF_TICK"),
        ("SELL 21 STOP 95", "POSITION_INSUFFICIENT"),
        ("BUY 75 STOP 105", "FUNDS_INSUFFICIENT"),
        ("BUY 10000000 STOP 99", "NOTIONAL_ABOVE_MAXIMUM"),
    ],
)
def test_a_stop_that_cannot_be_is_refused(floor: Floor, text: str, reason: str) -> None:
    assert floor.place("alice-1", text) == reason
    assert floor.changes.is_empty


def test_a_halted_instrument_takes_no_stop(floor: Floor) -> None:
    floor.set_status("HALTED")

    assert floor.place("alice-1", "SELL 1 STOP 95") == "INSTRUMENT_HALTED"


def test_only_a_stop_takes_a_stop_price(floor: Floor) -> None:
    command = submit_command("alice-1", "SELL 1 @ 95 STOP 96")
    limit = submit_command("alice-1", "SELL 1 @ 95")
    spoiled = type(command)(
        **{name: getattr(limit, name) for name in limit.__struct_fields__ if name != "stop_price"},
        stop_price=Decimal(96),
    )

    reply = floor.do(spoiled)

    assert getattr(reply, "reason", None) == "STOP_PRICE_NOT_ALLOWED"
