"""Market orders while the feed of their instrument is silent: docs/risk.md M17, E9 and L13."""

from decimal import Decimal

import pytest

from orders.domain.commands import QuoteStreet, SetMargin, WhatIf
from orders.domain.market_commands import CheckMargin
from orders.domain.replies import DeniedReply, WhatIfReply
from orders.engine.core import Core
from orders.engine.journal import RULES_VERSION, Start, read_start, start_content
from orders.engine.rebuild import rebuild
from orders.engine.stored import stored_from
from tests.simulation.floor import ALICE, SECOND_NS, Floor, submit_command

TTL_NS = 5 * SECOND_NS
STALE = (
    "No fresh price for AAPL since 2026-03-02T15:30:00.000000Z: a market order would trade blind."
    " Use a limit order, or wait."
)
MISSING = (
    "No price for AAPL has come in yet: a market order would trade blind. Use a limit order, or"
    " wait."
)


@pytest.fixture
def floor() -> Floor:
    """AAPL follows a feed, which stands at 99 to 101; Alice and Charlie have 20 shares each, and
    Charlie offers 5 more at 300 and bids for 50 at 10.
    """
    floor = Floor()
    floor.state.instruments["AAPL"].follows_feed = True
    floor.give("alice", "20", "100")
    floor.give("charlie", "20", "100")
    floor.place("charlie-offer", "SELL 5 @ 300")
    floor.place("charlie-bid", "BUY 50 @ 10")
    floor.quote(bids="99x50", asks="101x50")
    return floor


def silent(floor: Floor) -> None:
    floor.wait(TTL_NS + 1)


def told_why(floor: Floor, name: str, text: str) -> tuple[str, str]:
    """Reason and sentence of the refusal, which has changed nothing."""
    reply = floor.do(submit_command(name, text))
    assert isinstance(reply, DeniedReply)
    assert floor.changes.is_empty
    assert floor.changes.events == []
    return reply.reason, reply.sentence


def trade(floor: Floor, price: str) -> None:
    """One share changes hands between users: Charlie's, to another account of Alice's owner."""
    number = len(floor._names)
    assert floor.place(f"charlie-{number}", f"SELL 1 @ {price}") == "ACCEPTED 0/1"
    assert floor.place(f"alice2-{number}", f"BUY 1 @ {price}") == "FILLED 1/1"


def restarted(floor: Floor) -> None:
    stored = stored_from(floor.state, [])
    start = Start(rules_version=RULES_VERSION, max_elections=1_000, state=stored)
    floor.state = rebuild(read_start(start_content(start)).state)
    floor.core = Core(floor.state)


# --- market orders (M17)


@pytest.mark.parametrize("text", ["BUY 1 MARKET", "SELL 1 MARKET IOC", "BUY 1 MARKET FOK"])
def test_a_market_order_is_refused_while_the_feed_is_silent(floor: Floor, text: str) -> None:
    silent(floor)

    assert told_why(floor, "alice-1", text) == ("REFERENCE_STALE", STALE)

    assert floor.cash("alice") == "8000"
    assert floor.position("alice") == "20 for 2000 realized 0"
    assert floor.open_orders("charlie") == ["charlie-offer", "charlie-bid"]


def test_a_quote_counts_until_the_end_of_its_life_and_the_next_ends_the_silence(
    floor: Floor,
) -> None:
    floor.wait(TTL_NS)
    assert floor.place("alice-1", "BUY 1 MARKET") == "FILLED 1/1"
    floor.wait(1)
    assert floor.place("alice-2", "BUY 1 MARKET") == "REFERENCE_STALE"

    floor.quote(bids="99x50", asks="101x50")

    assert floor.place("alice-3", "BUY 1 MARKET") == "FILLED 1/1"


def test_an_empty_quote_is_a_word_of_the_feed(floor: Floor) -> None:
    silent(floor)
    floor.quote()

    assert floor.place("alice-1", "BUY 1 MARKET") == "FILLED 1/1"


