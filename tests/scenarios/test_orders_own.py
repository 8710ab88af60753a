"""Self-trade prevention by owner: docs/matching.md O1 to O4."""

import pytest

from orders.domain.commands import SetStpMode
from orders.domain.values import StpMode
from tests.simulation.floor import SECOND_NS, STREET, Floor, denial

MODES = ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]


@pytest.fixture
def floor() -> Floor:
    """Alice has shares, a second account, and offers 5 at 101 between Charlie's 2 and 4."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    floor.open_second()
    floor.place("charlie-1", "SELL 2 @ 101")
    floor.place("alice-1", "SELL 5 @ 101")
    floor.place("charlie-2", "SELL 4 @ 101")
    return floor


def test_another_account_of_the_owner_is_refused_as_her_own(floor: Floor) -> None:
    assert floor.place("alice2-1", "BUY 1 @ 101") == "SELF_TRADE"
    assert floor.place("alice2-2", "BUY 1 MARKET") == "SELF_TRADE"
    assert floor.changes.is_empty


def test_expire_taker_keeps_what_it_got(floor: Floor) -> None:
    outcome = floor.place("alice2-1", "BUY 9 @ 101", stp_mode="EXPIRE_TAKER")

    assert outcome == "CANCELED 2/9 SELF_TRADE"
    assert floor.open_orders("alice") == ["alice-1"]
    assert floor.cash("alice2") == "9798"
    floor.check()


def test_expire_maker_goes_on_past_the_own_order(floor: Floor) -> None:
    outcome = floor.place("alice2-1", "BUY 9 @ 101", stp_mode="EXPIRE_MAKER")

    assert outcome == "PARTIALLY_FILLED 6/9"
    assert floor.events == [
        "alice2-1 OrderAccepted ACCEPTED 0/9",
        "charlie-1 OrderFilled FILLED 2/2: 2 @ 101 MAKER",
        "alice2-1 OrderPartiallyFilled PARTIALLY_FILLED 2/9: 2 @ 101 TAKER",
        "alice-1 OrderCanceled CANCELED 0/5 SELF_TRADE",
        "charlie-2 OrderFilled FILLED 4/4: 4 @ 101 MAKER",
        "alice2-1 OrderPartiallyFilled PARTIALLY_FILLED 6/9: 4 @ 101 TAKER",
    ]
    assert floor.position("alice").startswith("20 for")
    floor.check()


def test_expire_both_ends_both(floor: Floor) -> None:
    outcome = floor.place("alice2-1", "BUY 9 @ 101", stp_mode="EXPIRE_BOTH")

    assert outcome == "CANCELED 2/9 SELF_TRADE"
    assert floor.events[-2:] == [
        "alice-1 OrderCanceled CANCELED 0/5 SELF_TRADE",
        "alice2-1 OrderCanceled CANCELED 2/9 SELF_TRADE",
    ]
    floor.check()


def test_decrement_fills_an_order_whose_rest_traded(floor: Floor) -> None:
    outcome = floor.place("alice2-1", "BUY 9 @ 101", stp_mode="DECREMENT")

    assert outcome == "FILLED 4/9"
    taker = floor.account_events[-1].order
    assert taker is not None
    assert (taker.prevented_quantity, taker.leaves_quantity) == ("5", "0")
    assert floor.events == [
        "alice2-1 OrderAccepted ACCEPTED 0/9",
        "charlie-1 OrderFilled FILLED 2/2: 2 @ 101 MAKER",
        "alice2-1 OrderPartiallyFilled PARTIALLY_FILLED 2/9: 2 @ 101 TAKER",
        "alice-1 OrderCanceled CANCELED 0/5 SELF_TRADE",
        "alice2-1 OrderDecremented PARTIALLY_FILLED 2/9",
        "charlie-2 OrderPartiallyFilled PARTIALLY_FILLED 2/4: 2 @ 101 MAKER",
        "alice2-1 OrderFilled FILLED 4/9: 2 @ 101 TAKER",
    ]
    assert floor.cash("alice2") == "9596"
    floor.check()


def test_decrement_ends_the_smaller_taker_and_leaves_the_maker_its_place(floor: Floor) -> None:
    outcome = floor.place("alice2-1", "BUY 5 @ 101", stp_mode="DECREMENT")

    assert outcome == "CANCELED 2/5 SELF_TRADE"
    assert floor.events[-2:] == [
        "alice-1 OrderDecremented ACCEPTED 0/5",
        "alice2-1 OrderCanceled CANCELED 2/5 SELF_TRADE",
    ]
    assert floor.position("alice").startswith("20 (2 locked)")
    resting = [row.leaves for row in floor.state.instruments["AAPL"].book.resting()]
    assert resting == [2, 4]
    floor.place("charlie-3", "BUY 1 MARKET", stp_mode="EXPIRE_TAKER")
    assert floor.events[1] == "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 1/5: 1 @ 101 MAKER"
    floor.check()


def test_both_exhausted_by_decrement_are_canceled(floor: Floor) -> None:
    assert floor.place("alice2-1", "BUY 7 @ 101", stp_mode="DECREMENT") == "CANCELED 2/7 SELF_TRADE"
    assert floor.events[-2:] == [
        "alice-1 OrderCanceled CANCELED 0/5 SELF_TRADE",
        "alice2-1 OrderCanceled CANCELED 2/7 SELF_TRADE",
    ]


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("EXPIRE_TAKER", "CANCELED 0/6 FOK_UNFILLABLE"),
        ("EXPIRE_BOTH", "CANCELED 0/6 FOK_UNFILLABLE"),
        ("EXPIRE_MAKER", "FILLED 6/6"),
        ("DECREMENT", "CANCELED 2/6 SELF_TRADE"),
    ],
)
def test_fill_or_kill_counts_no_own_quantity(floor: Floor, mode: str, outcome: str) -> None:
    assert floor.place("alice2-1", "BUY 6 @ 101 FOK", stp_mode=mode) == outcome
    assert floor.place("alice2-2", "BUY 9 @ 101 FOK", stp_mode=mode) != "FILLED 9/9"
    floor.check()


@pytest.mark.parametrize("mode", MODES)
def test_a_market_order_that_would_meet_only_own_orders_finds_nobody(mode: str) -> None:
    floor = Floor()
    floor.give("alice", "5", "100")
    floor.place("alice-1", "SELL 5 @ 101")

    assert floor.place("alice-2", "BUY 1 MARKET", stp_mode=mode) == "LIQUIDITY_NONE"
    assert floor.open_orders("alice") == ["alice-1"]


@pytest.mark.parametrize("mode", MODES)
def test_street_quantity_ahead_of_the_own_order_is_taken_first(mode: str) -> None:
    floor = Floor()
    floor.give("alice", "9", "100")
    floor.quote(bids="99x5", asks="101x3")
    floor.place("alice-1", "SELL 5 @ 101")

    floor.place("alice-2", "BUY 3 @ 101", stp_mode=mode)

    assert floor.events[-1] == "alice-2 OrderFilled FILLED 3/3: 3 @ 101 TAKER"
    assert floor.open_orders("alice") == ["alice-1"]
    assert floor.state.accounts[STREET].positions


def test_the_takers_mode_decides(floor: Floor) -> None:
    floor.cancel("alice-1")
    floor.place("alice-2", "SELL 5 @ 101", stp_mode="EXPIRE_BOTH")

    assert floor.place("alice2-1", "BUY 9 @ 101") == "SELF_TRADE"


def test_the_accounts_default_holds_for_orders_accepted_after_it(floor: Floor) -> None:
    floor.place("alice2-1", "BUY 9 STOP 101")
    floor.set_stp_mode("alice2", "EXPIRE_MAKER")
    assert [audit.action for audit in floor.changes.audits] == ["StpModeSet"]

    assert floor.place("alice2-2", "BUY 9 @ 101", stp_mode="REJECT") == "SELF_TRADE"
    assert floor.place("alice2-3", "BUY 3 @ 101") == "FILLED 3/3"
    assert "alice2-1 OrderCanceled CANCELED 0/9 SELF_TRADE" not in floor.events


def test_only_a_cash_account_has_a_default(floor: Floor) -> None:
    reply = floor.do(SetStpMode(STREET, StpMode.DECREMENT, "a reason", "r"))

    assert denial(reply) == "ACCOUNT_UNKNOWN"


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [
        ("REJECT", "alice2-1 OrderCanceled CANCELED 0/9 SELF_TRADE"),
        ("EXPIRE_TAKER", "alice2-1 OrderCanceled CANCELED 2/9 SELF_TRADE"),
        ("EXPIRE_MAKER", "alice2-1 OrderPartiallyFilled PARTIALLY_FILLED 6/9: 4 @ 101 TAKER"),
    ],
)
def test_an_elected_stop_follows_its_mode(floor: Floor, mode: str, outcome: str) -> None:
    floor.wait(6 * SECOND_NS)  # the last trade, at 100, is history
    floor.place("alice2-1", "BUY 9 @ 101 STOP 100", stp_mode=mode)
    floor.quote(bids="99x5")
    floor.place("charlie-3", "BUY 5 @ 100")

    floor.place("alice-9", "SELL 1 @ 100")

    assert outcome in floor.events
    floor.check()


def test_a_successor_keeps_the_mode_and_an_amend_stays_above_what_was_prevented(
    floor: Floor,
) -> None:
    floor.place("alice2-1", "BUY 5 @ 101", stp_mode="DECREMENT")  # alice-1: 3 of 5 prevented

    assert floor.amend("alice-1", "3") == "AMEND_NOT_LESS"
    assert floor.amend("alice-1", "4") == "ACCEPTED 0/4"
    floor.place("alice2-2", "BUY 9 @ 90", stp_mode="EXPIRE_MAKER")
    assert floor.replace("alice2-2", "alice2-3", "@ 101") == "PARTIALLY_FILLED 4/9"
    assert "alice-1 OrderCanceled CANCELED 0/4 SELF_TRADE" in floor.events
    floor.check()
