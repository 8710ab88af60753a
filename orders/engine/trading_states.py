"""Switches of trading states, the kill switch among them: docs/risk.md W1 to W4 and W7.

A switch cancels its orders over as many commits as it takes; the
server takes no other command before it is done (EngineServer), nor does a start (recovery).
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from core.domain.clock import wire_time
from core.services.audit_log import AuditRow
from orders.domain.reasons import CloseReason
from orders.domain.values import Side
from orders.domain.views import AccountEvent, TradingStateView
from orders.engine import lifecycle
from orders.engine.clearing import Clearing
from orders.engine.render import balance_view
from orders.engine.restrictions import full_words_of, held_lots, scopes_of, words_of
from orders.engine.state import Account, EngineState, OrderState
from orders.engine.step import Step
from risk.domain.commands import Consent, SwitchTrading
from risk.domain.reasons import Denial, DenialReason
from risk.domain.rows import ApprovalRow, StateRow
from risk.domain.scopes import Scope, ScopeKind
from risk.domain.states import ScopeState, TradingState

MAX_CLEARED: Final = 1_000
"""Orders that a switch cancels in one commit."""

_CLEARING_REASONS: Final = {
    TradingState.HALTED: CloseReason.KILL_SWITCH,
    TradingState.REDUCE_ONLY: CloseReason.REDUCE_ONLY,
}
_Side = tuple[int, int, Side]


class Cause(NamedTuple):
    """Why a switch is made: the words, and whose request it is (None: a limit's own)."""

    reason: str
    request_id: str
    actor_id: int | None = None
    address: str | None = None
    consent: Consent | None = None


class Switched(NamedTuple):
    """The scope as it is now, and how many orders this switch cancels."""

    state: ScopeState
    canceled: int


def switch(step: Step, command: SwitchTrading) -> Switched | Denial:
    """Put the scope into the state, unless it takes a second person who is not there (W3)."""
    scope = command.scope
    if not is_known(step.state, scope):
        return Denial(DenialReason.SCOPE_UNKNOWN, {})
    held = step.state.trading.by_scope.get(scope)
    before = held.state if held else TradingState.ACTIVE
    version = held.version if held else 0
    consent = command.consent
    if consent is not None and consent.version != version:
        return Denial(DenialReason.STATE_CHANGED_MEANWHILE, {})
    if command.state is before:
        return Switched(held or _never_switched(), 0)
    denial = _check_consent(command, before)
    if denial is not None:
        return denial
    cause = Cause(
        command.reason, command.request_id, command.actor_id, command.address, command.consent
    )
    return apply_switch(step, scope, command.state, cause)


def is_known(state: EngineState, scope: Scope) -> bool:
    """Whether there is such a scope."""
    if scope.kind is ScopeKind.FIRM or scope.kind is ScopeKind.DESK:
        return True  # desks are rows that whoever asks has found
    if scope.kind is ScopeKind.SYMBOL:
        return any(item.id == scope.number for item in state.instruments.values())
    account = state.accounts.get(scope.number)
    return account is not None and account.kind == "CASH"


def _never_switched() -> ScopeState:
    return ScopeState(TradingState.ACTIVE, 0, False, "", "", None, 0)


def _check_consent(command: SwitchTrading, before: TradingState) -> Denial | None:
    """A looser state takes a request of somebody else's."""
    if command.state.is_stricter_than(before):
        return None
    if command.consent is None:
        facts = {"state": before.value, "wanted": command.state.value}
        return Denial(DenialReason.FOUR_EYES_REQUIRED, facts)
    if command.actor_id is None or command.actor_id == command.consent.asked_by_id:
        return Denial(DenialReason.SAME_PERSON, {})
    return None


def apply_switch(step: Step, scope: Scope, wanted: TradingState, cause: Cause) -> Switched:
    """Make the switch: state, audit, events, and the first of the orders that it cancels."""
    trading = step.state.trading
    held = trading.by_scope.get(scope)
    before = held.state if held else TradingState.ACTIVE
    accounts = concerned(step.state, scope)
    orders = to_clear(step.state, scope, wanted)
    now = trading.by_scope[scope] = ScopeState(
        state=wanted,
        version=(held.version if held else 0) + 1,
        is_clearing=bool(orders),
        reason=cause.reason,
        request_id=cause.request_id,
        changed_by_id=cause.actor_id,
        changed_ns=step.now_ns,
    )
    trading.restricted += (before is TradingState.ACTIVE) - (wanted is TradingState.ACTIVE)
    _record(step, scope, before, cause, len(orders))
    view = TradingStateView(
        scope=words_of(step.state, scope),
        state=wanted.value,
        reason=cause.reason,
        orders=len(orders),
    )
    house = step.state.accounts.get(step.state.house_id)
    if house is not None:
        full = msgspec.structs.replace(view, scope=full_words_of(step.state, scope))
        _tell(step, house, full, before, cause.request_id)
    for account in accounts:
        _tell(step, account, view, before, cause.request_id)
    if orders:
        trading.clearing.append(Clearing(scope, _CLEARING_REASONS[wanted], deque(orders)))
    return Switched(now, len(orders))


def concerned(state: EngineState, scope: Scope) -> list[Account]:
    """The accounts that the scope's state is told to (W7)."""
    return [
        account
        for account in state.accounts.values()
        if account.kind == "CASH" and _concerns(scope, account)
    ]


def _concerns(scope: Scope, account: Account) -> bool:
    if scope.kind is ScopeKind.FIRM:
        return True
    if scope.kind is ScopeKind.DESK:
        return account.desk_id == scope.number
    if scope.kind is ScopeKind.SYMBOL:
        position = account.positions.get(scope.number)
        return (position is not None and position.quantity != 0) or any(
            order.instrument.id == scope.number for order in account.open_orders.values()
        )
    return account.id == scope.number


def to_clear(state: EngineState, scope: Scope, wanted: TradingState) -> list[UUID]:
    """The open orders that a switch to `wanted` cancels, in the order of their acceptance."""
    if wanted not in _CLEARING_REASONS:
        return []
    inside: Iterable[OrderState] = state.orders.values()
    if scope.kind in {ScopeKind.ACCOUNT, ScopeKind.STRATEGY}:
        inside = state.accounts[scope.number].open_orders.values()
    chosen = [order for order in inside if scope in scopes_of(order)]
    if wanted is TradingState.REDUCE_ONLY:
        lots = _open_lots({order.account.id: order.account for order in chosen}.values())
        chosen = [order for order in chosen if not _lessens(order, lots)]
    return [order.id for order in chosen]


def _lessens(order: OrderState, lots: Counter[_Side]) -> bool:
    """W4 of an open order: it and the others on its side fit into the position."""
    held = held_lots(order)
    return lots[order.account.id, order.instrument.id, order.side] <= held


def _open_lots(accounts: Iterable[Account]) -> Counter[_Side]:
    """What the open orders of each account, instrument and side may still trade together."""
    lots: Counter[_Side] = Counter()
    for account in accounts:
        for order in account.open_orders.values():
            lots[account.id, order.instrument.id, order.side] += order.claim
    return lots


def _record(step: Step, scope: Scope, before: TradingState, cause: Cause, canceled: int) -> None:
    """The row, the approval if it took one, and the audit entry."""
    note_row(step, scope)
    held = step.state.trading.by_scope[scope]
    facts = {"from": before.value, "to": held.state.value, "orders": str(canceled)}
    if cause.consent is not None:
        assert cause.actor_id is not None
        step.changes.approvals.append(
            ApprovalRow(cause.consent.request, cause.actor_id, step.now_ns)
        )
        facts["request"] = str(cause.consent.request)
        facts["asked_by"] = str(cause.consent.asked_by_id)
    step.changes.audits.append(
        AuditRow(
            actor_id=cause.actor_id,
            action="TradingStateChanged",
            target=f"scope:{scope.key}",
            reason=cause.reason,
            facts=facts,
            address=cause.address,
            request_id=cause.request_id,
            occurred_ns=step.now_ns,
        )
    )


def note_row(step: Step, scope: Scope) -> None:
    """The scope's state is to be stored as it is at the end of the batch."""
    is_of_account = scope.kind in {ScopeKind.ACCOUNT, ScopeKind.STRATEGY}
    account_id = scope.number if is_of_account else None
    state = step.state.trading.by_scope[scope]
    step.changes.trading_states[scope] = StateRow(scope, account_id, state)


def _tell(
    step: Step, account: Account, view: TradingStateView, before: TradingState, request_id: str
) -> None:
    after = TradingState(view.state)
    event = "TradingHalted" if after is TradingState.HALTED else "TradingRestricted"
    if before.is_stricter_than(after):
        event = "TradingResumed"
    lifecycle.append_account_event(
        step,
        account,
        AccountEvent(
            event=event,
            version=1,
            account_id=account.public_id,
            account_sequence=account.sequence + 1,
            occurred_at=wire_time(step.now_ns),
            request_id=request_id,
            balance=balance_view(account),
            trading_state=view,
        ),
    )


# --- clearing


def clear(step: Step, limit: int) -> list[OrderState]:
    """Cancel up to `limit` of the orders that switches cancel; those that it canceled."""
    trading = step.state.trading
    canceled: list[OrderState] = []
    while trading.clearing and len(canceled) < limit:
        clearing = trading.clearing[0]
        held = trading.by_scope[clearing.scope]
        while clearing.orders and len(canceled) < limit:
            order = step.state.orders.get(clearing.orders.popleft())
            if order is not None:  # another switch may have canceled it
                lifecycle.cancel(step, order, clearing.reason, held.request_id)
                canceled.append(order)
        if not clearing.orders:
            trading.clearing.popleft()
            trading.by_scope[clearing.scope] = replace(held, is_clearing=False)
            note_row(step, clearing.scope)
    return canceled


def resume_clearing(state: EngineState) -> None:
    """After a restart: what a switch had not canceled yet is still to be canceled."""
    trading = state.trading
    trading.restricted = sum(
        held.state is not TradingState.ACTIVE for held in trading.by_scope.values()
    )
    for scope, held in trading.by_scope.items():
        if held.is_clearing:
            orders = to_clear(state, scope, held.state)
            trading.clearing.append(Clearing(scope, _CLEARING_REASONS[held.state], deque(orders)))