def test_a_quote_that_is_refused_is_none(floor: Floor) -> None:
    silent(floor)
    crossed = QuoteStreet("AAPL", [(Decimal(102), Decimal(1))], [(Decimal(101), Decimal(1))])

    floor.do(crossed)

    assert floor.place("alice-1", "BUY 1 MARKET") == "REFERENCE_STALE"


def test_a_feed_that_has_told_nothing_yet_is_silent() -> None:
    floor = Floor()
    floor.state.instruments["AAPL"].follows_feed = True
    floor.place("charlie-1", "BUY 1 @ 10")

    assert told_why(floor, "alice-1", "BUY 1 MARKET") == ("REFERENCE_MISSING", MISSING)


def test_after_a_restart_it_has_told_nothing_yet(floor: Floor) -> None:
    restarted(floor)

    assert floor.state.instruments["AAPL"].follows_feed
    assert told_why(floor, "alice-1", "BUY 1 MARKET") == ("REFERENCE_MISSING", MISSING)
    floor.quote(bids="99x50", asks="101x50")
    assert floor.place("alice-2", "BUY 1 MARKET") == "FILLED 1/1"


def test_an_instrument_without_a_feed_is_not_concerned(floor: Floor) -> None:
    floor.state.instruments["AAPL"].follows_feed = False
    silent(floor)

    assert floor.place("alice-1", "BUY 5 MARKET") == "FILLED 5/5"


def test_with_nobody_there_the_silence_is_the_reason(floor: Floor) -> None:
    floor.cancel_all("charlie")
    silent(floor)

    assert floor.place("alice-1", "BUY 1 MARKET") == "REFERENCE_STALE"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("BUY 1 @ 99", "ACCEPTED 0/1"),
        ("BUY 1 @ 300", "FILLED 1/1"),
        ("BUY 6 @ 300 IOC", "CANCELED 5/6 IOC_REMAINDER"),
        ("SELL 1 STOP 95", "ACCEPTED 0/1"),
        ("SELL 1 TRAIL 5", "ACCEPTED 0/1"),
    ],
)
def test_an_order_with_a_price_of_its_own_is_taken_as_before(
    floor: Floor, text: str, outcome: str
) -> None:
    silent(floor)

    assert floor.place("alice-1", text) == outcome


def test_an_order_for_a_value_is_a_market_order(floor: Floor) -> None:
    silent(floor)

    outcome = floor.place("alice-1", "BUY 1 MARKET", quantity=Decimal(0), notional=Decimal(500))

    assert outcome == "REFERENCE_STALE"
    assert floor.changes.is_empty


def test_a_bracket_whose_entry_is_a_market_order_is_refused_whole(floor: Floor) -> None:
    silent(floor)

    outcome = floor.group("BRACKET", "alice-1", "BUY 1 MARKET DAY", "310", "90")

    assert outcome == "REFERENCE_STALE"
    assert floor.open_orders("alice") == []


def test_a_market_order_that_waits_for_an_auction_is_taken(floor: Floor) -> None:
    floor.set_status("AUCTION")
    silent(floor)

    assert floor.place("alice-1", "SELL 1 MARKET DAY") == "QUEUED 0/1"


def test_the_state_of_the_market_refuses_first(floor: Floor) -> None:
    silent(floor)
    floor.set_status("HALTED")

    assert floor.place("alice-1", "BUY 1 MARKET") == "INSTRUMENT_HALTED"


def test_what_if_tells_the_same(floor: Floor) -> None:
    silent(floor)

    reply = floor.do(WhatIf(submit_command("alice-1", "BUY 1 MARKET")))

    assert isinstance(reply, WhatIfReply)
    assert reply.denied is not None
    assert (reply.denied.reason, reply.denied.sentence) == ("REFERENCE_STALE", STALE)


# --- stops that were elected (E9)


@pytest.fixture
def users(floor: Floor) -> Floor:
    """The same with another account to trade with, and a feed that is silent."""
    floor.open_second()
    silent(floor)
    return floor


