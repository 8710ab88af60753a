"""Order groups on their way in: drafting the legs that come with an order, and whether they may
(docs/order-groups.md N1 to N4, N9). What happens to them later is orders/engine/grouping.py.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from core.domain.units import units_to_wire
from orders.domain.commands import SubmitOrder
from orders.domain.order_class import FIRST_LEG, GroupTerms, Leg, OrderClass, leg_id
from orders.domain.states import OrderEvent
from orders.domain.values import OrderStatus, OrderType, Side, TimeInForce
from orders.engine import lifecycle
from orders.engine.passage import check_stop_ahead
from orders.engine.state import OrderState
from orders.engine.step import Step
from orders.engine.terms import check_terms, draft_order
from risk.domain.checks import check_open_orders
from risk.domain.reasons import Denial, DenialReason

ENTRY_TYPES: Final = frozenset(
    {OrderType.MARKET, OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT}
)


def draft_legs(step: Step, command: SubmitOrder, order: OrderState) -> list[OrderState] | Denial:
    """The orders that come with `order`, which is made the first of their group; or why not."""
    group = command.group
    assert group is not None
    denial = _check_class(command, group, order)
    if denial is not None:
        return denial
    order.group_id, order.order_class = order.id, group.order_class
    order.leg = FIRST_LEG[group.order_class]
    legs: list[OrderState] = []
    for leg, wanted in _leg_commands(command, group):
        denial = check_terms(wanted, order.instrument)
        if denial is not None:
            return denial
        drafted = draft_order(order.account, order.instrument, wanted, step.now_ns)
        drafted.leg = leg
        join(drafted, order)
        legs.append(drafted)
    denial = check_prices(step, {item.leg: item for item in (order, *legs) if item.leg})
    return legs if denial is None else denial


def _check_class(command: SubmitOrder, group: GroupTerms, order: OrderState) -> Denial | None:
    """The instrument takes groups, and class, legs, type, time in force and side go together."""
    instrument, time_in_force = order.instrument, command.time_in_force
    kind = group.order_class.value.lower()
    is_oco = group.order_class is OrderClass.OCO
    if not instrument.is_marginable:
        return Denial(DenialReason.GROUP_NOT_OFFERED, {"symbol": instrument.symbol})
    if not group.has_right_legs:
        return Denial(DenialReason.GROUP_LEGS_INVALID, {"order_class": kind})
    if command.type not in ({OrderType.LIMIT} if is_oco else ENTRY_TYPES):
        facts = {"order_class": kind, "type": command.type.value.lower()}
        return Denial(DenialReason.GROUP_TYPE_NOT_ALLOWED, facts)
    if time_in_force not in {TimeInForce.DAY, TimeInForce.GTC}:
        facts = {"order_class": kind, "time_in_force": time_in_force.value.lower()}
        return Denial(DenialReason.GROUP_TIF_NOT_ALLOWED, facts)
    if order.is_opening is is_oco:
        facts = {"order_class": kind, "symbol": instrument.symbol}
        return Denial(DenialReason.GROUP_DIRECTION_INVALID, facts)
    return None


def _leg_commands(command: SubmitOrder, group: GroupTerms) -> list[tuple[Leg, SubmitOrder]]:
    """The commands that would place the legs: what they share with the first order stays."""
    is_oco = group.order_class is OrderClass.OCO
    same = msgspec.structs.replace(
        command,
        client_order_id="",
        side=command.side if is_oco else command.side.opposite,
        post_only=False,
        reduce_only=False,
        group=None,
    )
    found: list[tuple[Leg, SubmitOrder]] = []
    if group.take_profit is not None:
        profit = msgspec.structs.replace(
            same,
            order_id=leg_id(command.order_id, Leg.TAKE_PROFIT),
            type=OrderType.LIMIT,
            limit_price=group.take_profit,
            stop_price=None,
        )
        found.append((Leg.TAKE_PROFIT, profit))
    if group.stop_price is not None:
        is_limited = group.stop_limit_price is not None
        loss = msgspec.structs.replace(
            same,
            order_id=leg_id(command.order_id, Leg.STOP_LOSS),
            type=OrderType.STOP_LIMIT if is_limited else OrderType.STOP,
            limit_price=group.stop_limit_price,
            stop_price=group.stop_price,
        )
        found.append((Leg.STOP_LOSS, loss))
    return found


def join(order: OrderState, other: OrderState) -> None:
    """Put an order, whose part is known, into the group of another. What leaves a position never
    opens one, though there may be none yet.
    """
    order.group_id, order.order_class = other.group_id, other.order_class
    if order.leg is not Leg.ENTRY:
        order.is_opening = False


def check_prices(step: Step, group: Mapping[Leg, OrderState]) -> Denial | None:
    """Profit lies on the winning side of the entry's price, the stop on the losing side (N3)."""
    loss = group.get(Leg.STOP_LOSS)
    profit = group.get(Leg.TAKE_PROFIT)
    exit_order = profit or loss
    assert exit_order is not None
    base, goal = _base(step, group), _limit_of(profit)
    stop = None if loss is None else loss.stop_price
    rising = [
        ("stop_loss.limit_price", _limit_of(loss), "stop_loss.stop_price", stop),
        ("stop_loss.stop_price", stop, "the entry", base),
        ("stop_loss.stop_price", stop, "take_profit", goal),
        ("the entry", base, "take_profit", goal),
    ]
    sign = 1 if exit_order.side is Side.SELL else -1
    for price, low, other, high in rising:
        may_equal = price == "stop_loss.limit_price"
        if low is not None and high is not None and sign * (high - low) < (0 if may_equal else 1):
            tick = exit_order.instrument.tick_units
            facts = {
                "price": price,
                "value": units_to_wire(low * tick),
                "other": other,
                "other_value": units_to_wire(high * tick),
            }
            return Denial(DenialReason.GROUP_PRICES_INVALID, facts)
    return None


