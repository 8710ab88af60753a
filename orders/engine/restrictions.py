"""Whether trading states let an order pass: docs/risk.md W1 and W4. Changes nothing."""

from collections.abc import Iterable
from typing import Final

from core.domain.units import units_to_wire
from orders.domain.values import Side
from orders.engine.state import EngineState, OrderState
from orders.engine.step import Step
from risk.domain.reasons import Denial
from risk.domain.scopes import Scope, ScopeKind, path_of
from risk.domain.states import REFUSALS, TradingState

_WORDS: Final = {
    ScopeKind.FIRM: "The firm",
    ScopeKind.DESK: "This desk",
    ScopeKind.ACCOUNT: "This account",
}


def check_restrictions(
    step: Step, order: OrderState, old: OrderState | None = None
) -> Denial | None:
    """No scope on the order's path forbids it (W1); `old` is the order that it would replace."""
    trading = step.state.trading
    if not trading.restricted:
        return None
    found = _strictest(step.state, order)
    if found is None:
        return None
    scope, state = found
    facts = {"scope": words_of(step.state, scope), "symbol": order.instrument.symbol}
    if state is TradingState.REDUCE_ONLY:
        closable = closable_lots(order, old)
        if order.quantity <= closable:
            return None
        facts["side"] = order.side.value.lower()
        facts["available"] = units_to_wire(closable * order.instrument.lot_units)
    return Denial(REFUSALS[state], facts)


def _strictest(state: EngineState, order: OrderState) -> tuple[Scope, TradingState] | None:
    """The first scope with the strictest state of the path; None when all are ACTIVE."""
    worst = TradingState.ACTIVE
    where: Scope | None = None
    for scope in scopes_of(order):
        held = state.trading.by_scope.get(scope)
        if held is not None and held.state.is_stricter_than(worst):
            worst, where = held.state, scope
    return None if where is None else (where, worst)


def scopes_of(order: OrderState) -> Iterable[Scope]:
    account = order.account
    return path_of(account.desk_id, account.id, order.strategy, order.instrument.id)


def closable_lots(order: OrderState, old: OrderState | None = None) -> int:
    """How much of the position the account's other open orders leave to close (W4)."""
    held = held_lots(order)
    if not held:
        return 0
    closing = sum(
        other.claim
        for other in order.account.open_orders.values()
        if other is not order
        and other is not old
        and other.instrument is order.instrument
        and other.side is order.side
        and (order.leg is None or other.group_id != order.group_id)
    )
    return max(held - closing, 0)


def held_lots(order: OrderState) -> int:
    """The position on the other side of the order: what it could close."""
    position = order.account.positions.get(order.instrument.id)
    if position is None:
        return 0
    return max(position.quantity if order.side is Side.SELL else -position.quantity, 0)


def words_of(state: EngineState, scope: Scope) -> str:
    """The scope as a refusal names it."""
    if scope.kind is ScopeKind.STRATEGY:
        return f"Strategy {scope.tag}"
    if scope.kind is ScopeKind.SYMBOL:
        return next(item.symbol for item in state.instruments.values() if item.id == scope.number)
    return _WORDS[scope.kind]


def full_words_of(state: EngineState, scope: Scope) -> str:
    """The scope as the house names it, which has more than one of a kind."""
    if scope.kind is ScopeKind.DESK:
        return f"Desk {scope.number}"
    if scope.kind is ScopeKind.ACCOUNT:
        return f"Account {state.accounts[scope.number].public_id}"
    if scope.kind is ScopeKind.STRATEGY:
        return f"Strategy {scope.tag} of account {state.accounts[scope.number].public_id}"
    return words_of(state, scope)
