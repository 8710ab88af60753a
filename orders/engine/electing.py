"""Elected stop orders enter the market, one after another: docs/matching.md E3, E6 and E7.

Trades put them into the state's queue (EngineState.note_trade); the core lets them in when a
command is done. Their own fills lengthen the queue: a loop with a bound, never a recursion.
"""

from typing import Final

from marketdata.domain.market_states import MarketState
from orders.domain.reasons import CloseReason
from orders.domain.values import StpMode
from orders.engine import lifecycle
from orders.engine.placing import match
from orders.engine.preventing import would_self_trade
from orders.engine.state import OrderState
from orders.engine.step import Step

MAX_ELECTIONS: Final = 1_000
"""Stops that enter after one command: a cascade must not make a batch that takes seconds."""


def elect(step: Step, limit: int) -> None:
    """Let up to `limit` elected stops in, in the order of their election."""
    state = step.state
    for _ in range(limit):
        if not state.elections:
            return
        _take_turn(step, state.orders.get(state.elections.popleft()))


def _take_turn(step: Step, order: OrderState | None) -> None:
    """Enter the order, unless it was closed while it queued or its market is not open."""
    if order is None:
        return
    if order.instrument.market_state(step.now_ns) is not MarketState.OPEN:
        step.state.wait(order)
        return
    lifecycle.trigger(step, order)
    if order.stp_mode is StpMode.REJECT and would_self_trade(order, order.limit_price):
        lifecycle.close(step, order, CloseReason.SELF_TRADE)
        return
    match(step, order)
