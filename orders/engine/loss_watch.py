"""Stops accounts that have lost too much: docs/risk.md M12 to M14.

Looked at when the server says so (EvaluateLosses): every second, and after a batch with fills.
Which look finds something depends on nothing but the state and the time, so a look that finds
nothing need not be journaled.
"""

from typing import Final

from core.domain.units import units_to_wire
from orders.engine.limits import equity_of
from orders.engine.state import Account, EngineState
from orders.engine.step import Step
from orders.engine.trading_states import Cause, apply_switch
from risk.domain.limit_tree import Bound, LimitKind
from risk.domain.losses import STOPS, Loss, Watermark, measured, worst_loss
from risk.domain.scopes import Scope, ScopeKind
from risk.domain.states import TradingState

REQUEST_ID: Final = "loss-limit"
_WORDS: Final = {
    LimitKind.DAILY_LOSS: "today",
    LimitKind.DAILY_LOSS_HALT: "today",
    LimitKind.DRAWDOWN: "since its highest",
    LimitKind.DRAWDOWN_HALT: "since its highest",
}
_SINCE_THE_HIGHEST: Final = frozenset({LimitKind.DRAWDOWN, LimitKind.DRAWDOWN_HALT})


def evaluate(step: Step) -> None:
    """Measure every account that such a limit binds; stop those that have reached one."""
    if not step.state.limits.watching:
        return
    for account in step.state.accounts.values():
        if account.kind == "CASH":
            _look_at(step, account)


def _look_at(step: Step, account: Account) -> None:
    bounds = loss_bounds(step.state, account)
    if not bounds:
        return
    scope = Scope(ScopeKind.ACCOUNT, account.id)
    held = step.state.trading.by_scope.get(scope)
    state = held.state if held else TradingState.ACTIVE
    equity = equity_of(step.state, account, step.now_ns)
    before = step.state.limits.watermarks.get(account.id)
    keeps_highest = any(bound.key.kind in _SINCE_THE_HIGHEST for bound in bounds)
    mark = measured(before, equity, step.now_ns, state, keeps_highest=keeps_highest)
    loss = worst_loss(mark, equity, bounds)
    if loss is not None and loss.state.is_stricter_than(state):
        mark = Watermark(mark.day, mark.opening, mark.highest, loss.state)
        cause = Cause(_reason(account, loss), REQUEST_ID)
        apply_switch(step, scope, loss.state, cause)
    if mark != before:
        note(step, account, mark)


def loss_bounds(state: EngineState, account: Account) -> list[Bound]:
    """The loss limits in force that bind the account."""
    desk = () if account.desk_id is None else state.limits.desks.get(account.desk_id, ())
    return [
        bound for bound in (*state.limits.firm, *desk, *account.bounds) if bound.key.kind in STOPS
    ]


def note(step: Step, account: Account, mark: Watermark) -> None:
    """Keep the watermark."""
    step.state.limits.watermarks[account.id] = mark
    step.changes.watermark(account.id, mark)


def move(step: Step, account: Account, units: int) -> None:
    """Cash came or went: what losses are measured from goes with it."""
    mark = step.state.limits.watermarks.get(account.id)
    if mark is not None:
        note(step, account, mark.moved(units))


def _reason(account: Account, loss: Loss) -> str:
    lost, limit = units_to_wire(loss.lost), units_to_wire(loss.bound.value)
    when = _WORDS[loss.bound.key.kind]
    return f"Lost {lost} {account.currency} {when}; the limit is {limit}"
