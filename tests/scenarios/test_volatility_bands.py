"""Volatility bands: docs/market-states.md V1 to V9."""

from typing import Any

import pytest

from orders.domain.market_commands import PlanMarketState, SetBands
from orders.domain.matching.volatility import edges_around
from orders.domain.replies import DeniedReply
from orders.engine.rebuild import rebuild
from orders.engine.stored import StoredTrade, stored_from
from tests.simulation.floor import SECOND_NS, START_NS, Floor


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 20 shares each, the last trade was at 100, the band is 1 %."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    set_bands(floor, volatility_bps=100, window_seconds=60, pause_seconds=30)
    return floor


def set_bands(floor: Floor, **terms: Any) -> None:  # Any: fields of SetBands
    floor.do(SetBands("AAPL", "bands", reason="a test", actor_id=21, **terms))


def market(floor: Floor) -> str:
    return floor.state.instruments["AAPL"].state.value


def wait(floor: Floor, seconds: int) -> str:
    """Time passes, and the engine's tick with it; the state of the market."""
    floor.wait(seconds * SECOND_NS)
    floor.expire()
    return market(floor)


def fills(floor: Floor) -> list[str]:
    return [line for line in floor.events if "Fill" in line]


# --- V1


def test_bands_are_set_with_an_entry_that_says_from_what_to_what(floor: Floor) -> None:
    set_bands(floor, market_band_bps=50, pause_state="HALTED")

    (entry,) = floor.changes.audits
    assert (entry.action, entry.target, entry.actor_id) == (
        "InstrumentBandsSet",
        "instrument:AAPL",
        21,
    )
    assert entry.facts == {
        "market_band_bps_before": "500",
        "market_band_bps": "50",
        "pause_state_before": "AUCTION",
        "pause_state": "HALTED",
    }
    assert floor.state.instruments["AAPL"].volatility_bps == 100


def test_the_collar_holds_from_the_next_order_on(floor: Floor) -> None:
    set_bands(floor, market_band_bps=50, volatility_bps=0)
    floor.quote(asks="100x1 100.5x1 100.51x1")

    assert floor.place("alice-1", "BUY 3 MARKET") == "CANCELED 2/3 BAND_REACHED"


def test_bands_of_an_unknown_instrument_are_refused(floor: Floor) -> None:
    reply = floor.do(SetBands("NONE", "bands", volatility_bps=1))

    assert isinstance(reply, DeniedReply)
    assert reply.reason == "INSTRUMENT_UNKNOWN"
    assert floor.changes.is_empty


# --- V2, V3


@pytest.mark.parametrize(
    ("reference", "bps", "edges"),
    [(10_000, 100, (9_900, 10_100)), (199, 100, (198, 200)), (1, 9_999, (1, 1)), (3, 1, (3, 3))],
)
def test_edges_are_rounded_inwards(reference: int, bps: int, edges: tuple[int, int]) -> None:
    assert edges_around(reference, bps) == edges


def test_one_reference_holds_for_a_whole_window(floor: Floor) -> None:
    floor.quote(asks="101x1 101.5x1")
    assert floor.place("alice-1", "BUY 1 @ 101") == "FILLED 1/1"
    floor.wait(59 * SECOND_NS)
    floor.quote(asks="101.5x1")

    assert floor.place("alice-2", "BUY 1 @ 101.5") == "CANCELED 0/1 VOLATILITY_BAND"


def test_the_next_window_has_the_last_trade_before_it_as_reference(floor: Floor) -> None:
    floor.quote(asks="101x1")
    floor.place("alice-1", "BUY 1 @ 101")
    floor.wait(60 * SECOND_NS)
    floor.quote(asks="102.01x1 102.02x1")

    assert floor.place("alice-2", "BUY 1 @ 102.01") == "FILLED 1/1"
    assert floor.place("alice-3", "BUY 1 @ 102.02") == "CANCELED 0/1 VOLATILITY_BAND"


def test_without_any_trade_there_is_no_band() -> None:
    floor = Floor()
    set_bands(floor, volatility_bps=1)
    floor.quote(asks="100x5")

    assert floor.place("alice-1", "BUY 5 MARKET") == "FILLED 5/5"


# --- V4


@pytest.mark.parametrize("text", ["BUY 5 @ 103", "BUY 5 @ 103 IOC", "BUY 5 MARKET"])
def test_a_taker_stops_at_the_edge_and_the_market_pauses(floor: Floor, text: str) -> None:
    floor.quote(asks="100.5x1 101x2 101.01x9")

    assert floor.place("alice-1", text) == "CANCELED 3/5 VOLATILITY_BAND"

    assert market(floor) == "AUCTION"
    assert [line.split(": ")[1] for line in fills(floor)] == ["1 @ 100.5 TAKER", "2 @ 101 TAKER"]
    floor.check()


