"""Holds auctions: opening, closing, and after a time in which the market only collected.

Rules X4 to X8 of docs/market-states.md. An auction is held when it is due, before anything else is
done: which ones are due is decided by `now` and by the orders that wait, never by a timer.
"""

from collections.abc import Sequence
from uuid import UUID

from marketdata.domain.market_states import MarketState
from orders.domain.matching.auction import Interest, clearing, pairings, self_crossing
from orders.domain.reasons import CloseReason
from orders.domain.values import OrderStatus, OrderType, Side, StpMode, TimeInForce
from orders.engine import lifecycle
from orders.engine.placing import match
from orders.engine.preventing import would_self_trade
from orders.engine.queueing import reference_price
from orders.engine.state import CLOSING_GRACE_NS, Instrument, OrderState
from orders.engine.step import Step

AUCTIONS_IN = frozenset({MarketState.OPEN, MarketState.POST_ONLY})
REMAINDERS = {
    TimeInForce.OPG: CloseReason.OPG_REMAINDER,
    TimeInForce.CLS: CloseReason.CLS_REMAINDER,
}


def hold_due(step: Step) -> None:
    """Hold every auction whose time has come (X8)."""
    for _, instrument in sorted(step.state.queueing.items()):
        _close(step, instrument)
        _open(step, instrument)
        if not instrument.queue and not instrument.closing:
            del step.state.queueing[instrument.id]


def _close(step: Step, instrument: Instrument) -> None:
    """The closing auction, unless the engine comes too late or the market stands still."""
    if instrument.state in {MarketState.HALTED, MarketState.CANCEL_ONLY}:
        return
    due = [order for order in instrument.closing.values() if _is_closing(order, step.now_ns)]
    if due:
        _hold(step, instrument, due)


def _is_closing(order: OrderState, now_ns: int) -> bool:
    assert order.expires_ns is not None
    return order.expires_ns - CLOSING_GRACE_NS <= now_ns < order.expires_ns


def _open(step: Step, instrument: Instrument) -> None:
    """The auction with which a market begins, or goes on, to trade. What has expired is out."""
    if not instrument.queue or instrument.market_state(step.now_ns) not in AUCTIONS_IN:
        return
    for order in list(instrument.queue.values()):
        if order.expires_ns is not None and order.expires_ns <= step.now_ns:
            lifecycle.expire(step, order)
    if instrument.queue:
        _hold(step, instrument, list(instrument.queue.values()))


def _hold(step: Step, instrument: Instrument, queued: Sequence[OrderState]) -> None:
    """Uncross, then let each queued order end or enter the market, in time order."""
    state = step.state
    users = _users(step, instrument, queued)
    for order_id in self_crossing(users):
        order = state.orders[order_id]
        lifecycle.cancel(step, order, CloseReason.SELF_TRADE, order.request_id)
    users = [user for user in users if user.order_id in state.orders]
    interests = [*users, *_street(instrument, step.now_ns)]
    found = clearing(interests, reference_price(instrument, step.now_ns))
    if found is not None:
        _trade(step, instrument, interests, *found)
    for order in queued:
        if order.closed_ns is None:
            instrument.unqueue(order)
            _go_on(step, order)
    step.changes.books[instrument.id] = instrument


def _users(step: Step, instrument: Instrument, queued: Sequence[OrderState]) -> list[Interest]:
    resting = [step.state.orders[order.order_id] for order in instrument.book.resting()]
    return [_interest(order) for order in (*resting, *queued)]


def _interest(order: OrderState) -> Interest:
    assert order.limit_price is not None
    return Interest(
        order_id=order.id,
        owner_id=order.account.owner_id,
        side=order.side,
        limit=order.limit_price,
        quantity=order.leaves,
        is_market=order.type is OrderType.MARKET,
        rank=order.rank,
    )


def _street(instrument: Instrument, now_ns: int) -> list[Interest]:
    return [
        Interest(None, 0, side, price, quantity, is_market=False, rank=0)
        for side in Side
        for price, quantity in instrument.book.street_levels(side, now_ns).items()
    ]


def _trade(
    step: Step, instrument: Instrument, interests: Sequence[Interest], price: int, quantity: int
) -> None:
    """Settle the pairings, all at one price. The street's part comes off its best levels."""
    book = instrument.book
    ranks = {item.order_id: item.rank for item in interests}  # as it began: slices get newer ones
    for buy_id, sell_id, traded in pairings(interests, price, quantity):
        pair = [_take(step, order_id, traded) for order_id in (buy_id, sell_id) if order_id]
        if len(pair) == 1:
            book.take_street(pair[0].side.opposite, traded, step.now_ns)
        lifecycle.fill_auction(step, sorted(pair, key=lambda order: ranks[order.id]), price, traded)


def _take(step: Step, order_id: UUID, quantity: int) -> OrderState:
    """The order; in the book it is lowered, in the queue it is gone once it is filled."""
    order = step.state.orders[order_id]
    if order.leaves == quantity:
        order.instrument.unqueue(order)
    order.instrument.book.reduce(order_id, quantity, step.now_ns)
    return order


def _go_on(step: Step, order: OrderState) -> None:
    """What is left of a queued order: an auction's own and a market order end, others enter."""
    if order.time_in_force in REMAINDERS:
        lifecycle.close(step, order, REMAINDERS[order.time_in_force])
        return
    if order.type is OrderType.MARKET:
        lifecycle.close(step, order, CloseReason.LIQUIDITY_EXHAUSTED)
        return
    if order.status is OrderStatus.QUEUED:
        lifecycle.release(step, order)
    order.rank = step.state.next_sequence()  # slices may have come to its price while it waited
    step.changes.order(order)
    if order.stp_mode is StpMode.REJECT and would_self_trade(order, order.limit_price):
        lifecycle.close(step, order, CloseReason.SELF_TRADE)
        return
    match(step, order)


def indicative(instrument: Instrument, now_ns: int) -> tuple[int, int] | None:
    """(price, quantity) at which the next auction would trade with what waits now."""
    queued = [*instrument.queue.values()] or [*instrument.closing.values()]
    if not queued:
        return None
    users = [_interest(order) for order in queued]
    resting = [
        Interest(item.order_id, item.owner_id, item.side, item.price, lots, False, 0)
        for item in instrument.book.resting()
        for lots in (item.leaves + item.hidden,)
    ]
    interests = [*resting, *users, *_street(instrument, now_ns)]
    return clearing(interests, reference_price(instrument, now_ns))
