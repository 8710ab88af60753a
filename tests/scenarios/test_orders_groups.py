"""Order groups: OCO, OTO and bracket by the rules of docs/order-groups.md."""

import pytest

from risk.domain import checks
from tests.simulation.floor import SECOND_NS, Floor


@pytest.fixture
def floor() -> Floor:
    """Alice has 20 shares, bought at 100, Charlie 40; the market stands at 99 to 101."""
    floor = Floor()
    floor.give("alice", "20", "100")
    floor.give("charlie", "40", "100")
    floor.wait(6 * SECOND_NS)
    floor.quote(bids="99x50 98x50", asks="101x50 102x50")
    return floor


def states(floor: Floor, *names: str) -> list[str]:
    """Status and filled of quantity of open orders."""
    orders = [floor.state.orders[floor.id_of(name)] for name in names]
    return [f"{order.status} {order.filled}/{order.quantity}" for order in orders]


# --- one cancels the other


def test_a_pair_holds_its_quantity_once(floor: Floor) -> None:
    outcome = floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95")

    assert outcome == "ACCEPTED 0/20"
    assert floor.events == [
        "alice-1 OrderAccepted ACCEPTED 0/20",
        "alice-1-loss OrderAccepted ACCEPTED 0/20",
    ]
    assert floor.position("alice") == "20 (20 locked) for 2000 realized 0"
    assert floor.place("alice-2", "SELL 1 @ 120") == "POSITION_INSUFFICIENT"
    floor.check()


