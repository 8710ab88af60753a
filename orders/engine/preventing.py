"""Self-trade prevention: what an order takes where own orders rest (docs/matching.md O1 to O4).

An order of mode REJECT never gets this far: it is refused, or canceled when it is elected. The
modes that act in the walk stop it at each own order, do what the taker's mode says, and go on.
"""

from orders.domain.reasons import CloseReason
from orders.domain.values import StpMode
from orders.engine import lifecycle
from orders.engine.state import OrderState
from orders.engine.step import Step


def would_self_trade(order: OrderState, limit_price: int | None) -> bool:
    """Whether an own order rests where this one may trade."""
    book = order.instrument.book
    return book.would_self_trade(order.account.owner_id, order.side, limit_price)


def takeable(order: OrderState, limit_price: int | None, now_ns: int) -> tuple[int, int]:
    """(lots, ticks × lots) that the order could take now (O3)."""
    book, mode = order.instrument.book, order.stp_mode
    if mode is StpMode.REJECT or not would_self_trade(order, limit_price):
        return book.takeable(order.side, limit_price, order.quantity, now_ns)
    return book.takeable_beside_own(
        order.side,
        limit_price,
        order.quantity,
        now_ns,
        order.account.owner_id,
        mode.ends_taker,
    )


def take_beside_own(step: Step, order: OrderState, limit_price: int | None) -> None:
    """Trade what the order can take, and prevent what it would trade with own orders (O2)."""
    book, owner_id = order.instrument.book, order.account.owner_id
    while order.leaves:
        fills, own = book.take_to_own(order.side, limit_price, order.leaves, step.now_ns, owner_id)
        if fills:
            lifecycle.fill_taker(step, order, fills)
        if own is None:
            return
        _prevent(step, order, step.state.orders[own.order_id])


def _prevent(step: Step, taker: OrderState, maker: OrderState) -> None:
    mode = taker.stp_mode
    if mode is StpMode.DECREMENT:
        lots = min(taker.leaves, maker.leaves)
        if lots == maker.leaves:
            maker.instrument.book.cancel(maker.id)
        else:
            maker.instrument.book.lower(maker.id, lots)
        step.changes.books[maker.instrument.id] = maker.instrument
        lifecycle.prevent(step, maker, lots)
        lifecycle.prevent(step, taker, lots)
    if mode.ends_maker:
        lifecycle.cancel(step, maker, CloseReason.SELF_TRADE, taker.request_id)
    if mode.ends_taker:
        lifecycle.close(step, taker, CloseReason.SELF_TRADE)
