"""Whether an order may pass: is the market open, is it worth what it may be, can the account do it.

The second step of placing (orders/engine/placing.py), for an order whose terms are right. Changes
nothing; the first no counts, so the order of the checks is part of the rules.
"""

from core.domain.units import units_to_wire
from orders.domain.matching.stops import is_passed
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.values import OrderType, Side, StpMode
from orders.engine.conditions import check_post_only, check_reduce_only, check_seen
from orders.engine.limits import check_limits
from orders.engine.margin import check_margin
from orders.engine.market_states import check_state
from orders.engine.preventing import takeable, would_self_trade
from orders.engine.state import EngineState, OrderState
from portfolio.domain.fees import fee_of
from risk.domain import checks
from risk.domain.reasons import Denial, DenialReason


def check_passage(state: EngineState, order: OrderState, now_ns: int) -> Denial | None:
    """The market is open, and the account may do this and can: value, own orders, means."""
    account, instrument = order.account, order.instrument
    denial = None if instrument.is_always_open else check_state(order, now_ns)
    if denial is None:
        is_market = order.type is OrderType.MARKET
        denial = check_seen(order, now_ns) if is_market else check_stop_ahead(order, now_ns)
    if denial is not None:
        return denial
    notional = worth_of(order, now_ns)
    if notional is None:
        return Denial(DenialReason.LIQUIDITY_NONE, {"symbol": instrument.symbol})
    return (
        checks.check_notional(notional, instrument.terms)
        or _check_proceeds(order, now_ns)
        or checks.check_open_orders(len(account.open_orders) - (order.replaces is not None))
        or (check_limits(state, order, notional, now_ns) if state.limits.judging else None)
        or (check_post_only(order, now_ns) if order.post_only else None)
        or _check_self_trade(order)
        or (check_reduce_only(order) if order.reduce_only else None)
        or (
            check_margin(state, order, notional, now_ns)
            if account.is_margin
            else _check_means(order, notional)
        )
    )


def worth_of(order: OrderState, now_ns: int) -> int | None:
    """What the order is judged by in units; None for a market order that meets nobody."""
    instrument = order.instrument
    if order.type is OrderType.MARKET and order.limit_price is None:
        collar = instrument.collar(order.side, now_ns)
        available, ticks_lots = takeable(order, collar, now_ns)
        return ticks_lots * instrument.value_units if available else None
    # A sell STOP has no limit: it is worth its stop price until it is elected.
    price = order.limit_price or order.stop_price or 0
    return order.quantity * price * instrument.value_units


def check_stop_ahead(order: OrderState, now_ns: int) -> Denial | None:
    """The market has not passed the stop price already, as far as a fresh trade tells (E4)."""
    instrument, last = order.instrument, order.instrument.last_trade
    if order.stop_price is None or not order.is_waiting:
        return None
    if last is None or now_ns - last.at_ns > STREET_TTL_NS:
        return None
    if not is_passed(order.side, order.stop_price, last.price):
        return None
    return Denial(
        DenialReason.STOP_PRICE_PASSED,
        {
            "symbol": instrument.symbol,
            "stop_price": units_to_wire(order.stop_price * instrument.tick_units),
            "last_price": units_to_wire(last.price * instrument.tick_units),
        },
    )


def _check_proceeds(order: OrderState, now_ns: int) -> Denial | None:
    """A sell below the market is worth what the bids pay, however low its limit."""
    instrument, limit_price = order.instrument, order.limit_price
    if order.side is Side.BUY or limit_price is None or order.is_waiting:
        return None  # a stop meets no bid before a trade at its stop price
    best = instrument.book.best(Side.BUY, now_ns)
    if best is None or best <= limit_price:
        return None
    taken, ticks_lots = takeable(order, limit_price, now_ns)
    ticks_lots += (order.quantity - taken) * limit_price
    return checks.check_largest_notional(ticks_lots * instrument.value_units)


def _check_self_trade(order: OrderState) -> Denial | None:
    """No own order stands where this one would trade, if that is to refuse it (O1); a stop is asked
    when elected (E6).
    """
    if order.is_waiting or order.stp_mode is not StpMode.REJECT:
        return None
    if would_self_trade(order, order.limit_price):
        return Denial(DenialReason.SELF_TRADE, {"symbol": order.instrument.symbol})
    return None


def _check_means(order: OrderState, notional: int) -> Denial | None:
    """Cash for a buy and its fee (H3), position for a sell."""
    account, instrument = order.account, order.instrument
    if order.side is Side.BUY:
        required = notional + fee_of(notional, order.fee_rate)
        return checks.check_funds(required, account.balance.free, account.currency)
    position = account.position(instrument.id)
    lot = instrument.lot_units
    return checks.check_position(
        order.quantity * lot, position.quantity * lot, position.locked * lot, instrument.symbol
    )