def test_a_part_of_the_profit_shrinks_the_loss(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95")

    floor.quote(bids="110x8", asks="111x5")

    assert floor.events == [
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 8/20: 8 @ 110 MAKER",
        "alice-1-loss OrderAmended ACCEPTED 0/12",
    ]
    assert floor.position("alice") == "12 (12 locked) for 1200 realized 80"
    floor.check()


def test_the_loss_ends_when_the_profit_is_filled(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95")

    floor.quote(bids="110x30", asks="111x5")

    assert floor.events == [
        "alice-1 OrderFilled FILLED 20/20: 20 @ 110 MAKER",
        "alice-1-loss OrderCanceled CANCELED 0/20 SIBLING_FILLED",
    ]
    assert floor.open_orders("alice") == []
    assert floor.position("alice") == "0 for 0 realized 200"
    floor.check()


def test_an_elected_loss_takes_the_profits_place(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95")

    floor.quote(bids="94x50", asks="96x50")
    floor.street_trade("SELL 1 @ 95")

    assert floor.events == [
        "alice-1-loss OrderTriggered TRIGGERED 0/20",
        "alice-1 OrderCanceled CANCELED 0/20 SIBLING_ELECTED",
        "alice-1-loss OrderFilled FILLED 20/20: 20 @ 94 TAKER",
    ]
    assert floor.position("alice") == "0 for 0 realized -120"
    floor.check()


def test_a_limited_loss_that_rests_is_alone_in_the_book(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95 @ 95")
    floor.quote(bids="94x50", asks="96x50")

    floor.street_trade("SELL 1 @ 95")

    resting = floor.state.instruments["AAPL"].book.resting()
    assert [(row.order_id, row.leaves) for row in resting] == [(floor.id_of("alice-1-loss"), 20)]
    assert floor.position("alice") == "20 (20 locked) for 2000 realized 0"
    assert floor.cancel("alice-1-loss") == "CANCELED 0/20 USER_REQUESTED"
    assert floor.position("alice") == "20 for 2000 realized 0"
    floor.check()


@pytest.mark.parametrize("name", ["alice-1", "alice-1-loss"])
def test_a_cancel_of_one_ends_both(floor: Floor, name: str) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95")
    other = {"alice-1": "alice-1-loss", "alice-1-loss": "alice-1"}[name]

    assert floor.cancel(name) == "CANCELED 0/20 USER_REQUESTED"

    assert floor.events == [
        f"{name} OrderCanceled CANCELED 0/20 USER_REQUESTED",
        f"{other} OrderCanceled CANCELED 0/20 GROUP_ENDED",
    ]
    assert [event.request_id for event in floor.account_events] == [f"cancel-{name}"] * 2
    assert floor.position("alice") == "20 for 2000 realized 0"
    floor.check()


def test_a_profit_that_fills_at_once_leaves_no_loss(floor: Floor) -> None:
    assert floor.group("OCO", "alice-1", "SELL 20 @ 98.5", loss="95") == "FILLED 20/20"

    assert floor.open_orders("alice") == []
    assert floor.state.groups == {}
    floor.check()


def test_both_legs_reached_by_one_command_trade_once(floor: Floor) -> None:
    """A trade that elects the loss is followed by fills of the profit before its turn comes."""
    floor.group("OCO", "alice-1", "SELL 20 @ 100.8", loss="100.5 @ 90")
    floor.place("charlie-1", "SELL 1 @ 100.4")

    floor.open_second("alice2", owner=99)
    floor.place("alice2-1", "BUY 21 @ 101")

    assert floor.open_orders("alice") == []
    assert floor.position("alice") == "0 for 0 realized 16"
    assert floor.events[-2] == "alice-1-loss OrderCanceled CANCELED 0/20 SIBLING_FILLED"
    floor.check()


@pytest.mark.parametrize(
    ("text", "loss", "refusal"),
    [
        ("SELL 20 @ 110", "110", "GROUP_PRICES_INVALID"),
        ("SELL 20 @ 110", "95 @ 96", "GROUP_PRICES_INVALID"),
        ("SELL 20 @ 110", "", "GROUP_LEGS_INVALID"),
        ("SELL 20 @ 110 IOC", "95", "GROUP_TIF_NOT_ALLOWED"),
        ("SELL 20 MARKET", "95", "GROUP_TYPE_NOT_ALLOWED"),
        ("BUY 20 @ 90", "95", "GROUP_DIRECTION_INVALID"),
        ("SELL 21 @ 110", "95", "POSITION_INSUFFICIENT"),
        ("SELL 20 @ 110", "95.001", "STOP_PRICE_OFF_TICK"),
        ("SELL 20 @ 110", "95 @ 94.001", "PRICE_OFF_TICK"),
    ],
)
def test_what_does_not_go_together_is_refused_as_a_whole(
    floor: Floor, text: str, loss: str, refusal: str
) -> None:
    assert floor.group("OCO", "alice-1", text, loss=loss) == refusal

    assert floor.events == []
    assert floor.open_orders("alice") == []
    assert floor.position("alice") == "20 for 2000 realized 0"


def test_crypto_takes_simple_orders_only(floor: Floor) -> None:
    outcome = floor.group("OCO", "alice-1", "SELL 1 @ 110", loss="95", symbol="BTC/USD")

    assert outcome == "GROUP_NOT_OFFERED"


def test_a_loss_whose_price_has_passed_refuses_the_pair(floor: Floor) -> None:
    floor.street_trade("SELL 1 @ 100")

    assert floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="100") == "STOP_PRICE_PASSED"

    assert floor.open_orders("alice") == []


# --- bracket


def bracket(floor: Floor, text: str = "BUY 10 @ 100", **more: str) -> str:
    return floor.group("BRACKET", "alice-1", text, profit="110", loss="95", **more)


def test_legs_are_held_until_the_entry_is_filled(floor: Floor) -> None:
    assert bracket(floor) == "ACCEPTED 0/10"

    assert floor.events == [
        "alice-1 OrderAccepted ACCEPTED 0/10",
        "alice-1-profit OrderHeld HELD 0/10",
        "alice-1-loss OrderHeld HELD 0/10",
    ]
    assert floor.position("alice") == "20 for 2000 realized 0"
    assert floor.cash("alice") == "8000 (1000 locked)"
    floor.check()


def test_what_the_entry_fills_is_set_aside_for_its_legs_at_once(floor: Floor) -> None:
    bracket(floor)

    floor.quote(bids="98x5", asks="100x4")

    assert floor.position("alice") == "24 (4 locked) for 2400 realized 0"
    assert states(floor, "alice-1-profit", "alice-1-loss") == ["HELD 0/10", "HELD 0/10"]
    assert floor.place("alice-2", "SELL 21 @ 120") == "POSITION_INSUFFICIENT"
    floor.check()


def test_legs_enter_when_the_entry_is_filled(floor: Floor) -> None:
    bracket(floor)

    floor.quote(bids="98x5", asks="100x40")

    assert floor.events == [
        "alice-1 OrderFilled FILLED 10/10: 10 @ 100 MAKER",
        "alice-1-profit OrderReleased ACCEPTED 0/10",
        "alice-1-loss OrderReleased ACCEPTED 0/10",
    ]
    assert floor.position("alice") == "30 (10 locked) for 3000 realized 0"
    floor.check()


def test_a_market_entry_that_is_filled_in_part_leaves_legs_for_its_part(floor: Floor) -> None:
    floor.quote(bids="99x50", asks="101x4")

    assert bracket(floor, "BUY 10 MARKET") == "CANCELED 4/10 LIQUIDITY_EXHAUSTED"

    assert states(floor, "alice-1-profit", "alice-1-loss") == ["ACCEPTED 0/4", "ACCEPTED 0/4"]
    assert floor.position("alice") == "24 (4 locked) for 2404 realized 0"
    floor.check()


def test_a_canceled_entry_takes_its_legs_with_it(floor: Floor) -> None:
    bracket(floor)
    floor.quote(bids="98x5", asks="100x4")

    assert floor.cancel("alice-1") == "CANCELED 4/10 USER_REQUESTED"

    assert floor.events[1:] == [
        "alice-1-profit OrderCanceled CANCELED 0/10 GROUP_ENDED",
        "alice-1-loss OrderCanceled CANCELED 0/10 GROUP_ENDED",
    ]
    assert floor.position("alice") == "24 for 2400 realized 0"
    assert floor.cash("alice") == "7600"
    floor.check()


def test_a_loss_that_is_passed_when_its_turn_comes_is_elected_at_once(floor: Floor) -> None:
    bracket(floor)

    # Filled by a street trade far below its limit, which also is the last trade.
    floor.quote(bids="90x60", asks="94x60")

    assert [line.split()[:2] for line in floor.events] == [
        ["alice-1", "OrderFilled"],
        ["alice-1-profit", "OrderReleased"],
        ["alice-1-loss", "OrderReleased"],
    ]
    floor.street_trade("SELL 1 @ 92")
    assert floor.events[0] == "alice-1-loss OrderTriggered TRIGGERED 0/10"
    assert floor.open_orders("alice") == []
    floor.check()


@pytest.mark.parametrize(
    ("text", "profit", "loss", "refusal"),
    [
        ("BUY 10 @ 100", "110", "", "GROUP_LEGS_INVALID"),
        ("BUY 10 @ 100", "", "95", "GROUP_LEGS_INVALID"),
        ("BUY 10 @ 100", "100", "95", "GROUP_PRICES_INVALID"),
        ("BUY 10 @ 100", "110", "100", "GROUP_PRICES_INVALID"),
        ("BUY 10 MARKET", "101", "95", "GROUP_PRICES_INVALID"),
        ("SELL 10 @ 100", "90", "105", "GROUP_DIRECTION_INVALID"),
        ("BUY 10 @ 100 FOK", "110", "95", "GROUP_TIF_NOT_ALLOWED"),
        ("BUY 200 @ 100", "110", "95", "FUNDS_INSUFFICIENT"),
    ],
)
def test_a_bracket_that_does_not_fit_is_refused_as_a_whole(
    floor: Floor, text: str, profit: str, loss: str, refusal: str
) -> None:
    assert floor.group("BRACKET", "alice-1", text, profit=profit, loss=loss) == refusal

    assert floor.events == []
    assert floor.open_orders("alice") == []
    assert floor.cash("alice") == "8000"


# --- one triggers the other


def test_the_one_leg_of_an_oto_enters_after_its_entry(floor: Floor) -> None:
    floor.group("OTO", "alice-1", "BUY 10 @ 101", loss="95")

    assert floor.events == [
        "alice-1 OrderAccepted ACCEPTED 0/10",
        "alice-1-loss OrderHeld HELD 0/10",
        "alice-1 OrderFilled FILLED 10/10: 10 @ 101 TAKER",
        "alice-1-loss OrderReleased ACCEPTED 0/10",
    ]
    assert floor.position("alice") == "30 (10 locked) for 3010 realized 0"
    floor.check()


def test_an_oto_has_one_leg(floor: Floor) -> None:
    outcome = floor.group("OTO", "alice-1", "BUY 10 @ 100", profit="110", loss="95")

    assert outcome == "GROUP_LEGS_INVALID"


# --- what ends a group


def test_a_cancel_of_all_ends_each_order_once(floor: Floor) -> None:
    bracket(floor)
    floor.group("OCO", "alice-2", "SELL 5 @ 120", loss="90")

    assert len(floor.cancel_all("alice")) == 5

    assert [line.split()[-1] for line in floor.events] == [
        "USER_REQUESTED",
        "GROUP_ENDED",
        "GROUP_ENDED",
        "USER_REQUESTED",
        "GROUP_ENDED",
    ]
    assert floor.cash("alice") == "8000"
    floor.check()


def test_a_group_expires_with_its_day(floor: Floor) -> None:
    floor.group("BRACKET", "alice-1", "BUY 10 @ 96 DAY", profit="110", loss="95")
    floor.wait(9 * 3_600 * SECOND_NS)

    assert floor.expire() == ["alice-1", "alice-1-profit", "alice-1-loss"]

    assert [line.split()[-1] for line in floor.events] == ["DAY_END"] * 3
    floor.check()


def test_a_pair_is_decremented_together(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 100", loss="95")

    floor.place("alice-2", "BUY 6 @ 100", stp_mode="DECREMENT")

    assert floor.events[1:3] == [
        "alice-1 OrderDecremented ACCEPTED 0/20",
        "alice-1-loss OrderAmended ACCEPTED 0/14",
    ]
    assert floor.position("alice") == "20 (14 locked) for 2000 realized 0"
    floor.check()


def test_the_loss_stays_when_self_trade_prevention_cancels_the_profit(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 100", loss="95")

    floor.place("alice-2", "BUY 6 @ 100", stp_mode="EXPIRE_MAKER")

    assert floor.events[1] == "alice-1 OrderCanceled CANCELED 0/20 SELF_TRADE"
    assert states(floor, "alice-1-loss") == ["ACCEPTED 0/20"]
    assert floor.position("alice") == "20 (20 locked) for 2000 realized 0"
    floor.check()


# --- changes


def test_a_leg_is_moved_by_a_replace(floor: Floor) -> None:
    floor.group("OCO", "alice-1", "SELL 20 @ 110", loss="95")

    assert floor.replace("alice-1", "alice-2", "@ 112") == "ACCEPTED 0/20"
    assert floor.replace("alice-1-loss", "alice-3", "STOP 96") == "ACCEPTED 0/20"

    assert floor.position("alice") == "20 (20 locked) for 2000 realized 0"
    assert floor.open_orders("alice") == ["alice-2", "alice-3"]
    floor.quote(bids="112x30", asks="113x5")
    assert floor.events[-1] == "alice-3 OrderCanceled CANCELED 0/20 SIBLING_FILLED"
    floor.check()


def test_a_held_leg_is_moved_and_enters_at_its_new_price(floor: Floor) -> None:
    bracket(floor)
    floor.quote(bids="98x5", asks="100x4")

    assert floor.replace("alice-1-profit", "alice-2", "@ 115") == "HELD 0/10"

    assert floor.position("alice") == "24 (4 locked) for 2400 realized 0"
    floor.quote(bids="98x5", asks="100x40")
    assert floor.events[1:] == [
        "alice-2 OrderReleased ACCEPTED 0/10",
        "alice-1-loss OrderReleased ACCEPTED 0/10",
    ]
    assert floor.position("alice") == "30 (10 locked) for 3000 realized 0"
    floor.check()


@pytest.mark.parametrize(
    ("name", "text", "refusal"),
    [
        ("alice-1-profit", "5", "GROUP_TERMS_FIXED"),
        ("alice-1", "DAY", "GROUP_TERMS_FIXED"),
        ("alice-1-profit", "@ 95", "GROUP_PRICES_INVALID"),
        ("alice-1-loss", "STOP 110", "GROUP_PRICES_INVALID"),
        ("alice-1", "@ 95", "GROUP_PRICES_INVALID"),
        ("alice-1-profit", "@ 110", "ORDER_UNCHANGED"),
    ],
)
def test_a_change_that_the_group_does_not_allow_is_refused(
    floor: Floor, name: str, text: str, refusal: str
) -> None:
    bracket(floor)

    assert floor.replace(name, "alice-9", text) == refusal

    assert floor.open_orders("alice") == ["alice-1", "alice-1-profit", "alice-1-loss"]
    assert floor.amend("alice-1", "5") == "GROUP_TERMS_FIXED"


def test_a_group_counts_all_its_orders_as_open(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "MAX_OPEN_ORDERS_PER_ACCOUNT", 10)
    for number in range(8):
        floor.place(f"charlie-{number}", "BUY 1 @ 1")

    refused = floor.group("BRACKET", "charlie-a", "BUY 1 @ 90", profit="95", loss="80")
    taken = floor.group("OTO", "charlie-b", "BUY 1 @ 90", loss="80")

    assert (refused, taken) == ("OPEN_ORDERS_EXCEEDED", "ACCEPTED 0/1")
    assert len(floor.open_orders("charlie")) == 10