def _limit_of(order: OrderState | None) -> int | None:
    return order.limit_price if order is not None and order.type.names_limit else None


def _base(step: Step, group: Mapping[Leg, OrderState]) -> int | None:
    """The price that the entry expects: its limit, its stop, or the best it would meet now."""
    entry = group.get(Leg.ENTRY)
    if entry is None:
        return None
    if entry.type is OrderType.MARKET:
        return entry.instrument.book.best(entry.side.opposite, step.now_ns)
    return entry.limit_price if entry.type.names_limit else entry.stop_price


def check_legs(step: Step, order: OrderState, legs: list[OrderState]) -> Denial | None:
    """A stop that is to wait at once is not passed (E4), and the account may have so many."""
    if order.leg is Leg.TAKE_PROFIT:
        denial = check_stop_ahead(legs[0], step.now_ns)
        if denial is not None:
            return denial
    open_orders = len(order.account.open_orders)
    if check_open_orders(open_orders + len(legs)) is None:
        return None
    return Denial(DenialReason.OPEN_ORDERS_EXCEEDED, {"open_orders": str(open_orders)})


def accept_legs(step: Step, order: OrderState, legs: list[OrderState]) -> None:
    """After the first order of their group: a pair's stop waits, an entry's legs are held (N4)."""
    for leg in legs:
        if order.leg is Leg.ENTRY:
            lifecycle.accept(step, leg, OrderEvent.HELD)
        else:
            lifecycle.accept(step, leg)
            step.state.wait(leg)


def check_change(step: Step, old: OrderState, successor: OrderState) -> Denial | None:
    """The successor goes into the old order's place in its group, if only a price changes (N9)."""
    successor.leg = old.leg
    join(successor, old)
    same_end = successor.time_in_force is old.time_in_force
    if successor.quantity != old.leaves or not same_end:
        return Denial(DenialReason.GROUP_TERMS_FIXED, {})
    if old.status is OrderStatus.HELD:
        successor.hold = old.hold
    assert old.leg is not None
    group = {**step.state.group_of(old), old.leg: successor}
    entry = group.get(Leg.ENTRY)
    if entry is not None and entry.type is OrderType.MARKET:
        del group[Leg.ENTRY]  # the market has moved on since
    return check_prices(step, group) if len(group) > 1 or _limit_of(successor) else None


def legs_of(step: Step, order: OrderState) -> list[OrderState]:
    """The orders that came with the first one of a group in this batch, whatever became of them."""
    ids = [leg_id(order.id, leg) for leg in (Leg.TAKE_PROFIT, Leg.STOP_LOSS)]
    return [step.changes.new_orders[key] for key in ids if key in step.changes.new_orders]
