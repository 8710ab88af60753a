"""Setting limits: docs/risk.md M1 and M2.

Limits in force are kept where an order finds them: with its account, its instrument, or by the
number of its desk (`Limits`).
"""

from core.domain.units import units_to_wire
from core.services.audit_log import AuditRow
from orders.engine.limit_usage import count_usage
from orders.engine.limits import equity_of
from orders.engine.loss_watch import loss_bounds, note
from orders.engine.state import EngineState
from orders.engine.step import Step
from orders.engine.trading_states import concerned, is_known
from risk.domain.commands import SetLimit
from risk.domain.limit_tree import (
    LOSSES,
    PACING,
    Bound,
    Limit,
    LimitKey,
    LimitKind,
    Setting,
    is_raise,
    why_not_set,
)
from risk.domain.losses import DAY_NS, Watermark
from risk.domain.reasons import Denial, DenialReason
from risk.domain.rows import ApprovalRow, LimitRow
from risk.domain.scopes import Scope, ScopeKind

_KINDS = tuple(LimitKind)
UNLIMITED = "none"


def set_limit(step: Step, command: SetLimit) -> Limit | Denial:
    """The limit as it is now, unless it takes a second person who is not there (M2)."""
    key = LimitKey(command.scope, command.kind, command.instrument_id)
    denial = _check_key(step.state, key, _setting(command))
    if denial is not None:
        return denial
    held = step.state.limits.by_key.get(key)
    version = held.version if held else 0
    consent = command.consent
    if consent is not None and consent.version != version:
        return Denial(DenialReason.STATE_CHANGED_MEANWHILE, {})
    before = held.setting if held else Setting(None)
    wanted = _setting(command)
    if wanted == before:
        return held or Limit(None, 0, 0, "", "", None, 0)
    denial = _check_consent(command, before, wanted)
    if denial is not None:
        return denial
    limit = Limit(
        value=wanted.value,
        window_seconds=wanted.window_seconds,
        version=version + 1,
        reason=command.reason,
        request_id=command.request_id,
        changed_by_id=command.actor_id,
        changed_ns=step.now_ns,
    )
    step.state.limits.by_key[key] = limit
    if key.kind in LOSSES and before.value is None:
        _measure_anew(step, key.scope)
    put_in_force(step.state, key.scope)
    count_usage(step.state)
    step.state.limits.pace.forget(key)
    _record(step, key, command, before)
    return limit


def _measure_anew(step: Step, scope: Scope) -> None:
    """Losses of the scope's accounts are measured from now on, unless they were already (M12)."""
    for account in concerned(step.state, scope):
        if account.id in step.state.limits.watermarks and not loss_bounds(step.state, account):
            equity = equity_of(step.state, account, step.now_ns)
            note(step, account, Watermark(step.now_ns // DAY_NS, equity, equity))


def _setting(command: SetLimit) -> Setting:
    return Setting(command.value, 0 if command.value is None else command.window_seconds)


def _check_key(state: EngineState, key: LimitKey, setting: Setting) -> Denial | None:
    if not is_known(state, key.scope):
        return Denial(DenialReason.SCOPE_UNKNOWN, {})
    if key.instrument_id and key.instrument_id not in state.instruments_by_id:
        return Denial(DenialReason.SCOPE_UNKNOWN, {})
    why = why_not_set(key, setting)
    return Denial(DenialReason.LIMIT_INVALID, {"why": why}) if why else None


def _check_consent(command: SetLimit, before: Setting, wanted: Setting) -> Denial | None:
    """A raise takes a request of somebody else's."""
    if not is_raise(before, wanted):
        return None
    if command.consent is None:
        facts = {"state": told(before), "wanted": told(wanted)}
        return Denial(DenialReason.FOUR_EYES_REQUIRED, facts)
    if command.actor_id is None or command.actor_id == command.consent.asked_by_id:
        return Denial(DenialReason.SAME_PERSON, {})
    return None


def told(setting: Setting) -> str:
    """In words: "5", "5 in 10 s", "none"."""
    if setting.value is None:
        return UNLIMITED
    within = f" in {setting.window_seconds} s" if setting.window_seconds else ""
    return f"{units_to_wire(setting.value)}{within}"


def _record(step: Step, key: LimitKey, command: SetLimit, before: Setting) -> None:
    """The row, the approval if it took one, and the audit entry."""
    is_of_account = key.scope.kind in {ScopeKind.ACCOUNT, ScopeKind.STRATEGY}
    account_id = key.scope.number if is_of_account else None
    step.changes.limits[key] = LimitRow(key, account_id, step.state.limits.by_key[key])
    facts = {"limit": key.text, "from": told(before), "to": told(_setting(command))}
    if command.consent is not None and command.actor_id is not None:
        step.changes.approvals.append(
            ApprovalRow(command.consent.request, command.actor_id, step.now_ns)
        )
        facts["request"] = str(command.consent.request)
        facts["asked_by"] = str(command.consent.asked_by_id)
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action="LimitChanged",
            target=f"scope:{key.scope.key}",
            reason=command.reason,
            facts=facts,
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )


# --- in force


def put_in_force(state: EngineState, scope: Scope) -> None:
    """Let orders find the scope's limits as they are now."""
    limits = state.limits
    bounds = tuple(
        Bound(key, limit.value, limit.window_seconds)
        for key, limit in sorted(limits.by_key.items(), key=_by_kind)
        if key.scope == scope and limit.value is not None
    )
    match scope.kind:
        case ScopeKind.FIRM:
            limits.firm = bounds
        case ScopeKind.DESK:
            limits.desks[scope.number] = bounds
        case ScopeKind.ACCOUNT:
            state.accounts[scope.number].bounds = bounds
        case ScopeKind.STRATEGY:
            limits.strategies[scope.number, scope.tag] = bounds
        case ScopeKind.SYMBOL:
            state.instruments_by_id[scope.number].bounds = bounds
    kinds = [key.kind for key, limit in limits.by_key.items() if limit.value is not None]
    limits.pacing = sum(kind in PACING for kind in kinds)
    limits.watching = sum(kind in LOSSES for kind in kinds)
    limits.judging = len(kinds) - limits.pacing - limits.watching


def _by_kind(item: tuple[LimitKey, Limit]) -> tuple[int, int]:
    return _KINDS.index(item[0].kind), item[0].instrument_id


def restore_limits(state: EngineState) -> None:
    """After a start: every limit is in force again."""
    for scope in {key.scope for key in state.limits.by_key}:
        put_in_force(state, scope)
    count_usage(state)
