"""Limits on how orders come: message rate and repeated orders (docs/risk.md M9 and M10).

Asked before all other checks, and only while such a limit is in force.
"""

from collections.abc import Hashable

from core.domain.units import units_to_wire
from orders.domain.values import OrderType
from orders.engine.limits import bounds_for
from orders.engine.restrictions import words_of
from orders.engine.state import OrderState
from orders.engine.step import Step
from orders.engine.trading_states import Cause, apply_switch
from risk.domain.limit_tree import KINDS, Bound, LimitKind
from risk.domain.reasons import Denial
from risk.domain.scopes import Scope, ScopeKind
from risk.domain.states import TradingState

STOP_REASON = "The same order came too often"


def check_pace(step: Step, order: OrderState) -> Denial | None:
    """The order is not one too many: it takes from the budgets of the rates on its path. One that
    was repeated too often stops its strategy, or its account.
    """
    if not step.state.limits.pacing:
        return None
    bounds = tuple(bounds_for(step.state, order))
    pace = step.state.limits.pace
    rates = [bound for bound in bounds if bound.key.kind is LimitKind.ORDER_RATE]
    empty = pace.take(rates, step.now_ns) if rates else None
    if empty is not None:
        return _denial(step, order, empty, {})
    for bound in bounds:
        if bound.key.kind is LimitKind.REPEATED_ORDERS and pace.has_repeated(
            bound, _likeness(order), step.now_ns
        ):
            return _stop(step, order, bound)
    return None


def note_accepted(step: Step, order: OrderState) -> None:
    """The order was let in: the next one like it is a repetition."""
    if not step.state.limits.pacing:
        return
    for bound in bounds_for(step.state, order):
        if bound.key.kind is LimitKind.REPEATED_ORDERS:
            step.state.limits.pace.note(bound, _likeness(order), step.now_ns)


def _likeness(order: OrderState) -> Hashable:
    """What two orders have in common that are the same order twice; whose it is included."""
    return (
        order.account.id,
        order.strategy,
        order.instrument.id,
        order.side,
        order.type,
        order.quantity,
        order.limit_price if order.type.names_limit else None,
        None if order.type is OrderType.TRAILING_STOP else order.stop_price,
        order.trail,
    )


def _stop(step: Step, order: OrderState, bound: Bound) -> Denial:
    """Refuse, and let nothing more in of who sends it."""
    account, trading = order.account, step.state.trading
    scope = (
        Scope(ScopeKind.ACCOUNT, account.id)
        if order.strategy is None
        else Scope(ScopeKind.STRATEGY, account.id, order.strategy)
    )
    held = trading.by_scope.get(scope)
    if held is None or TradingState.CANCEL_ONLY.is_stricter_than(held.state):
        apply_switch(step, scope, TradingState.CANCEL_ONLY, Cause(STOP_REASON, order.request_id))
    step.state.limits.pace.forget(bound.key)
    return _denial(step, order, bound, {"stopped": words_of(step.state, scope)})


def _denial(step: Step, order: OrderState, bound: Bound, more: dict[str, str]) -> Denial:
    return Denial(
        KINDS[bound.key.kind].reason,
        {
            "scope": words_of(step.state, bound.key.scope),
            "limit": units_to_wire(bound.value),
            "window": str(bound.window_seconds),
            "symbol": order.instrument.symbol,
            **more,
        },
    )
