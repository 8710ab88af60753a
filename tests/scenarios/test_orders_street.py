"""The street as the core meets it: what a quote needs and what it does not."""

from orders.domain import commands
from orders.domain.replies import DoneReply
from orders.domain.values import Side
from orders.engine.core import Core
from orders.engine.state import EngineState
from tests.simulation.floor import APPLE, START_NS, fresh, levels_of


def test_quote_that_reaches_nobody_needs_no_street_account() -> None:
    state = EngineState()
    state.add_instrument(fresh(APPLE))
    core = Core(state)

    reply = core.apply(
        commands.QuoteStreet("AAPL", levels_of("99x5"), levels_of("101x5")), START_NS
    )

    assert reply == DoneReply()
    assert state.instruments["AAPL"].book.best(Side.BUY, START_NS) == 9900
