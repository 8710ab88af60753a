"""What an order would be, and what would become of its account's margin (docs/risk.md M15).

Looks only: orders/engine/headroom.py asks for an order that somebody thinks of.
"""

from core.domain.units import units_to_wire
from orders.domain.replies import OutlookView
from orders.domain.values import OrderType, Side
from orders.engine.margin import value_of
from orders.engine.passage import worth_of
from orders.engine.preventing import takeable
from orders.engine.state import EngineState, OrderState
from portfolio.domain.fees import fee_of
from portfolio.domain.margin import (
    Exposure,
    called_from,
    maintenance_percent,
    margin_state,
)


def outlook(state: EngineState, order: OrderState, now_ns: int) -> OutlookView:
    """The order as it would be taken; its market price or mark is known by now."""
    instrument = order.instrument
    is_trailing = order.hwm is not None
    side, price = _called(state, order, now_ns) if order.account.is_margin else ("", None)
    return OutlookView(
        quantity=units_to_wire(order.quantity * instrument.lot_units),
        stop_price=_price(order, order.stop_price) if is_trailing else None,
        hwm=_price(order, order.hwm),
        call_side=side,
        call_price=_price(order, price),
    )


def _price(order: OrderState, ticks: int | None) -> str | None:
    return None if ticks is None else units_to_wire(ticks * order.instrument.tick_units)


def _called(state: EngineState, order: OrderState, now_ns: int) -> tuple[str, int | None]:
    """From which price of the instrument on the account is called (L9), once the order has filled
    for what it is judged by.
    """
    account, instrument = order.account, order.instrument
    lots, worth = order.quantity, worth_of(order, now_ns) or 0
    if order.type is OrderType.MARKET and order.limit_price is None:
        lots, _ = takeable(order, instrument.collar(order.side, now_ns), now_ns)
    is_buy = order.side is Side.BUY
    held = account.position(instrument.id).quantity + (lots if is_buy else -lots)
    if not held:
        return "", None
    rest = margin_state(
        cash=account.balance.total - (worth if is_buy else -worth) - fee_of(worth, order.fee_rate),
        held=0,
        multiplier=account.multiplier,
        exposures=[
            Exposure(value_of(other, position, now_ns), other.is_marginable)
            for number, position in account.positions.items()
            if position.quantity and (other := state.instruments_by_id[number]) is not instrument
        ],
    )
    percent = maintenance_percent(is_marginable=instrument.is_marginable, is_short=held < 0)
    ticks = called_from(rest.equity - rest.maintenance, held * instrument.value_units, percent)
    return "below" if held > 0 else "above", ticks
