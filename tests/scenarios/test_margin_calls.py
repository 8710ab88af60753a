"""Margin calls and forced closing: docs/fees-and-margin.md L9 to L15."""

import pytest

from orders.domain.commands import SetMargin
from orders.domain.market_commands import CheckMargin
from orders.domain.replies import CheckedReply
from orders.domain.views import MarginCallView
from orders.engine import margin_calls
from orders.engine.rebuild import rebuild
from orders.engine.stored import stored_from
from portfolio.domain.margin import MarginState, lots_to_close
from tests.simulation.floor import ALICE, CHARLIE, HOUSE, SECOND_NS, Floor
from tests.simulation.switches import switch

HOUR = 3_600


@pytest.fixture
def floor() -> Floor:
    """Alice has borrowed 515 for 15 shares at 101: she is called below 45.78, and not waited for
    below 39.24.
    """
    floor = Floor(cash="1000")
    floor.do(SetMargin(ALICE, 2, True, "r"))
    quote(floor, 100)
    assert floor.place("alice-1", "BUY 15 @ 101") == "FILLED 15/15"
    return floor


def quote(floor: Floor, middle: int, symbol: str = "AAPL") -> None:
    floor.quote(bids=f"{middle - 1}x100", asks=f"{middle + 1}x100", symbol=symbol)


def look(floor: Floor, middle: int | None = None, seconds: int = 0) -> list[str]:
    """The engine's look at margin accounts, after so much time and at that price; its events."""
    floor.wait(seconds * SECOND_NS)
    if middle is not None:
        quote(floor, middle)
    reply = floor.do(CheckMargin())
    assert isinstance(reply, CheckedReply)
    for event in floor.account_events:
        if event.order is not None:
            floor._names.setdefault(event.order.id, "forced")
    return floor.events


