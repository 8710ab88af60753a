"""What one order of a group means for the others: who goes with it, who takes its place
(docs/order-groups.md). Decides; orders/engine/lifecycle.py carries out and tells.
"""

from typing import Final

from orders.domain.order_class import Leg
from orders.domain.reasons import CloseReason
from orders.engine import settlement
from orders.engine.state import EngineState, OrderState
from orders.engine.step import Step

_INHERITED: Final = frozenset(
    {
        CloseReason.DAY_END,
        CloseReason.GTD_END,
        CloseReason.KILL_SWITCH,
        CloseReason.DEAD_MAN,
        CloseReason.REDUCE_ONLY,
    }
)
"""What ends one order of a group with a reason that holds for the others as well (N8)."""

_DISMISSING: Final = frozenset(
    {
        CloseReason.USER_REQUESTED,
        CloseReason.OPERATOR_REQUESTED,
        CloseReason.DAY_END,
        CloseReason.GTD_END,
        CloseReason.KILL_SWITCH,
        CloseReason.DEAD_MAN,
    }
)
"""Ends of an entry after which its legs do not enter, whatever it has filled (N5)."""

_PASSING: Final = frozenset({CloseReason.SIBLING_ELECTED, CloseReason.SELF_TRADE})
"""Ends of a take profit after which the stop loss stays and holds what it held (N7, N8)."""


def others(state: EngineState, order: OrderState) -> list[OrderState]:
    """The open orders of its group but itself: entry, take profit, stop loss."""
    group = state.group_of(order)
    return [group[leg] for leg in Leg if leg in group and group[leg] is not order]


def is_armed(state: EngineState, order: OrderState) -> bool:
    """Whether no entry is open any more that the order's group waits for."""
    return Leg.ENTRY not in state.group_of(order)


def arms_legs(step: Step, order: OrderState, reason: CloseReason) -> bool:
    """Whether an order that ends so leaves legs that are to enter for what it filled (N5)."""
    if order.leg is not Leg.ENTRY or reason in _DISMISSING or reason is CloseReason.REPLACED:
        return False
    holder = settlement.holder_in(step.state.group_of(order))
    return holder is not None and holder.hold > 0


def ended_with(
    step: Step, order: OrderState, reason: CloseReason
) -> list[tuple[OrderState, CloseReason]]:
    """Who ends with an order that is about to end for `reason`, and why; a stop loss that stays
    takes over its hold (N7, N8).
    """
    if reason is CloseReason.REPLACED or arms_legs(step, order, reason):
        return []
    found = others(step.state, order)
    if order.leg is Leg.TAKE_PROFIT and reason in _PASSING and order.hold and found:
        settlement.pass_hold(step, order, found[0])
        return []
    why = reason if reason in _INHERITED else CloseReason.GROUP_ENDED
    return [(other, why) for other in found]


def arm(state: EngineState, entry: OrderState) -> list[OrderState]:
    """Let the legs of an entry that has ended take their turns, for what it filled (N5); returns
    those whose quantity that changed.
    """
    legs = others(state, entry)
    holder = settlement.holder_in(state.group_of(entry))
    assert holder is not None
    changed = [leg for leg in legs if leg.quantity != holder.hold]
    for leg in legs:
        leg.quantity = holder.hold
        state.elections.append(leg.id)
    return changed
