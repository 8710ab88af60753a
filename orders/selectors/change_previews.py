"""What a change of an open order would come to: the order with less quantity, or its successor
(orders/domain/changing.py says which).
"""

from dataclasses import replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from core.domain.units import decimal_to_units, units_to_decimal
from orders.domain.changing import ChangePlan, is_waiting
from orders.domain.matching.trailing import stop_at
from orders.domain.order_changes import OrderChanges
from orders.domain.preview import Preview
from orders.domain.preview_checks import DraftOrder
from orders.domain.trail_terms import check_stop, read_distance
from orders.domain.values import OrderStatus, OrderType, Side, StpMode, TimeInForce
from orders.domain.views import OrderView
from orders.models import Order
from orders.selectors import order_view
from orders.selectors.previews import hold_behind, preview_order, terms_of
from portfolio.selectors import balance_of
from risk.domain.checks import check_quantity
from risk.domain.reasons import Denial

CENT = Decimal("0.01")


def preview_change(order: Order, plan: ChangePlan, *, now: datetime) -> Preview:
    """What the order would be worth after the change, and whether it would pass."""
    if plan.amended is not None:
        return _preview_amend(order, plan.amended)
    shown = order_view(order)
    stop_price = _stop_price(order, shown, plan.changes)
    if isinstance(stop_price, Denial):
        return Preview(price=None, notional=None, takeable=Decimal(0), denial=stop_price)
    draft = _draft(order, shown, plan.changes, stop_price)
    return preview_order(order.account, order.instrument, draft, now=now, instead_of=order)


def _preview_amend(order: Order, amended: Decimal) -> Preview:
    """What the order would be worth with less quantity, and the buying power with what its hold
    gives back: about, since the engine rounds the fee of the whole.
    """
    balance = balance_of(order.account)
    leaves = order.quantity - order.filled_quantity - order.prevented_quantity
    left = leaves - (order.quantity - amended)
    price = order.limit_price or order.stop_price
    free = balance.total - balance.locked
    hold = hold_behind(order)
    if hold is not None and hold.currency_id is not None:
        free += (hold.remaining * (leaves - left) / leaves).quantize(CENT, ROUND_DOWN)
    return Preview(
        price=price,
        notional=None if price is None else left * price,
        takeable=Decimal(0),
        denial=check_quantity(amended, terms_of(order.instrument)),
        free_after=None if order.account.margin_multiplier > 1 else free,
    )


def _stop_price(order: Order, shown: OrderView, wanted: OrderChanges) -> Decimal | Denial | None:
    """The successor's; of a trailing stop where another distance from its mark would put it."""
    if wanted.stop_price is not None:
        return wanted.stop_price
    if wanted.trail is None or shown.hwm is None:
        return Decimal(shown.stop_price) if shown.stop_price else None
    terms = terms_of(order.instrument)
    is_price = order.trail_price is not None
    price, percent = (wanted.trail, None) if is_price else (None, wanted.trail)
    distance = read_distance(price, percent, terms)
    if isinstance(distance, Denial):
        return distance
    mark = decimal_to_units(Decimal(shown.hwm))
    assert mark is not None  # stored so
    ticks = stop_at(Side(order.side), mark // terms.tick_units, distance)
    return check_stop(ticks, terms) or units_to_decimal(ticks * terms.tick_units)


def _draft(
    order: Order, shown: OrderView, wanted: OrderChanges, stop_price: Decimal | None
) -> DraftOrder:
    """The successor as a ticket would write it; of a stop that was elected what is left of it."""
    kind = OrderType(order.type)
    trails = kind is OrderType.TRAILING_STOP  # until it moves, it is a stop where it stands now
    draft = DraftOrder(
        Side(order.side),
        OrderType.STOP if trails else kind,
        wanted.quantity or order.quantity - order.filled_quantity - order.prevented_quantity,
        wanted.limit_price or (order.limit_price if kind.names_limit else None),
        stop_price,
        time_in_force=wanted.time_in_force or TimeInForce(order.time_in_force),
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        stp_mode=StpMode(order.stp_mode),
        is_held=order.status == OrderStatus.HELD,
    )
    if not kind.is_stop or is_waiting(shown):
        return draft
    left = OrderType.LIMIT if draft.limit_price else OrderType.MARKET
    return replace(draft, type=left, stop_price=None)