def test_a_taker_that_ends_at_the_edge_begins_no_pause(floor: Floor) -> None:
    floor.quote(asks="101x2 101.01x9")

    assert floor.place("alice-1", "BUY 2 @ 103") == "FILLED 2/2"
    assert floor.place("alice-2", "BUY 2 @ 101") == "ACCEPTED 0/2"
    assert market(floor) == "OPEN"


def test_fok_counts_what_lies_inside_and_begins_no_pause(floor: Floor) -> None:
    floor.quote(asks="101x2 101.01x9")

    assert floor.place("alice-1", "BUY 3 @ 103 FOK") == "CANCELED 0/3 FOK_UNFILLABLE"
    assert floor.place("alice-2", "BUY 2 @ 103 FOK") == "FILLED 2/2"
    assert market(floor) == "OPEN"


def test_an_order_may_rest_outside_and_is_not_met_there(floor: Floor) -> None:
    assert floor.place("charlie-1", "SELL 5 @ 110") == "ACCEPTED 0/5"

    assert floor.place("alice-1", "BUY 5 @ 110") == "CANCELED 0/5 VOLATILITY_BAND"
    assert floor.position("charlie") == "20 (5 locked) for 2000 realized 0"
    assert floor.open_orders("charlie") == ["charlie-1"]


def test_a_market_order_whose_collar_ends_inside_begins_no_pause(floor: Floor) -> None:
    set_bands(floor, market_band_bps=10)
    floor.quote(asks="100.5x1 101.5x9")

    assert floor.place("alice-1", "BUY 5 MARKET") == "CANCELED 1/5 BAND_REACHED"
    assert market(floor) == "OPEN"


# --- V5


