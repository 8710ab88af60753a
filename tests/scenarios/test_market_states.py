"""What each state of an instrument's market lets orders do, and how far a market order goes."""

import pytest

from orders.domain.commands import SetInstrumentStatus
from orders.domain.matching.collar import collar_price
from orders.domain.values import Side
from tests.simulation.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 20 shares each; the market stands at 99 to 101."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    floor.wait(6 * 10**9)
    floor.quote(bids="99x50 98x50", asks="101x50 102x50")
    return floor


# --- X1: post-only


@pytest.mark.parametrize(
    "text", ["BUY 1 @ 100", "BUY 1 @ 100 DAY", "SELL 1 @ 100", "SELL 1 STOP 95", "BUY 1 STOP 105"]
)
def test_post_only_market_takes_what_rests_or_waits(floor: Floor, text: str) -> None:
    floor.set_status("POST_ONLY")

    assert floor.place("alice-1", text) == "ACCEPTED 0/1"
    floor.check()


@pytest.mark.parametrize(
    "text",
    ["BUY 1 MARKET", "BUY 1 @ 101", "SELL 1 @ 99 DAY", "BUY 1 @ 90 IOC", "BUY 1 @ 90 FOK"],
)
def test_post_only_market_refuses_what_would_take(floor: Floor, text: str) -> None:
    floor.set_status("POST_ONLY")

    assert floor.place("alice-1", text) == "INSTRUMENT_POST_ONLY"

    assert floor.changes.is_empty
    assert floor.cash("alice") == "8000"


