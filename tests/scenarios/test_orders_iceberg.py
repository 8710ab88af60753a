"""Orders that hide a part: what they show, when the next slice comes, and where it stands (I1 to
I5).
"""

from decimal import Decimal

import pytest

from orders.domain.values import Side
from orders.engine.core import Core
from orders.engine.journal import RULES_VERSION, Start, read_start, start_content
from orders.engine.rebuild import rebuild
from orders.engine.stored import stored_from
from tests.simulation.dump import dump
from tests.simulation.floor import ALICE, CHARLIE, Floor, order_id_of


@pytest.fixture
def floor() -> Floor:
    """Alice and Charlie have 50 shares each, bought at 100."""
    floor = Floor()
    floor.give("alice", "50", "100")
    floor.give("charlie", "50", "100")
    return floor


def iceberg(floor: Floor, name: str, text: str, display: str) -> str:
    return floor.place(name, text, display_quantity=Decimal(display))


def depth(floor: Floor, side: Side = Side.SELL) -> list[tuple[int, int]]:
    """What everybody sees: price in dollars, quantity."""
    levels = floor.state.instruments["AAPL"].book.depth(side, 10, floor.now_ns)
    return [(price // 100, quantity) for price, quantity in levels]


def restart(floor: Floor) -> None:
    """The memory is gone, and made again of what is stored."""
    stored = stored_from(floor.state, [])
    start = Start(rules_version=RULES_VERSION, max_elections=1_000, state=stored)
    floor.state = rebuild(read_start(start_content(start)).state)
    floor.core = Core(floor.state)


def queue(floor: Floor) -> list[tuple[int, int, int]]:
    """(owner, shown, hidden) of the resting orders in their order in time."""
    book = floor.state.instruments["AAPL"].book
    return [(order.owner_id, order.leaves, order.hidden) for order in book.resting()]


def test_only_the_shown_part_is_in_the_depth_and_all_of_it_is_held(floor: Floor) -> None:
    assert iceberg(floor, "alice-1", "SELL 20 @ 101", "3") == "ACCEPTED 0/20"

    assert depth(floor) == [(101, 3)]
    assert floor.position("alice") == "50 (20 locked) for 5000 realized 0"
    order = floor.account_events[0].order
    assert order is not None
    assert (order.quantity, order.leaves_quantity, order.display_quantity) == ("20", "20", "3")
    floor.check()


def test_the_next_slice_stands_behind_all_that_was_there(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 20 @ 101", "3")
    floor.place("charlie-1", "SELL 5 @ 101")

    floor.place("charlie-2", "BUY 3 @ 101", stp_mode="EXPIRE_TAKER")

    assert floor.events == [
        "charlie-2 OrderAccepted ACCEPTED 0/3",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 3/20: 3 @ 101 MAKER",
        "charlie-2 OrderFilled FILLED 3/3: 3 @ 101 TAKER",
    ]
    assert queue(floor) == [(4, 5, 0), (3, 3, 14)]
    assert depth(floor) == [(101, 8)]


def test_a_large_taker_meets_everything_shown_before_anything_hidden(floor: Floor) -> None:
    floor.open_second("alice2", owner=77)
    iceberg(floor, "alice-1", "SELL 10 @ 101", "3")
    floor.place("charlie-1", "SELL 2 @ 101")

    floor.place("alice2-1", "BUY 11 @ 101")

    assert [line for line in floor.events if "MAKER" in line] == [
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 3/10: 3 @ 101 MAKER",
        "charlie-1 OrderFilled FILLED 2/2: 2 @ 101 MAKER",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 6/10: 3 @ 101 MAKER",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 9/10: 3 @ 101 MAKER",
    ]
    assert queue(floor) == [(3, 1, 0)]
    floor.check()


def test_street_quantity_goes_before_the_next_slice(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "3")
    floor.quote(asks="101x4")

    floor.place("charlie-1", "BUY 9 @ 101")

    assert [line.split(": ")[1] for line in floor.events if "TAKER" in line] == [
        "3 @ 101 TAKER",
        "4 @ 101 TAKER",
        "2 @ 101 TAKER",
    ]
    assert queue(floor) == [(3, 1, 4)]


def test_a_part_of_what_is_shown_keeps_its_place(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "3")
    floor.place("charlie-1", "SELL 2 @ 101")

    floor.place("charlie-2", "BUY 2 @ 101", stp_mode="EXPIRE_TAKER")

    assert queue(floor) == [(3, 1, 7), (4, 2, 0)]


def test_all_or_none_counts_what_is_hidden(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "1")

    assert floor.place("charlie-1", "BUY 10 @ 101 FOK") == "FILLED 10/10"


def test_a_quote_through_the_order_takes_slice_after_slice(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")

    floor.quote(bids="102x9")

    assert floor.events == [
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 4/10: 4 @ 101 MAKER",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 8/10: 4 @ 101 MAKER",
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 9/10: 1 @ 101 MAKER",
    ]
    assert queue(floor) == [(3, 1, 0)]


def test_a_print_at_the_price_reaches_no_slice_that_comes_of_it(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")

    floor.street_trade("BUY 9 @ 101")
    assert queue(floor) == [(3, 4, 2)]

    floor.street_trade("BUY 9 @ 102")
    assert floor.open_orders("alice") == []
    floor.check()


# --- amend, replace, own orders, cancel


def test_an_amend_takes_from_what_is_hidden_first(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")
    floor.place("charlie-1", "SELL 2 @ 101")

    assert floor.amend("alice-1", "5") == "ACCEPTED 0/5"
    assert queue(floor) == [(3, 4, 1), (4, 2, 0)]
    assert floor.amend("alice-1", "2") == "ACCEPTED 0/2"
    assert queue(floor) == [(3, 2, 0), (4, 2, 0)]
    assert floor.position("alice") == "50 (2 locked) for 5000 realized 0"


def test_a_successor_with_less_keeps_the_place_and_what_it_shows(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")
    floor.place("charlie-1", "SELL 2 @ 101")
    floor.place("charlie-2", "BUY 1 @ 101", stp_mode="EXPIRE_TAKER")

    assert floor.replace("alice-1", "alice-2", "6") == "ACCEPTED 0/6"

    assert queue(floor) == [(3, 3, 3), (4, 2, 0)]
    assert floor.replace("alice-2", "alice-3", "2") == "ACCEPTED 0/2"
    assert queue(floor) == [(3, 2, 0), (4, 2, 0)]


def test_a_successor_at_another_price_shows_as_much_at_a_time(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")

    floor.replace("alice-1", "alice-2", "9 @ 103")

    assert depth(floor) == [(103, 4)]
    assert floor.replace("alice-2", "alice-3", "81") == "DISPLAY_OUT_OF_RANGE"


def test_a_prevented_match_takes_from_what_is_hidden_first(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")

    floor.place("bob-1", "BUY 3 @ 101", stp_mode="DECREMENT")

    assert queue(floor) == [(3, 4, 3)]
    assert floor.position("alice") == "50 (7 locked) for 5000 realized 0"


def test_a_cancel_takes_all_of_it(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 10 @ 101", "4")

    assert floor.cancel("alice-1") == "CANCELED 0/10 USER_REQUESTED"

    assert depth(floor) == []
    assert floor.position("alice") == "50 for 5000 realized 0"


def test_a_restart_knows_what_was_shown_and_the_places(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 20 @ 101", "3")
    floor.place("charlie-1", "SELL 5 @ 101")
    iceberg(floor, "alice-2", "SELL 8 @ 101", "2")
    floor.place("charlie-2", "BUY 9 @ 101", stp_mode="EXPIRE_MAKER")
    before, places = dump(floor.state), queue(floor)

    restart(floor)

    assert dump(floor.state) == before
    assert queue(floor) == places
    order = floor.state.orders[order_id_of("alice-1")]
    assert order.rank > order.sequence


def test_a_restart_lets_no_order_overtake_a_slice_that_came_while_it_waited(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 20 @ 101", "5")
    floor.set_status("AUCTION")
    floor.place("charlie-1", "SELL 7 @ 101")
    floor.set_status("CANCEL_ONLY")
    floor.street_trade("BUY 5 @ 101")
    floor.set_status("OPEN")
    assert queue(floor) == [(ALICE, 5, 10), (CHARLIE, 7, 0)]

    restart(floor)

    assert queue(floor) == [(ALICE, 5, 10), (CHARLIE, 7, 0)]


def test_an_auction_trades_all_of_it(floor: Floor) -> None:
    iceberg(floor, "alice-1", "SELL 20 @ 101", "3")
    floor.set_status("AUCTION")
    floor.place("charlie-1", "BUY 9 @ 101")

    floor.set_status("OPEN")

    assert [line for line in floor.events if "Filled" in line] == [
        "alice-1 OrderPartiallyFilled PARTIALLY_FILLED 9/20: 9 @ 101 MAKER",
        "charlie-1 OrderFilled FILLED 9/9: 9 @ 101 TAKER",
    ]
    assert queue(floor) == [(3, 3, 8)]


# --- refusals


@pytest.mark.parametrize(
    ("text", "display", "reason"),
    [
        ("SELL 20 @ 101", "0", "DISPLAY_OUT_OF_RANGE"),
        ("SELL 20 @ 101", "0.5", "DISPLAY_OUT_OF_RANGE"),
        ("SELL 20 @ 101", "21", "DISPLAY_OUT_OF_RANGE"),
        ("SELL 21 @ 101", "1", "DISPLAY_OUT_OF_RANGE"),
        ("SELL 20 @ 101 IOC", "3", "DISPLAY_NOT_ALLOWED"),
        ("SELL 20 MARKET", "3", "DISPLAY_NOT_ALLOWED"),
        ("SELL 20 @ 98 STOP 99", "3", "DISPLAY_NOT_ALLOWED"),
    ],
)
def test_what_cannot_hide_a_part_is_refused(
    floor: Floor, text: str, display: str, reason: str
) -> None:
    assert iceberg(floor, "alice-1", text, display) == reason
    assert floor.changes.is_empty
