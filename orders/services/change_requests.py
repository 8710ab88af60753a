"""What takes two persons: one asks, another approves or rejects (docs/risk.md W3 and M2).

The change itself is the engine's, which writes it and the approval in one commit.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import User
from core.domain.errors import CODE_CONFLICT, CODE_NOT_PERMITTED, ErrorReason, Refusal
from core.domain.origin import Origin
from core.domain.units import decimal_to_units
from core.services import audit
from orders.domain.commands import AnyCommand
from orders.domain.replies import AnyReply
from orders.services.asking import ask
from risk.domain.commands import Consent, SetLimit, SwitchTrading
from risk.domain.limit_tree import LimitKey, LimitKind
from risk.domain.scopes import Scope, read_scope
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest
from risk.selectors import OF_ACCOUNTS, may_manage_trading

REQUEST_LIVES = timedelta(hours=24)


def open_request(
    *,
    scope: Scope,
    wanted: dict[str, object],
    version: int,
    reason: str,
    actor: User,
    origin: Origin,
) -> ChangeRequest:
    """Write down what is asked for; `wanted` are the fields of a ChangeRequest that say it, and
    `version` which state or limit it takes back.
    """
    return ChangeRequest.objects.create(
        scope=scope.key,
        account_id=scope.number if scope.kind in OF_ACCOUNTS else None,
        version=version,
        reason=reason,
        asked_by_id=actor.pk,
        asked_at=origin.now,
        expires_at=origin.now + REQUEST_LIVES,
        **wanted,
    )


def approve(*, request: ChangeRequest, actor: User, origin: Origin) -> AnyReply:
    """Make the change that somebody else asked for, and tell what the engine answered; Refusal when
    it is not theirs to approve, is too late, or what it would change was changed since.
    """
    require(may_manage_trading(actor))
    _check_pending(request, origin.now)
    return ask(_command(request, actor, origin))


def _command(request: ChangeRequest, actor: User, origin: Origin) -> AnyCommand:
    consent = Consent(request.pk, request.asked_by_id, request.version)
    if request.limit_kind:
        return SetLimit(
            scope=read_scope(request.scope),
            kind=LimitKind(request.limit_kind),
            instrument_id=request.instrument_id or 0,
            value=units_of(request.value),
            reason=request.reason,
            request_id=origin.request_id,
            actor_id=actor.pk,
            address=origin.address,
            consent=consent,
            window_seconds=request.window_seconds,
        )
    return SwitchTrading(
        scope=read_scope(request.scope),
        state=State(request.state),
        reason=request.reason,
        request_id=origin.request_id,
        actor_id=actor.pk,
        address=origin.address,
        consent=consent,
    )


def units_of(value: Decimal | None) -> int | None:
    """A stored value in units."""
    return None if value is None else decimal_to_units(value)


def limit_key_of(request: ChangeRequest) -> LimitKey:
    """The limit that a request is about."""
    kind = LimitKind(request.limit_kind)
    return LimitKey(read_scope(request.scope), kind, request.instrument_id or 0)


def reject(*, request: ChangeRequest, reason: str, actor: User, origin: Origin) -> None:
    """Turn the request down; who asked may do so too, and so withdraw it."""
    require(may_manage_trading(actor) or actor.pk == request.asked_by_id)
    changed = ChangeRequest.objects.filter(
        pk=request.pk, status=ChangeRequest.Status.PENDING
    ).update(status=ChangeRequest.Status.REJECTED, decided_by_id=actor.pk, decided_at=origin.now)
    if not changed:
        raise _decided()
    audit.record(
        actor=actor,
        action="LimitRaiseRejected" if request.limit_kind else "TradingEnableRejected",
        target=f"scope:{request.scope}",
        reason=reason,
        facts={"request": request.pk},
        origin=origin,
    )


def require(is_allowed: bool) -> None:
    """Refusal unless the actor's role reaches so far."""
    if not is_allowed:
        raise Refusal(
            status=403,
            code=CODE_NOT_PERMITTED,
            reason=ErrorReason.NOT_PERMITTED,
            message="Your role does not let you do this to this scope.",
        )


def _check_pending(request: ChangeRequest, now: datetime) -> None:
    if request.status != ChangeRequest.Status.PENDING:
        raise _decided()
    if request.expires_at <= now:
        raise conflict("The request has expired. Ask again.")


def _decided() -> Refusal:
    return conflict("The request has been decided already.")


def conflict(message: str) -> Refusal:
    return Refusal(status=409, code=CODE_CONFLICT, reason=ErrorReason.CONFLICT, message=message)
