"""Elected stop orders enter the market, one after another: docs/matching.md E3, E6, E7 and E9.
So do the legs of an entry that is done (docs/order-groups.md N6).

Trades put them into the state's queue (EngineState.note_trade); the core lets them in when a
command is done. Their own fills lengthen the queue: a loop with a bound, never a recursion.
"""

from typing import Final

from marketdata.domain.market_states import MarketState
from orders.domain.reasons import CloseReason
from orders.domain.states import OrderEvent
from orders.domain.values import OrderStatus, Side, StpMode
from orders.engine import lifecycle
from orders.engine.conditions import is_blind
from orders.engine.passage import check_stop_ahead
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
    """Enter the order, unless it was closed while it queued, its market is not open (E7), or it
    would trade at any price where nobody knows one (E9).
    """
    if order is None:
        return
    if order.status is OrderStatus.HELD:
        _enter_leg(step, order)
        return
    is_open = order.instrument.market_state(step.now_ns) is MarketState.OPEN
    is_market = order.limit_price is None and order.side is Side.SELL
    if not is_open or (is_market and is_blind(order.instrument, step.now_ns)):
        step.state.wait(order)
        return
    lifecycle.trigger(step, order)
    if order.stp_mode is StpMode.REJECT and would_self_trade(order, order.limit_price):
        lifecycle.close(step, order, CloseReason.SELF_TRADE)
        return
    match(step, order)


def _enter_leg(step: Step, order: OrderState) -> None:
    """A leg goes to its work: a stop waits, or is elected when its price is passed; a take profit
    enters as a new order would, or waits for an auction when the market is not open.
    """
    is_open = order.instrument.market_state(step.now_ns) is MarketState.OPEN
    if order.is_waiting:
        lifecycle.release(step, order)
        if is_open and check_stop_ahead(order, step.now_ns) is not None:
            step.state.elections.append(order.id)
        else:
            step.state.wait(order)
        return
    order.rank = step.state.next_sequence()
    if not is_open:
        lifecycle.release(step, order, OrderEvent.QUEUED)
        step.state.enqueue(order)
        return
    lifecycle.release(step, order)
    if order.stp_mode is StpMode.REJECT and would_self_trade(order, order.limit_price):
        lifecycle.close(step, order, CloseReason.SELF_TRADE)
        return
    match(step, order)