def test_a_quote_that_reaches_an_order_outside_pauses_the_market(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 @ 103")
    floor.place("charlie-1", "SELL 5 @ 100.5")

    floor.quote(bids="104x9", asks="105x9")

    assert fills(floor) == []
    assert market(floor) == "AUCTION"
    assert floor.state.instruments["AAPL"].book.twice_the_middle(floor.now_ns) == 20_900
    floor.check()


def test_a_quote_inside_fills_as_without_a_band(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 @ 101")

    floor.quote(bids="104x9", asks="105x9")

    assert fills(floor) == ["alice-1 OrderFilled FILLED 5/5: 5 @ 101 MAKER"]
    assert market(floor) == "OPEN"


def test_a_halted_market_takes_the_quote_that_halted_it_not_in(floor: Floor) -> None:
    set_bands(floor, pause_state="HALTED")
    floor.place("alice-1", "SELL 5 @ 103")

    floor.quote(bids="104x9", asks="105x9")

    assert market(floor) == "HALTED"
    assert floor.state.instruments["AAPL"].book.twice_the_middle(floor.now_ns) is None


def test_a_print_outside_pauses_the_market_and_elects_nobody(floor: Floor) -> None:
    floor.place("alice-1", "SELL 5 STOP 98")
    floor.quote(bids="97x9", asks="101x9")

    floor.street_trade("SELL 1 @ 97")

    assert market(floor) == "AUCTION"
    assert floor.state.instruments["AAPL"].last_trade == (10_000, START_NS)
    assert floor.open_orders("alice") == ["alice-1"]


def test_a_stray_print_pauses_nothing(floor: Floor) -> None:
    floor.quote(bids="99x9", asks="101x9")

    floor.street_trade("SELL 1 @ 50")

    assert market(floor) == "OPEN"


# --- V6


def test_the_market_opens_by_itself_with_an_uncross(floor: Floor) -> None:
    floor.quote(asks="105x9")
    floor.place("alice-1", "BUY 5 @ 105")
    assert floor.place("charlie-1", "SELL 4 @ 103") == "QUEUED 0/4"
    assert floor.place("alice-2", "BUY 4 @ 104") == "QUEUED 0/4"

    assert wait(floor, 29) == "AUCTION"
    assert wait(floor, 1) == "OPEN"

    assert [line.split(": ")[1] for line in fills(floor)] == ["4 @ 103 MAKER", "4 @ 103 TAKER"]
    assert floor.state.instruments["AAPL"].window == (10_300, floor.now_ns)
    floor.check()


def test_a_halt_goes_on_to_an_auction_of_ten_seconds(floor: Floor) -> None:
    set_bands(floor, pause_state="HALTED")
    floor.quote(asks="105x9")
    floor.place("alice-1", "BUY 5 @ 105")

    assert floor.place("alice-2", "BUY 1 @ 90") == "INSTRUMENT_HALTED"
    assert [wait(floor, seconds) for seconds in (29, 1, 9, 1)] == [
        "HALTED",
        "AUCTION",
        "AUCTION",
        "OPEN",
    ]


def test_after_a_pause_the_street_is_the_reference(floor: Floor) -> None:
    floor.quote(asks="105x9")
    floor.place("alice-1", "BUY 5 @ 105")
    floor.wait(28 * SECOND_NS)
    floor.quote(bids="104x9", asks="105x9")

    assert wait(floor, 2) == "OPEN"

    assert floor.state.instruments["AAPL"].window == (10_450, floor.now_ns)
    assert floor.place("alice-2", "BUY 5 @ 105") == "FILLED 5/5"


def test_a_state_set_by_hand_ends_the_pause(floor: Floor) -> None:
    floor.quote(asks="105x9")
    floor.place("alice-1", "BUY 5 @ 105")

    floor.set_status("OPEN")

    assert floor.state.instruments["AAPL"].pause is None
    assert wait(floor, 30) == "OPEN"
    assert floor.changes.is_empty


def test_a_plan_and_a_pause_hold_side_by_side(floor: Floor) -> None:
    from_ns, until_ns = START_NS + 10 * SECOND_NS, START_NS + 20 * SECOND_NS
    floor.quote(asks="105x9")
    floor.do(PlanMarketState(1, "AAPL", "CANCEL_ONLY", from_ns, until_ns, "", "r"))
    floor.place("alice-1", "BUY 5 @ 105")

    assert [wait(floor, seconds) for seconds in (0, 10, 10, 10)] == [
        "AUCTION",
        "HALTED",
        "AUCTION",
        "OPEN",
    ]


def test_a_restart_changes_nothing_of_window_and_pause(floor: Floor) -> None:
    floor.quote(asks="101x1 105x9")
    floor.place("alice-1", "BUY 5 @ 105")
    restarted = Floor("0")
    trade = StoredTrade(1, 10_100 * 1_000_000, floor.now_ns)
    restarted.core.state = restarted.state = rebuild(stored_from(floor.state, [trade]))

    instrument = restarted.state.instruments["AAPL"]
    assert (instrument.window, instrument.pause) == (
        (10_000, START_NS),
        floor.state.instruments["AAPL"].pause,
    )
    assert wait(restarted, 29) == "AUCTION"
    assert wait(restarted, 1) == "OPEN"


# --- V7


def test_a_cascade_of_stops_moves_the_price_by_one_band_at_most(floor: Floor) -> None:
    floor.quote(bids="99.5x1 99x1 98.5x9 90x99", asks="110x1")
    for number, stop in enumerate(("99.5", "99.5", "99", "98", "90")):
        floor.place(f"alice-{number}", f"SELL 3 STOP {stop}")

    floor.place("charlie-1", "SELL 1 @ 99.5")

    assert fills(floor) == [
        "charlie-1 OrderFilled FILLED 1/1: 1 @ 99.5 TAKER",
        "alice-0 OrderPartiallyFilled PARTIALLY_FILLED 1/3: 1 @ 99 TAKER",
    ]
    assert "alice-0 OrderCanceled CANCELED 1/3 VOLATILITY_BAND" in floor.events
    assert floor.open_orders("alice") == ["alice-1", "alice-2", "alice-3", "alice-4"]
    assert market(floor) == "AUCTION"
    floor.check()


# --- V9


def test_the_pause_is_audited_and_told(floor: Floor) -> None:
    floor.place("charlie-1", "SELL 5 @ 110")

    floor.place("alice-1", "BUY 5 @ 110")

    (entry,) = [entry for entry in floor.changes.audits if entry.action == "MarketInterrupted"]
    assert entry.facts == {
        "price": "110",
        "reference": "100",
        "band_bps": "100",
        "until": "2026-03-02T15:30:30.000000Z",
    }
    told = [event for event in floor.account_events if event.event == "MarketStateChanged"]
    ids = [floor.state.accounts[number].public_id for number in (1, 3, 4)]
    assert [event.account_id for event in told] == ids
    view = told[0].market_state
    assert view is not None
    assert (view.state, view.until) == ("AUCTION", "2026-03-02T15:30:30.000000Z")
