"""Switches of trading states: at once to a stricter one, by two persons to a looser (docs/risk.md).

Every path comes through here: pages, API, console, command line and the schedule.
"""

from datetime import datetime, timedelta

from accounts.models import User
from core.domain.errors import (
    CODE_CONFLICT,
    CODE_NOT_FOUND,
    CODE_NOT_PERMITTED,
    ErrorReason,
    Refusal,
)
from core.domain.origin import Origin
from core.services import audit
from orders.domain.replies import SwitchedReply
from orders.services.asking import accept, ask, ask_running_or_not
from portfolio.models import Desk, TradingAccount
from risk.domain.commands import Consent, JoinDesk, SwitchTrading
from risk.domain.scopes import Scope, read_scope
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest, ScheduledSwitch, TradingState
from risk.selectors import OF_ACCOUNTS, may_manage_trading, may_restrict, scope_named

REQUEST_LIVES = timedelta(hours=24)


def scope_of(text: str, viewer: User | None) -> Scope:
    """The scope that a request names, or the refusal of one that is not there for the viewer."""
    scope = scope_named(text, viewer)
    if scope is None:
        raise Refusal(
            status=404,
            code=CODE_NOT_FOUND,
            reason=ErrorReason.NOT_FOUND,
            message="There is no such scope.",
        )
    return scope


def restrict(
    *, scope: Scope, state: State, reason: str, actor: User | None, origin: Origin
) -> SwitchedReply:
    """Switch the scope to a stricter state; HALTED is the kill switch. When this returns, none of
    the orders that it cancels is open. No actor: the command line, also of a stopped portal.
    """
    if actor is not None:
        _require(may_restrict(actor, scope))
    command = SwitchTrading(
        scope=scope,
        state=state,
        reason=reason,
        request_id=origin.request_id,
        actor_id=actor.pk if actor else None,
        address=origin.address,
    )
    (reply,) = ask_running_or_not([command])
    return _switched(accept(reply))


def ask_to_enable(
    *, scope: Scope, state: State, reason: str, actor: User, origin: Origin
) -> ChangeRequest:
    """Ask that the scope be switched to a looser state; somebody else may approve it."""
    _require(may_restrict(actor, scope))
    held = TradingState.objects.filter(scope=scope.key).first()
    if held is None or not State(held.state).is_stricter_than(state):
        now = held.state if held else State.ACTIVE.value
        raise _conflict(f"The scope is {now}; there is nothing to take back.")
    request = ChangeRequest.objects.create(
        scope=scope.key,
        account_id=scope.number if scope.kind in OF_ACCOUNTS else None,
        state=state.value,
        version=held.version,
        reason=reason,
        asked_by_id=actor.pk,
        asked_at=origin.now,
        expires_at=origin.now + REQUEST_LIVES,
    )
    audit.record(
        actor=actor,
        action="TradingEnableRequested",
        target=f"scope:{scope.key}",
        reason=reason,
        facts={"request": request.pk, "to": state.value, "version": held.version},
        origin=origin,
    )
    return request


def approve(*, request: ChangeRequest, actor: User, origin: Origin) -> SwitchedReply:
    """Make the switch that somebody else asked for; Refusal when it is not theirs to approve, is
    too late, or the scope was switched since.
    """
    _require(may_manage_trading(actor))
    _check_pending(request, origin.now)
    reply = ask(
        SwitchTrading(
            scope=read_scope(request.scope),
            state=State(request.state),
            reason=request.reason,
            request_id=origin.request_id,
            actor_id=actor.pk,
            address=origin.address,
            consent=Consent(request.pk, request.asked_by_id, request.version),
        )
    )
    return _switched(reply)


def reject(*, request: ChangeRequest, reason: str, actor: User, origin: Origin) -> None:
    """Turn the request down; who asked may do so too, and so withdraw it."""
    _require(may_manage_trading(actor) or actor.pk == request.asked_by_id)
    changed = ChangeRequest.objects.filter(
        pk=request.pk, status=ChangeRequest.Status.PENDING
    ).update(status=ChangeRequest.Status.REJECTED, decided_by_id=actor.pk, decided_at=origin.now)
    if not changed:
        raise _decided(request)
    audit.record(
        actor=actor,
        action="TradingEnableRejected",
        target=f"scope:{request.scope}",
        reason=reason,
        facts={"request": request.pk},
        origin=origin,
    )


def schedule_switch(
    *, scope: Scope, state: State, reason: str, due_at: datetime, actor: User, origin: Origin
) -> ScheduledSwitch:
    """Switch the scope to a stricter state at `due_at` (docs/risk.md W6)."""
    _require(may_manage_trading(actor))
    switch = ScheduledSwitch.objects.create(
        scope=scope.key,
        state=state.value,
        reason=reason,
        due_at=due_at,
        created_by_id=actor.pk,
        created_at=origin.now,
    )
    audit.record(
        actor=actor,
        action="TradingSwitchScheduled",
        target=f"scope:{scope.key}",
        reason=reason,
        facts={"to": state.value, "due_at": due_at.isoformat()},
        origin=origin,
    )
    return switch


def make_due_switches(now: datetime) -> int:
    """Make the scheduled switches whose time has come; one whose scope is stricter already, or
    that the engine refuses, is done with that outcome. Returns how many were looked at.
    """
    due = ScheduledSwitch.objects.filter(done_at__isnull=True, due_at__lte=now)
    switches = list(due.order_by("due_at", "id"))
    for switch in switches:
        origin = Origin(now=now, request_id=f"scheduled-switch-{switch.pk}")
        try:
            made = restrict(
                scope=read_scope(switch.scope),
                state=State(switch.state),
                reason=switch.reason,
                actor=None,
                origin=origin,
            )
            outcome = f"{made.state}, {made.canceled} orders canceled"
        except Refusal as refusal:
            if refusal.status >= 500:
                raise  # nothing was done, or nobody knows: the next run asks again
            outcome = refusal.message
        ScheduledSwitch.objects.filter(pk=switch.pk).update(done_at=now, outcome=outcome[:200])
    return len(switches)


def join_desk(
    *, account: TradingAccount, desk: Desk | None, reason: str, actor: User, origin: Origin
) -> None:
    """Put the account into the desk, or into none (docs/risk.md W8)."""
    _require(may_manage_trading(actor))
    ask(
        JoinDesk(
            account_id=account.pk,
            desk_id=desk.pk if desk else None,
            reason=reason,
            request_id=origin.request_id,
            actor_id=actor.pk,
            address=origin.address,
        )
    )


def _switched(reply: object) -> SwitchedReply:
    assert isinstance(reply, SwitchedReply)
    return reply


def _require(is_allowed: bool) -> None:
    if not is_allowed:
        raise Refusal(
            status=403,
            code=CODE_NOT_PERMITTED,
            reason=ErrorReason.NOT_PERMITTED,
            message="Your role does not let you do this to this scope.",
        )


def _check_pending(request: ChangeRequest, now: datetime) -> None:
    if request.status != ChangeRequest.Status.PENDING:
        raise _decided(request)
    if request.expires_at <= now:
        raise _conflict("The request has expired. Ask again.")


def _decided(request: ChangeRequest) -> Refusal:
    return _conflict("The request has been decided already.")


def _conflict(message: str) -> Refusal:
    return Refusal(status=409, code=CODE_CONFLICT, reason=ErrorReason.CONFLICT, message=message)
