"""Orders that name a value instead of a quantity: how many lots they are (docs/matching.md V1 to
V3). Decided here, in the step in which they trade, against what they can take now.
"""

from core.domain.units import decimal_to_units, units_to_wire
from orders.domain.commands import SubmitOrder
from orders.domain.values import OrderType
from orders.engine.conditions import check_seen
from orders.engine.preventing import takeable
from orders.engine.queueing import AUCTION_ONLY
from orders.engine.state import OrderState
from risk.domain.limits import MAX_NOTIONAL_UNITS
from risk.domain.reasons import Denial, DenialReason


def check_notional_terms(command: SubmitOrder) -> Denial | None:
    """A market order that trades now may name a value, and then no quantity (V1)."""
    assert command.notional is not None
    is_market = command.type is OrderType.MARKET and command.time_in_force not in AUCTION_ONLY
    if not is_market or command.quantity:
        return Denial(DenialReason.NOTIONAL_NOT_ALLOWED, {})
    units = decimal_to_units(command.notional)
    if units is None or not 0 < units <= MAX_NOTIONAL_UNITS:
        maximum = units_to_wire(MAX_NOTIONAL_UNITS)
        return Denial(DenialReason.NOTIONAL_OUT_OF_RANGE, {"maximum": maximum})
    return None


def size_by_notional(order: OrderState, is_queued: bool, now_ns: int) -> Denial | None:
    """Give the order the most lots that cost, or bring, no more than its value (V2)."""
    instrument = order.instrument
    assert order.notional is not None
    if is_queued:
        return Denial(DenialReason.NOTIONAL_NOT_ALLOWED, {})
    denial = check_seen(order, now_ns)
    if denial is not None:
        return denial
    best = instrument.book.best(order.side.opposite, now_ns)
    if best is None:
        return Denial(DenialReason.LIQUIDITY_NONE, {"symbol": instrument.symbol})
    budget = order.notional // instrument.value_units
    limit = instrument.collar(order.side, now_ns)
    # The book gives its best prices first: a buy of more than this at the best price is too much,
    # and a sell of so little at the worst is not.
    worst = min(best, limit or best)
    enough, too_many = 0, budget // worst + 1
    while too_many - enough > 1:
        order.quantity = (enough + too_many) // 2
        lots, cost = takeable(order, limit, now_ns)
        if cost > budget:
            too_many = order.quantity
        elif lots < order.quantity:
            enough, too_many = lots, lots + 1
        else:
            enough = order.quantity
    order.quantity = enough or 1
    return None if enough else _why_none(order, limit, now_ns)


def _why_none(order: OrderState, limit: int | None, now_ns: int) -> Denial:
    """Nobody to trade with but own orders, or one lot is too much already."""
    instrument = order.instrument
    lots, price = takeable(order, limit, now_ns)
    if not lots:
        return Denial(DenialReason.LIQUIDITY_NONE, {"symbol": instrument.symbol})
    assert order.notional is not None
    return Denial(
        DenialReason.NOTIONAL_TOO_SMALL,
        {
            "symbol": instrument.symbol,
            "notional": units_to_wire(order.notional),
            "lot_value": units_to_wire(price * instrument.value_units),
        },
    )
