"""Order groups by the rules N1 to N10 of docs/order-groups.md. Part of the slow engine.

Which orders belong together is looked up anew each time, among all open orders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from orders.domain import commands
from orders.domain.order_class import Leg, leg_id
from orders.domain.values import OrderType, Side
from tests.reference.book import OPPOSITE
from tests.reference.state import Order, ReferenceState, Refused

if TYPE_CHECKING:
    from tests.reference.engine import ReferenceEngine

PARTS = ("ENTRY", "TAKE_PROFIT", "STOP_LOSS")
DISMISSED = ("USER_REQUESTED", "OPERATOR_REQUESTED", "DAY_END", "KILL_SWITCH", "DEAD_MAN")
SHARED = ("DAY_END", "KILL_SWITCH", "DEAD_MAN", "REDUCE_ONLY")


# --- on their way in


def draft_legs(engine: ReferenceEngine, first: Order, command: commands.SubmitOrder) -> list[Order]:
    """N1 to N3: the orders that come with the first one."""
    group = command.group
    if group is None:
        return []
    kind = group.order_class.value
    if "/" in first.symbol:
        raise Refused("GROUP_NOT_OFFERED")
    has = (group.take_profit is not None, group.stop_price is not None)
    right = {"OCO": [(False, True)], "OTO": [(True, False), (False, True)]}
    is_lone_limit = group.stop_limit_price is not None and not has[1]
    if has not in right.get(kind, [(True, True)] if kind == "BRACKET" else []) or is_lone_limit:
        raise Refused("GROUP_LEGS_INVALID")
    if command.type.value == "TRAILING_STOP" or (kind == "OCO" and command.type.value != "LIMIT"):
        raise Refused("GROUP_TYPE_NOT_ALLOWED")
    if command.time_in_force.value not in ("DAY", "GTC"):
        raise Refused("GROUP_TIF_NOT_ALLOWED")
    if first.opens == (kind == "OCO"):
        raise Refused("GROUP_DIRECTION_INVALID")
    first.group, first.part = first.id, "TAKE_PROFIT" if kind == "OCO" else "ENTRY"
    legs = [_leg(engine, first, wanted, part) for part, wanted in _wanted(command, kind)]
    check_prices(engine, [first, *legs])
    return legs


def _wanted(command: commands.SubmitOrder, kind: str) -> list[tuple[str, commands.SubmitOrder]]:
    group = command.group
    assert group is not None
    side = command.side if kind == "OCO" else Side(OPPOSITE[command.side.value])
    plain = msgspec.structs.replace(
        command, side=side, group=None, post_only=False, reduce_only=False, client_order_id=""
    )
    found = []
    if group.take_profit is not None:
        key = leg_id(command.order_id, Leg.TAKE_PROFIT)
        goal = msgspec.structs.replace(
            plain,
            order_id=key,
            type=OrderType.LIMIT,
            limit_price=group.take_profit,
            stop_price=None,
        )
        found.append(("TAKE_PROFIT", goal))
    if group.stop_price is not None:
        key = leg_id(command.order_id, Leg.STOP_LOSS)
        limit = group.stop_limit_price
        stop = msgspec.structs.replace(
            plain,
            order_id=key,
            type=OrderType.STOP if limit is None else OrderType.STOP_LIMIT,
            limit_price=limit,
            stop_price=group.stop_price,
        )
        found.append(("STOP_LOSS", stop))
    return found


def _leg(engine: ReferenceEngine, first: Order, wanted: commands.SubmitOrder, part: str) -> Order:
    leg = engine.draft(wanted)
    leg.group, leg.part, leg.opens = first.group, part, False
    return leg


def check_prices(state: ReferenceState, group: list[Order], *, is_new: bool = True) -> None:
    """N3."""
    found = {order.part: order for order in group}
    leaving = found.get("TAKE_PROFIT") or found["STOP_LOSS"]
    sign = 1 if leaving.side == "SELL" else -1
    entry, goal, loss = (found.get(part) for part in PARTS)
    price: int | None = None
    if entry is not None and entry.is_market:
        best = state.books[entry.symbol].best(OPPOSITE[entry.side], state.now_ns)
        price = best if is_new else None
    elif entry is not None:
        price = entry.stop if entry.asked.type.value == "STOP" else entry.limit
    is_limited = loss is not None and loss.asked.limit_price is not None
    if loss is not None and is_limited and sign * (loss.stop or 0) < sign * (loss.limit or 0):
        raise Refused("GROUP_PRICES_INVALID")
    rising = [loss and loss.stop, price, goal and goal.limit]
    known = [sign * item for item in rising if item is not None]
    if known != sorted(set(known)):
        raise Refused("GROUP_PRICES_INVALID")


def check_passage_of_legs(engine: ReferenceEngine, first: Order, legs: list[Order]) -> None:
    """E4 of an OCO's stop."""
    if first.part == "TAKE_PROFIT":
        (loss,) = legs
        if engine.elections.has_passed(loss.symbol, loss, engine.now_ns):
            raise Refused("STOP_PRICE_PASSED")


