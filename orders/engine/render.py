"""The engine's integers as the views of orders/domain/views.py: what replies and events carry."""

from collections.abc import Sequence
from typing import Any

import msgspec

from core.domain.clock import wire_time
from core.domain.decimals import to_wire
from core.domain.ids import execution_text
from core.domain.units import average_units, sum_to_wire, units_to_wire
from orders.domain.matching.trailing import stop_at
from orders.domain.views import (
    BalanceView,
    ExecutionView,
    GroupView,
    PositionView,
    ToldOrder,
)
from orders.engine.changes import ExecutionRow
from orders.engine.plain_orders import is_plain
from orders.engine.state import Account, Instrument, OrderState
from orders.engine.trailing import mark_of, percent_of


def order_view(order: OrderState) -> ToldOrder:
    """The order as it stands."""
    instrument = order.instrument
    lot = instrument.lot_units
    filled = order.filled * lot
    view = ToldOrder(
        id=order.text_id,
        client_order_id=order.client_order_id,
        symbol=instrument.symbol,
        asset_class=instrument.asset_class,
        asset_id=instrument.public_id,
        side=order.side.value,
        type=order.type.value,
        time_in_force=order.time_in_force.value,
        quantity=units_to_wire(order.quantity * lot),
        limit_price=_price(order.limit_price, instrument),
        filled_quantity=units_to_wire(filled),
        leaves_quantity=units_to_wire(order.leaves * lot),
        average_price=units_to_wire(average_units(order.filled_notional, filled))
        if filled
        else None,
        prevented_quantity="0",
        stp_mode=order.stp_mode.value,
        post_only=False,
        reduce_only=False,
        status=order.status.value,
        reason=order.reason.value if order.reason else None,
        submitted_at=wire_time(order.submitted_ns),
        updated_at=wire_time(order.updated_ns),
        closed_at=None if order.closed_ns is None else wire_time(order.closed_ns),
        expires_at=None if order.expires_ns is None else wire_time(order.expires_ns),
    )
    return view if is_plain(order) else msgspec.structs.replace(view, **_special(order))


def _special(order: OrderState) -> dict[str, Any]:  # Any: each member its own type
    """What a plain order has nothing of."""
    instrument = order.instrument
    lot = instrument.lot_units
    stop_price, hwm = order.stop_price, mark_of(order)
    if hwm is not None:
        stop_price = stop_at(order.side, hwm, order.trail)
    percent = percent_of(order)
    return {
        "stop_price": _price(stop_price, instrument),
        "prevented_quantity": units_to_wire(order.prevented * lot),
        "post_only": order.post_only,
        "reduce_only": order.reduce_only,
        "replaces": None if order.replaces is None else str(order.replaces),
        "replaced_by": None if order.replaced_by is None else str(order.replaced_by),
        "strategy": order.strategy,
        "trail_price": _price(order.trail_price, instrument),
        "trail_percent": None if percent is None else to_wire(percent),
        "hwm": _price(hwm, instrument),
        "group": _group(order) if order.leg is not None else None,
        "notional": None if order.notional is None else units_to_wire(order.notional),
        "display_quantity": units_to_wire(order.display * lot) if order.display else None,
        "forced": order.forced or None,
    }


def _group(order: OrderState) -> GroupView:
    assert order.leg is not None
    return GroupView(
        id=str(order.group_id), order_class=order.order_class.value, leg=order.leg.value
    )


def nested_view(order: OrderState, legs: Sequence[OrderState]) -> ToldOrder:
    """A group's first order with those that came with it."""
    group = msgspec.structs.replace(_group(order), legs=[order_view(leg) for leg in legs])
    return msgspec.structs.replace(order_view(order), group=group)


def _price(ticks: int | None, instrument: Instrument) -> str | None:
    return None if ticks is None else units_to_wire(ticks * instrument.tick_units)


def execution_view(row: ExecutionRow, order: OrderState) -> ExecutionView:
    """One fill of the order."""
    return ExecutionView(
        id=execution_text(row.id),
        order_id=order.text_id,
        symbol=order.instrument.symbol,
        side=row.side,
        price=units_to_wire(row.price_units),
        quantity=units_to_wire(row.quantity_units),
        liquidity=row.liquidity,
        fee=units_to_wire(row.fee_units),
        occurred_at=wire_time(row.occurred_ns),
    )


def position_view(account: Account, instrument: Instrument) -> PositionView:
    position = account.position(instrument.id)
    quantity = position.quantity * instrument.lot_units
    return PositionView(
        symbol=instrument.symbol,
        asset_class=instrument.asset_class,
        quantity=units_to_wire(quantity),
        locked=units_to_wire(position.locked * instrument.lot_units),
        average_entry_price=sum_to_wire(average_units(abs(position.cost), abs(quantity)))
        if quantity
        else "0",
        cost_basis=sum_to_wire(position.cost),
        realized_pnl=sum_to_wire(position.realized),
    )


def balance_view(account: Account) -> BalanceView:
    balance = account.balance
    return BalanceView(
        currency=account.currency,
        total=sum_to_wire(balance.total),
        locked=sum_to_wire(balance.locked),
        free=sum_to_wire(balance.free),
    )
