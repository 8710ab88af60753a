"""An account joins a desk, and with it the desk's trading state and limits: docs/risk.md W8."""

from core.services.audit_log import AuditRow
from orders.engine.state import Account, EngineState
from orders.engine.step import Step
from risk.domain.commands import JoinDesk
from risk.domain.reasons import Denial, DenialReason
from risk.domain.scopes import Scope, ScopeKind
from risk.domain.states import TradingState


def join_desk(step: Step, command: JoinDesk) -> Denial | None:
    """Put the account into the desk (W8)."""
    account = step.state.accounts.get(command.account_id)
    if account is None or account.kind != "CASH":
        return Denial(DenialReason.ACCOUNT_UNKNOWN, {})
    why = _why_not_join(step.state, account, command.desk_id)
    if why:
        return Denial(DenialReason.DESK_NOT_JOINED, {"why": why})
    account.desk_id = command.desk_id
    step.changes.account_terms[account.id] = account
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action="DeskJoined",
            target=f"trading-account:{account.id}",
            reason=command.reason,
            facts={"desk": str(command.desk_id)},
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
    return None


def _why_not_join(state: EngineState, account: Account, desk_id: int) -> str:
    if account.desk_id is not None:
        return "it belongs to a desk already"
    if account.open_orders:
        return "it has open orders"
    for scope in (Scope(ScopeKind.DESK, desk_id), Scope(ScopeKind.ACCOUNT, account.id)):
        held = state.trading.by_scope.get(scope)
        if held is not None and held.state is not TradingState.ACTIVE:
            return "trading is restricted for one of them"
    return ""