@pytest.mark.parametrize("text", ["SELL 5 STOP 95", "SELL 5 TRAIL 5"])
def test_a_sell_stop_elected_by_users_waits_for_a_fresh_price(users: Floor, text: str) -> None:
    assert users.place("alice-1", text) == "ACCEPTED 0/5"

    trade(users, "94")

    order = users.state.accounts[ALICE].open_orders
    assert [held.status.value for held in order.values()] == ["ACCEPTED"]
    assert users.position("alice") == "20 (5 locked) for 2000 realized 0"
    users.quote(bids="94x50", asks="96x50")
    assert users.open_orders("alice") == ["alice-1"]
    users.street_trade("SELL 1 @ 94")
    assert users.open_orders("alice") == []
    assert users.position("alice") == "15 for 1500 realized -30"
    users.check()


def test_a_price_that_comes_back_leaves_the_stop_waiting(users: Floor) -> None:
    users.place("alice-1", "SELL 5 STOP 95")
    trade(users, "94")

    users.quote(bids="99x50", asks="101x50")
    users.street_trade("SELL 1 @ 100")

    assert users.open_orders("alice") == ["alice-1"]


@pytest.mark.parametrize(
    ("text", "price", "outcome"),
    [
        ("BUY 5 STOP 105", "106", "TRIGGERED"),  # at most its protection
        ("SELL 5 @ 94 STOP 95", "94.5", "TRIGGERED"),
    ],
)
def test_a_stop_that_enters_with_a_limit_enters(
    users: Floor, text: str, price: str, outcome: str
) -> None:
    users.place("alice-1", text)

    trade(users, price)

    (order,) = users.state.accounts[ALICE].open_orders.values()
    assert order.status.value == outcome


def test_the_stop_loss_of_a_pair_waits_and_leaves_its_pair(users: Floor) -> None:
    assert users.group("OCO", "alice-1", "SELL 5 @ 110", loss="95") == "ACCEPTED 0/5"

    trade(users, "94")

    assert users.open_orders("alice") == ["alice-1", "alice-1-loss"]
    users.quote(bids="94x50", asks="96x50")
    users.street_trade("SELL 1 @ 94")
    assert users.open_orders("alice") == []
    users.check()


# --- closing by force (L13)


@pytest.fixture
def called() -> Floor:
    """Alice has borrowed for 15 shares and is called at 45; an hour later the feed is silent, and
    users trade with each other.
    """
    floor = Floor(cash="1000")
    floor.open_second(cash="100000")
    floor.do(SetMargin(ALICE, 2, True, "r"))
    floor.state.instruments["AAPL"].follows_feed = True
    floor.give("charlie", "9", "100")
    floor.quote(bids="99x100", asks="101x100")
    assert floor.place("alice-1", "BUY 15 @ 101") == "FILLED 15/15"
    floor.quote(bids="44x100", asks="46x100")
    floor.do(CheckMargin())
    floor.deposit("charlie", "10000")
    assert floor.place("charlie-bid", "BUY 50 @ 43") == "ACCEPTED 0/50"
    floor.wait(3_600 * SECOND_NS)
    return floor


def looked(floor: Floor) -> list[str]:
    """Users trade, the engine looks at its margin accounts: the accounts' events."""
    trade(floor, "45")
    floor.do(CheckMargin())
    return [event.event for event in floor.account_events]


def executed(floor: Floor) -> list[str]:
    """The prices of the last command's fills of forced orders."""
    return [
        event.execution.price
        for event in floor.account_events
        if event.execution is not None and event.order is not None and event.order.forced
    ]


def test_a_forced_order_waits_for_the_feed(called: Floor) -> None:
    assert looked(called) == ["ForcedClosingStarted"] * 2
    assert called.position("alice") == "15 for 1515 realized 0"
    called.wait(900 * SECOND_NS)
    assert looked(called) == []
    assert called.changes.is_empty

    called.quote(bids="44x100", asks="46x100")
    called.do(CheckMargin())

    assert executed(called) == ["44"]


def test_a_forced_order_does_not_wait_for_ever(called: Floor) -> None:
    called.wait(900 * SECOND_NS + 1)

    assert "OrderAccepted" in looked(called)

    assert executed(called) == ["43"]
    called.check()
