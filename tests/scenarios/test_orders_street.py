"""The street as the core meets it: what a quote needs and what it does not."""

from decimal import Decimal

from orders.domain import commands
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.replies import DoneReply
from orders.domain.values import Side
from orders.engine.core import Core
from orders.engine.state import EngineState, LastTrade
from tests.simulation.floor import APPLE, START_NS, Floor, fresh, levels_of


def test_quote_that_reaches_nobody_needs_no_street_account() -> None:
    state = EngineState()
    state.add_instrument(fresh(APPLE))
    core = Core(state)

    reply = core.apply(
        commands.QuoteStreet("AAPL", levels_of("99x5"), levels_of("101x5")), START_NS
    )

    assert reply == DoneReply()
    assert state.instruments["AAPL"].book.best(Side.BUY, START_NS) == 9900


# S1: the grid and what is refused


def test_level_off_the_grid_is_left_out_alone() -> None:
    floor = Floor()
    floor.quote(bids="99x5", asks="101x5")

    floor.quote(bids="100.995x5 100.99x3", asks="101x2.5 101.02x4")

    book = floor.state.instruments["AAPL"].book
    assert book.depth(Side.BUY, 9, START_NS) == [(10_099, 3)]
    assert book.depth(Side.SELL, 9, START_NS) == [(10_102, 4)]


def test_market_order_does_not_trade_at_a_price_that_a_refused_quote_ended() -> None:
    floor = Floor()
    floor.quote(bids="100x5", asks="100.02x5")

    floor.quote(bids="101.01x5", asks="101x5")

    assert floor.place("alice-1", "BUY 1 MARKET") == "LIQUIDITY_NONE"
    assert floor.state.instruments["AAPL"].last_trade is None


# S3: how old a print is


def test_print_is_no_younger_as_the_last_trade_than_it_tells() -> None:
    floor = Floor()
    floor.quote(bids="99x5", asks="101x5")
    told_ns = floor.now_ns - STREET_TTL_NS

    floor.do(commands.PrintStreetTrade("AAPL", Decimal(100), Decimal(1), Side.SELL, told_ns))

    assert floor.state.instruments["AAPL"].last_trade == LastTrade(10_000, told_ns)
    assert floor.place("alice-1", "BUY 1 @ 101 STOP 100") == "STOP_PRICE_PASSED"
    floor.now_ns += 1
    assert floor.place("alice-2", "BUY 1 @ 101 STOP 100") == "ACCEPTED 0/1"


def test_print_that_is_too_old_fills_nobody_and_is_no_last_trade() -> None:
    floor = Floor()
    floor.quote(bids="99x5", asks="101x5")
    floor.place("alice-1", "BUY 1 @ 100")
    told_ns = floor.now_ns - STREET_TTL_NS - 1

    floor.do(commands.PrintStreetTrade("AAPL", Decimal(100), Decimal(1), Side.SELL, told_ns))

    assert floor.state.instruments["AAPL"].last_trade is None
    assert floor.cancel("alice-1") == "CANCELED 0/1 USER_REQUESTED"