def test_post_only_market_refuses_what_would_meet_another_user(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 5 @ 100")
    floor.set_status("POST_ONLY")

    assert floor.place("alice-1", "BUY 1 @ 100") == "INSTRUMENT_POST_ONLY"


# --- X1: cancel-only


@pytest.mark.parametrize("text", ["BUY 1 @ 90", "BUY 1 MARKET", "SELL 1 STOP 95"])
def test_cancel_only_market_refuses_every_order(floor: Floor, text: str) -> None:
    floor.set_status("CANCEL_ONLY")

    assert floor.place("alice-1", text) == "INSTRUMENT_CANCEL_ONLY"

    assert floor.changes.is_empty


@pytest.mark.parametrize("status", ["CANCEL_ONLY", "POST_ONLY"])
def test_resting_orders_still_trade_with_the_street(floor: Floor, status: str) -> None:
    floor.place("alice-1", "BUY 2 @ 100")
    floor.place("charlie-1", "BUY 3 @ 99.5")
    floor.set_status(status)

    floor.street_trade("SELL 1 @ 100")
    assert floor.events == ["alice-1 OrderPartiallyFilled PARTIALLY_FILLED 1/2: 1 @ 100 MAKER"]
    floor.quote(bids="98x5", asks="99.5x9")

    assert floor.events == [
        "alice-1 OrderFilled FILLED 2/2: 1 @ 100 MAKER",
        "charlie-1 OrderFilled FILLED 3/3: 3 @ 99.5 MAKER",
    ]
    floor.check()


# --- X2


@pytest.mark.parametrize("status", ["HALTED", "CANCEL_ONLY", "POST_ONLY"])
def test_an_order_can_be_canceled_in_every_state(floor: Floor, status: str) -> None:
    floor.place("alice-1", "BUY 2 @ 100")
    floor.set_status(status)

    assert floor.cancel("alice-1") == "CANCELED 0/2 USER_REQUESTED"


@pytest.mark.parametrize("status", ["CANCEL_ONLY", "POST_ONLY"])
def test_only_an_open_market_elects_stops(floor: Floor, status: str) -> None:
    floor.place("alice-1", "SELL 5 STOP 99")
    floor.set_status(status)

    floor.street_trade("SELL 1 @ 99")
    assert floor.events == []
    floor.set_status("OPEN")
    assert floor.order_events == []
    floor.street_trade("SELL 1 @ 99")

    assert floor.events[0] == "alice-1 OrderTriggered TRIGGERED 0/5"
    floor.check()


def test_state_is_audited_with_its_reason(floor: Floor) -> None:
    floor.set_status("CANCEL_ONLY")

    (entry,) = floor.changes.audits
    assert (entry.action, entry.target) == ("InstrumentSetCancelOnly", "instrument:AAPL")


def test_the_house_and_who_holds_or_orders_there_are_told_of_a_change_by_hand(
    floor: Floor,
) -> None:
    floor.place("bob-1", "BUY 5 @ 90")
    floor.do(SetInstrumentStatus("AAPL", "HALTED", "halt", "news pending"))

    told = floor.account_events
    ids = [floor.state.accounts[number].public_id for number in (1, 3, 4)]
    assert [(event.event, event.account_id) for event in told] == [
        ("MarketStateChanged", number) for number in ids
    ]
    views = [event.market_state for event in told]
    assert {view and (view.symbol, view.state, view.until, view.reason) for view in views} == {
        ("AAPL", "HALTED", None, "news pending")
    }

    floor.do(SetInstrumentStatus("AAPL", "HALTED", "again", "news pending"))

    assert floor.events == []
    assert [row.action for row in floor.changes.audits] == ["InstrumentHalted"]


# --- B2


@pytest.mark.parametrize(
    ("side", "best", "band", "worst"),
    [
        (Side.BUY, 10_000, 500, 10_500),
        (Side.SELL, 10_000, 500, 9_500),
        (Side.BUY, 19, 500, 19),  # 19.95
        (Side.SELL, 19, 500, 19),  # 18.05
        (Side.SELL, 21, 500, 20),  # 19.95
        (Side.SELL, 1, 9_999, 1),
    ],
)
def test_collar_is_rounded_toward_the_best_price(
    side: Side, best: int, band: int, worst: int
) -> None:
    assert collar_price(side, best, band) == worst


def test_market_buy_trades_at_the_collar_and_not_beyond(floor: Floor) -> None:
    floor.quote(asks="100x2 105x2 105.01x9")

    assert floor.place("alice-1", "BUY 10 MARKET") == "CANCELED 4/10 BAND_REACHED"

    assert floor.transfers == ["3 pays 2 200", "3 pays 2 210"]
    assert floor.cash("alice") == "7590"
    floor.check()


def test_market_sell_trades_at_the_collar_and_not_beyond(floor: Floor) -> None:
    floor.quote(bids="100x2 95x2 94.99x9")

    assert floor.place("alice-1", "SELL 10 MARKET") == "CANCELED 4/10 BAND_REACHED"

    assert floor.position("alice") == "16 for 1600 realized -10"
    floor.check()


def test_market_order_that_takes_all_inside_the_collar_found_nobody_else(floor: Floor) -> None:
    floor.quote(asks="100x2 105x2")

    assert floor.place("alice-1", "BUY 10 MARKET") == "CANCELED 4/10 LIQUIDITY_EXHAUSTED"


def test_fok_market_order_counts_what_lies_inside_the_collar(floor: Floor) -> None:
    floor.quote(asks="100x2 106x9")

    assert floor.place("alice-1", "BUY 3 MARKET FOK") == "CANCELED 0/3 FOK_UNFILLABLE"
    assert floor.place("alice-2", "BUY 2 MARKET FOK") == "FILLED 2/2"


def test_market_buy_needs_cash_for_what_the_collar_lets_it_take(floor: Floor) -> None:
    floor.quote(asks="100x1 9000x9")

    assert floor.place("alice-1", "BUY 2 MARKET") == "CANCELED 1/2 BAND_REACHED"


def test_elected_sell_stop_keeps_to_the_collar(floor: Floor) -> None:
    floor.place("alice-1", "SELL 10 STOP 99")
    floor.quote(bids="99x3 90x50", asks="101x50")

    floor.street_trade("SELL 1 @ 99")

    assert floor.events[-1] == "alice-1 OrderCanceled CANCELED 3/10 BAND_REACHED"
    floor.check()


def test_limit_order_has_no_collar(floor: Floor) -> None:
    floor.quote(asks="100x1 150x9")

    assert floor.place("alice-1", "BUY 2 @ 150") == "FILLED 2/2"


def test_collar_is_the_instruments_own(floor: Floor) -> None:
    floor.state.instruments["AAPL"].market_band_bps = 100
    floor.quote(asks="100x1 101x1 102x1")

    assert floor.place("alice-1", "BUY 3 MARKET") == "CANCELED 2/3 BAND_REACHED"