def let_in(engine: ReferenceEngine, first: Order, legs: list[Order]) -> None:
    """N1, N4: they are there, and held if they wait for an entry."""
    for leg in legs:
        leg.status = "HELD" if first.part == "ENTRY" else "ACCEPTED"
        leg.time = engine.next_time()
        engine.orders.append(leg)
        engine.tell("OrderHeld" if leg.status == "HELD" else "OrderAccepted", leg)


# --- while they are open


def pair(state: ReferenceState, order: Order) -> list[Order]:
    """Its mates, in the order in which they are told: entry, take profit, stop loss."""
    return sorted(state.mates(order), key=lambda mate: PARTS.index(mate.part))


def before_fill_is_told(engine: ReferenceEngine, order: Order, lots: int) -> None:
    """N4: what an entry fills is set aside."""
    if order.part == "ENTRY":
        for leg in pair(engine, order):
            leg.set_aside += lots


def after_fill(engine: ReferenceEngine, order: Order, lots: int) -> None:
    """N5, N7."""
    if order.part == "ENTRY":
        if not order.is_open:
            _arm(engine, order)
        return
    if order.part:
        engine.marks.add(f"a {order.part} traded")
    lessen(engine, order, lots)


def lessen(engine: ReferenceEngine, order: Order, lots: int) -> None:
    """N7: the other of the pair by as much."""
    for mate in pair(engine, order) if order.part == "TAKE_PROFIT" else []:
        if mate.leaves == lots:
            engine.close(mate, "SIBLING_FILLED")
        else:
            mate.quantity -= lots
            engine.marks.add("a sibling shrank")
            engine.tell("OrderAmended", mate)


def after_end(engine: ReferenceEngine, order: Order, reason: str, left: int) -> None:
    """N5, N7, N8. `left`: what the order had left when it ended."""
    mates = pair(engine, order)
    filled = max((mate.set_aside for mate in mates), default=0)
    if order.part == "ENTRY" and filled and reason not in DISMISSED:
        engine.marks.add("legs entered for a part of their entry")
        _arm(engine, order)
        return
    if order.part == "TAKE_PROFIT" and (
        reason == "SIBLING_ELECTED" or (reason == "SELF_TRADE" and left)
    ):
        engine.marks.add("a stop loss stayed after a self-trade" * (reason == "SELF_TRADE"))
        return
    for mate in mates:
        engine.marks.add("a group ended")
        engine.close(mate, reason if reason in SHARED else "GROUP_ENDED")


def _arm(engine: ReferenceEngine, entry: Order) -> None:
    for leg in pair(engine, entry):
        if leg.quantity != leg.set_aside:
            leg.quantity = leg.set_aside
            engine.tell("OrderAmended", leg)
    engine.elections.queue += pair(engine, entry)


def take_turn(engine: ReferenceEngine, leg: Order) -> None:
    """N6."""
    is_open = engine.market(leg.terms) == "OPEN"
    engine.marks.add("a leg took its turn")
    if leg.stop is None:
        leg.time = engine.next_time()
    leg.status = "ACCEPTED" if is_open or leg.stop is not None else "QUEUED"
    engine.tell("OrderReleased" if leg.status == "ACCEPTED" else "OrderQueued", leg)
    if leg.status == "QUEUED":
        engine.marks.add("a leg waited for an auction")
    elif leg.stop is None:
        engine.enter(leg, engine.now_ns)
    elif is_open and engine.elections.has_passed(leg.symbol, leg, engine.now_ns):
        engine.marks.add("a stop loss was passed at its turn")
        engine.elections.queue.append(leg)


def after_election(engine: ReferenceEngine, order: Order) -> None:
    """N7: the pair's take profit goes before the stop loss enters."""
    if order.part == "STOP_LOSS":
        for mate in pair(engine, order):
            engine.marks.add("a stop loss was elected")
            engine.close(mate, "SIBLING_ELECTED")


def check_change(state: ReferenceState, old: Order, order: Order) -> None:
    """N9."""
    if not old.part:
        return
    order.group, order.part, order.set_aside = old.group, old.part, old.set_aside
    if old.part != "ENTRY":
        order.opens = False
    if order.quantity != old.leaves or order.time_in_force != old.time_in_force:
        raise Refused("GROUP_TERMS_FIXED")
    check_prices(state, [order, *state.mates(old)], is_new=False)