def call(floor: Floor) -> tuple[int, str] | None:
    """Seconds to the deadline, and why positions are closed by force."""
    held = floor.state.accounts[ALICE].call
    return held and ((held.deadline_ns - floor.now_ns) // SECOND_NS, held.forced)


# --- L9


def test_equity_below_the_requirement_is_called_with_amount_and_deadline(floor: Floor) -> None:
    assert look(floor, 46) == []
    assert call(floor) is None

    look(floor, 45)

    assert call(floor) == (HOUR, "")
    ids = [floor.state.accounts[number].public_id for number in (HOUSE, ALICE)]
    assert [event.account_id for event in floor.account_events] == ids
    assert [event.event for event in floor.account_events] == ["MarginCalled"] * 2
    assert floor.account_events[1].margin_call == MarginCallView(
        equity="160",
        maintenance="168.75",
        missing="8.75",
        deadline="2026-03-02T16:30:00.000000Z",
        reason=None,
    )
    (entry,) = floor.changes.audits
    assert (entry.action, entry.target) == ("MarginCalled", f"trading-account:{ALICE}")
    assert look(floor) == []
    assert floor.changes.is_empty


def test_a_trade_that_leaves_too_little_calls_at_once(floor: Floor) -> None:
    floor.quote()
    floor.place("charlie-1", "BUY 1 @ 40")

    floor.place("alice-2", "SELL 1 @ 40")

    assert floor.events[-2:] == ["MarginCalled -2000", "MarginCalled -475"]
    assert call(floor) == (HOUR, "")


def test_nobody_is_called_by_an_old_price(floor: Floor) -> None:
    floor.quote()
    floor.place("charlie-1", "BUY 1 @ 40")
    floor.quote(bids="39x5", asks="40x5")
    floor.wait(61 * SECOND_NS)

    assert look(floor) == []
    assert call(floor) is None


def test_a_cash_account_is_never_called(floor: Floor) -> None:
    floor.quote(asks="50x5")
    floor.place("charlie-1", "BUY 5 @ 50")

    look(floor, 2)

    assert floor.state.accounts[CHARLIE].call is None


def test_a_look_goes_on_where_the_one_before_stopped(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor.do(SetMargin(CHARLIE, 2, False, "r"))
    monkeypatch.setattr(margin_calls, "MAX_LOOKED_AT", 1)

    replies = [floor.do(CheckMargin(after)) for after in (0, ALICE)]

    assert [reply.last for reply in replies if isinstance(reply, CheckedReply)] == [ALICE, 0]


# --- L10


def test_a_called_account_may_only_lessen(floor: Floor) -> None:
    floor.place("alice-2", "BUY 1 @ 30")
    look(floor, 45)

    assert floor.place("alice-3", "BUY 1 @ 40") == "MARGIN_CALLED"
    assert floor.place("alice-4", "BUY 1 MARKET") == "MARGIN_CALLED"
    assert floor.replace("alice-2", "alice-5", "@ 31") == "MARGIN_CALLED"
    assert floor.place("alice-6", "SELL 1 @ 60") == "ACCEPTED 0/1"
    assert floor.cancel("alice-2") == "CANCELED 0/1 USER_REQUESTED"


# --- L11, L12, L14


def test_after_the_deadline_as_much_is_closed_as_is_needed(floor: Floor) -> None:
    floor.place("alice-2", "BUY 1 @ 30")
    floor.place("alice-3", "SELL 15 @ 150")
    look(floor, 45)
    assert look(floor, 45, HOUR - 1) == []

    look(floor, 45, 1)

    assert floor.events == [
        "ForcedClosingStarted -2000",
        "ForcedClosingStarted -515",
        "alice-2 OrderCanceled CANCELED 0/1 MARGIN_CALL",
        "alice-3 OrderCanceled CANCELED 0/15 MARGIN_CALL",
        "forced OrderAccepted ACCEPTED 0/3",
        "forced OrderFilled FILLED 3/3: 3 @ 44 TAKER",
        "MarginCallMet -2000",
        "MarginCallMet -383",
    ]
    assert call(floor) is None
    (order,) = floor.changes.new_orders.values()
    assert (order.forced, order.submitted_by_id, order.client_order_id) == (
        "MARGIN_DEADLINE",
        0,
        str(order.id),
    )
    (entry,) = [each for each in floor.changes.audits if each.action == "PositionClosedByForce"]
    assert (entry.reason, entry.facts["quantity"], entry.facts["side"]) == (
        "MARGIN_DEADLINE",
        "3",
        "SELL",
    )
    floor.check()


def test_below_the_floor_nobody_waits_for_the_deadline(floor: Floor) -> None:
    events = look(floor, 39)

    assert events[:2] == ["MarginCalled -2000", "MarginCalled -515"]
    assert events[2:4] == ["ForcedClosingStarted -2000", "ForcedClosingStarted -515"]
    assert [order.forced for order in floor.changes.new_orders.values()] == ["MARGIN_FLOOR"]


@pytest.mark.parametrize(
    ("equity", "maintenance", "held", "requirement", "lots"),
    [
        (110, 100, 10, 100, 0),
        (109, 100, 10, 100, 1),
        (55, 100, 10, 100, 5),
        (54, 100, 10, 100, 6),
        (0, 100, 10, 100, 10),
        (-50, 100, 10, 60, 10),
        (0, 0, 10, 0, 0),
    ],
)
def test_lots_to_close_leave_equity_at_110_percent(
    equity: int, maintenance: int, held: int, requirement: int, lots: int
) -> None:
    state = MarginState(equity, 0, 0, 0, maintenance, 0, 2)

    assert lots_to_close(state, held, requirement) == lots


def test_the_position_with_the_largest_requirement_goes_first() -> None:
    floor = Floor(cash="1000")
    floor.do(SetMargin(ALICE, 2, True, "r"))
    floor.quote(asks="100x9", symbol="BTC/USD")
    floor.place("alice-1", "BUY 4 @ 100", symbol="BTC/USD")
    quote(floor, 100)
    floor.place("alice-2", "BUY 10 @ 101")
    quote(floor, 70, "BTC/USD")

    look(floor, 45)
    look(floor, 45, HOUR)
    quote(floor, 70, "BTC/USD")
    look(floor)

    symbols = [order.instrument.symbol for order in floor.changes.new_orders.values()]
    assert symbols[0] == "BTC/USD"
    floor.check()


def test_a_short_position_is_bought_back() -> None:
    floor = Floor(cash="1000")
    floor.do(SetMargin(ALICE, 2, True, "r"))
    quote(floor, 100)
    assert floor.place("alice-1", "SELL 15 @ 99") == "FILLED 15/15"

    look(floor, 150)

    (order,) = floor.changes.new_orders.values()
    assert (order.side.value, order.forced) == ("BUY", "MARGIN_FLOOR")
    floor.check()


# --- L13


@pytest.mark.parametrize("status", ["HALTED", "CANCEL_ONLY", "POST_ONLY", "AUCTION"])
def test_it_waits_while_the_market_is_not_open(floor: Floor, status: str) -> None:
    floor.place("alice-2", "SELL 15 @ 150")
    quote(floor, 39)
    floor.set_status(status)

    look(floor)

    assert floor.changes.new_orders == {}
    assert len(floor.open_orders("alice")) == 1
    floor.set_status("OPEN")
    look(floor, 39)
    assert len(floor.changes.new_orders) == 1


def test_it_waits_while_nobody_buys(floor: Floor) -> None:
    floor.place("alice-2", "SELL 15 @ 150")
    floor.quote(asks="39x5")
    floor.place("charlie-1", "BUY 1 @ 39")

    look(floor)

    assert floor.changes.new_orders == {}
    assert len(floor.open_orders("alice")) == 1


def test_a_halted_trading_state_keeps_the_position(floor: Floor) -> None:
    switch(floor, f"account:{ALICE}", "CANCEL_ONLY")

    look(floor, 39)

    assert floor.changes.new_orders == {}
    assert call(floor) == (HOUR, "MARGIN_FLOOR")


# --- L15


def test_a_deposit_meets_the_call(floor: Floor) -> None:
    look(floor, 45)

    floor.deposit("alice", "8.75")

    assert floor.events[-2:] == ["MarginCallMet -2008.75", "MarginCallMet -506.25"]
    assert call(floor) is None
    assert floor.place("alice-3", "SELL 1 @ 60") == "ACCEPTED 0/1"


def test_a_price_that_comes_back_meets_the_call(floor: Floor) -> None:
    look(floor, 45)

    assert [line.split()[0] for line in look(floor, 46)] == ["MarginCallMet", "MarginCallMet"]
    assert call(floor) is None


def test_a_restart_keeps_call_deadline_and_reason(floor: Floor) -> None:
    look(floor, 45)
    restarted = Floor("0")
    restarted.core.state = restarted.state = rebuild(stored_from(floor.state, []))
    restarted.now_ns = floor.now_ns

    assert call(restarted) == (HOUR, "")
    look(restarted, 45, HOUR)

    assert [order.forced for order in restarted.changes.new_orders.values()] == ["MARGIN_DEADLINE"]
    assert call(restarted) is None
