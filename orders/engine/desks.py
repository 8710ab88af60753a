"""An account joins a desk, and with it the desk's trading state and limits, or leaves it:
docs/risk.md W8.
"""

from core.services.audit_log import AuditRow
from orders.engine.limit_usage import count_usage
from orders.engine.state import Account, EngineState
from orders.engine.step import Step
from risk.domain.commands import JoinDesk
from risk.domain.reasons import Denial, DenialReason
from risk.domain.scopes import Scope, ScopeKind
from risk.domain.states import TradingState


def join_desk(step: Step, command: JoinDesk) -> Denial | None:
    """Put the account into the desk, or into none (W8)."""
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    why = _why_not_join(step.state, account, command.desk_id)
    if why:
        return Denial(DenialReason.DESK_NOT_JOINED, {"why": why})
    before, account.desk_id = account.desk_id, command.desk_id
    count_usage(step.state, is_anew=True)
    step.changes.account_terms[account.id] = account
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action="DeskLeft" if command.desk_id is None else "DeskJoined",
            target=f"trading-account:{account.id}",
            reason=command.reason,
            facts={"desk": _shown(command.desk_id), "before": _shown(before)},
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
    return None


def _shown(desk_id: int | None) -> str:
    return "" if desk_id is None else str(desk_id)


def _why_not_join(state: EngineState, account: Account, desk_id: int | None) -> str:
    if account.desk_id == desk_id:
        return "it belongs to no desk" if desk_id is None else "it belongs to it already"
    if account.open_orders:
        return "it has open orders"
    if account.desk_id is not None and any(held.quantity for held in account.positions.values()):
        return "it has positions, with which it cannot leave its desk"
    desks = [number for number in (account.desk_id, desk_id) if number is not None]
    scopes = [Scope(ScopeKind.DESK, number) for number in desks]
    for scope in (*scopes, Scope(ScopeKind.ACCOUNT, account.id)):
        held_state = state.trading.by_scope.get(scope)
        if held_state is not None and held_state.state is not TradingState.ACTIVE:
            return "trading is restricted for one of them"
    return ""
