"""Orders, positions and events in the words of the Alpaca Trading API v2, field by field.

Pure translation of our views; unmodified alpaca-py and ccxt parse the result. Extra fields
(`reason`, `forced`) are additive: both clients ignore what they do not know.
"""

import msgspec

from orders.domain.views import AccountEvent, OrderView

STATUSES = {
    "HELD": "held",
    "QUEUED": "accepted",
    "ACCEPTED": "new",
    "TRIGGERED": "new",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "REPLACED": "replaced",
}
TIMES_IN_FORCE = {"GTD": "gtc"}
"""Stock clients know no gtd and would refuse to read the order: its `expires_at` tells the end."""

STREAM_EVENTS = {
    "OrderAccepted": "new",
    "OrderHeld": "held",
    "OrderQueued": "accepted",
    "OrderReleased": "new",
    "OrderTriggered": "restated",
    "OrderPartiallyFilled": "partial_fill",
    "OrderFilled": "fill",
    "OrderCanceled": "canceled",
    "OrderExpired": "expired",
    "OrderReplaced": "replaced",
    "OrderAmended": "restated",
    "OrderDecremented": "restated",
}
"""Account events that `trade_updates` tells, by the dialect's name; the others are not orders'."""


class DialectOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An Order of the dialect. Money and quantities are strings, times RFC 3339 or null."""

    id: str
    client_order_id: str
    created_at: str
    updated_at: str
    submitted_at: str
    filled_at: str | None
    expired_at: str | None
    expires_at: str | None
    canceled_at: str | None
    failed_at: str | None = None
    replaced_at: str | None = None
    replaced_by: str | None = None
    replaces: str | None = None
    asset_id: str
    symbol: str
    asset_class: str
    notional: str | None = None
    qty: str
    filled_qty: str
    filled_avg_price: str | None
    order_class: str = "simple"
    order_type: str
    type: str
    side: str
    time_in_force: str
    limit_price: str | None
    stop_price: str | None
    status: str
    extended_hours: bool = False
    legs: "list[DialectOrder] | None" = None
    trail_percent: str | None = None
    trail_price: str | None = None
    hwm: str | None = None
    display_qty: str | None = None
    post_only: bool
    reduce_only: bool
    stp_mode: str
    prevented_qty: str
    reason: str | None
    strategy: str | None = None
    forced: str | None = None
    group_id: str | None = None
    leg: str | None = None


class TradeUpdate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The data of one `trade_updates` message. `seq` is ours: it has no gaps within an account."""

    event: str
    timestamp: str
    order: DialectOrder
    seq: int
    execution_id: str | None = None
    price: str | None = None
    qty: str | None = None
    position_qty: str | None = None


def dialect_order(order: OrderView) -> DialectOrder:
    kind = order.type.lower()
    group = order.group
    return DialectOrder(
        id=order.id,
        client_order_id=order.client_order_id,
        created_at=order.submitted_at,
        updated_at=order.updated_at,
        submitted_at=order.submitted_at,
        filled_at=order.closed_at if order.status == "FILLED" else None,
        expired_at=order.closed_at if order.status == "EXPIRED" else None,
        expires_at=order.expires_at,
        canceled_at=order.closed_at if order.status == "CANCELED" else None,
        replaced_at=order.closed_at if order.status == "REPLACED" else None,
        replaced_by=order.replaced_by,
        replaces=order.replaces,
        asset_id=order.asset_id,
        symbol=order.symbol,
        asset_class=order.asset_class,
        qty=order.quantity,
        filled_qty=order.filled_quantity,
        filled_avg_price=order.average_price,
        order_type=kind,
        type=kind,
        side=order.side.lower(),
        time_in_force=TIMES_IN_FORCE.get(order.time_in_force, order.time_in_force.lower()),
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        trail_price=order.trail_price,
        trail_percent=order.trail_percent,
        hwm=order.hwm,
        display_qty=order.display_quantity,
        notional=order.notional,
        status=STATUSES[order.status],
        post_only=order.post_only,
        reduce_only=order.reduce_only,
        stp_mode=order.stp_mode.lower(),
        prevented_qty=order.prevented_quantity,
        reason=order.reason,
        strategy=order.strategy,
        forced=order.forced,
        order_class=group.order_class.lower() if group else "simple",
        legs=[dialect_order(leg) for leg in group.legs] if group and group.legs else None,
        group_id=group.id if group else None,
        leg=group.leg.lower() if group else None,
    )


def trade_update(event: AccountEvent) -> TradeUpdate | None:
    """The dialect's message for an account event; None when it is not about an order."""
    name = STREAM_EVENTS.get(event.event)
    if name is None or event.order is None:
        return None
    fill = event.execution
    return TradeUpdate(
        event=name,
        timestamp=event.occurred_at,
        order=dialect_order(event.order),
        seq=event.account_sequence,
        execution_id=fill.id if fill else None,
        price=fill.price if fill else None,
        qty=fill.quantity if fill else None,
        position_qty=event.position.quantity if event.position else None,
    )
