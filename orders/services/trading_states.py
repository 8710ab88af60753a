"""Switches of trading states: at once to a stricter one, by two persons to a looser (docs/risk.md).

Every path comes through here: pages, API, console, command line and the schedule.
"""

from datetime import datetime

from accounts.models import User
from core.domain.errors import CODE_NOT_FOUND, ErrorReason, Refusal
from core.domain.origin import Origin
from core.services import audit
from orders.domain.replies import SwitchedReply
from orders.services import change_requests
from orders.services.asking import accept, ask, ask_running_or_not
from orders.services.change_requests import conflict, open_request, require
from portfolio.models import Desk, TradingAccount
from risk.domain.commands import JoinDesk, SwitchTrading
from risk.domain.scopes import Scope, read_scope
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest, ScheduledSwitch, TradingState
from risk.selectors import may_manage_trading, may_restrict, scope_named


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
        require(may_restrict(actor, scope))
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
    require(may_restrict(actor, scope))
    held = TradingState.objects.filter(scope=scope.key).first()
    if held is None or not State(held.state).is_stricter_than(state):
        now = held.state if held else State.ACTIVE.value
        raise conflict(f"The scope is {now}; there is nothing to take back.")
    request = open_request(
        scope=scope,
        wanted={"state": state.value},
        version=held.version,
        reason=reason,
        actor=actor,
        origin=origin,
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
    """Make the switch that somebody else asked for; Refusal as in change_requests.approve."""
    return _switched(change_requests.approve(request=request, actor=actor, origin=origin))


def schedule_switch(
    *, scope: Scope, state: State, reason: str, due_at: datetime, actor: User, origin: Origin
) -> ScheduledSwitch:
    """Switch the scope to a stricter state at `due_at` (docs/risk.md W6)."""
    require(may_manage_trading(actor))
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
    require(may_manage_trading(actor))
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
