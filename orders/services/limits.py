"""Limits of scopes: set at once where they let less through, asked for where they let more
(docs/risk.md M1 and M2). Pages, API and console all come through here.
"""

from decimal import Decimal
from typing import NamedTuple

from accounts.models import User
from core.domain.errors import Refusal
from core.domain.origin import Origin
from core.domain.units import decimal_to_units
from core.services import audit
from orders.domain.commands import WhatIf
from orders.domain.order_request import OrderSpec
from orders.domain.replies import LimitReply, UsageReply, WhatIfReply
from orders.services.asking import accept, ask, ask_running_or_not, refusal_of
from orders.services.change_requests import conflict, open_request, require, units_of
from orders.services.ordering import submit_command
from portfolio.models import TradingAccount
from risk.domain.commands import ReadUsage, SetLimit
from risk.domain.limit_tree import LimitKey, LimitKind, Setting, is_raise, why_not_set
from risk.domain.reasons import Denial, DenialReason
from risk.domain.recommended import RECOMMENDED
from risk.domain.scopes import FIRM
from risk.models import ChangeRequest, Limit
from risk.selectors import may_restrict


class Wanted(NamedTuple):
    """What a limit is to be; no value: none."""

    value: Decimal | None
    window_seconds: int = 0


def set_limit(
    *, key: LimitKey, wanted: Wanted, reason: str, actor: User | None, origin: Origin
) -> LimitReply:
    """Set a first limit or a lower one; Refusal for a raise, which takes two persons. No actor: the
    command line, also of a stopped portal.
    """
    if actor is not None:
        require(may_restrict(actor, key.scope))
    setting = _checked(key, wanted)
    command = SetLimit(
        scope=key.scope,
        kind=key.kind,
        instrument_id=key.instrument_id,
        value=setting.value,
        window_seconds=setting.window_seconds,
        reason=reason,
        request_id=origin.request_id,
        actor_id=actor.pk if actor else None,
        address=origin.address,
    )
    (reply,) = ask_running_or_not([command])
    made = accept(reply)
    assert isinstance(made, LimitReply)
    return made


def ask_for_raise(
    *, key: LimitKey, wanted: Wanted, reason: str, actor: User, origin: Origin
) -> ChangeRequest:
    """Ask for a higher limit, or that it be taken away (None); somebody else may approve it."""
    require(may_restrict(actor, key.scope))
    setting = _checked(key, wanted)
    held = Limit.objects.filter(key=key.text).first()
    before = Setting(units_of(held.value), held.window_seconds) if held else Setting(None)
    if held is None or not is_raise(before, setting):
        raise conflict("That lets no more through than now. Set it; it takes nobody else.")
    request = open_request(
        scope=key.scope,
        wanted={
            "limit_kind": key.kind.value,
            "instrument_id": key.instrument_id or None,
            "value": wanted.value,
            "window_seconds": setting.window_seconds,
        },
        version=held.version,
        reason=reason,
        actor=actor,
        origin=origin,
    )
    audit.record(
        actor=actor,
        action="LimitRaiseRequested",
        target=f"scope:{key.scope.key}",
        reason=reason,
        facts={
            "request": request.pk,
            "limit": key.text,
            "to": str(wanted.value),
            "version": held.version,
        },
        origin=origin,
    )
    return request


def set_recommended(*, reason: str, actor: User, origin: Origin) -> list[LimitKind]:
    """Set the recommended limits of the firm that are not set yet (docs/risk.md M16), each by a
    command of its own; the kinds that were.
    """
    require(may_restrict(actor, FIRM))
    missing = recommended_missing()
    for kind in missing:
        set_limit(
            key=LimitKey(FIRM, kind),
            wanted=Wanted(*RECOMMENDED[kind]),
            reason=reason,
            actor=actor,
            origin=origin,
        )
    return missing


def recommended_missing() -> list[LimitKind]:
    """The recommended kinds of which the firm has no limit for every symbol."""
    held = Limit.objects.filter(scope=FIRM.key, instrument=None, value__isnull=False)
    kinds = set(held.values_list("kind", flat=True))
    return [kind for kind in RECOMMENDED if kind.value not in kinds]


def usage_now() -> dict[str, int] | None:
    """What limits come to now, in units by their keys; None while the engine cannot be reached."""
    try:
        reply = ask(ReadUsage())
    except Refusal:
        return None
    assert isinstance(reply, UsageReply)
    return reply.used


def what_if(
    *, account: TradingAccount, spec: OrderSpec, viewer: User, request_id: str
) -> WhatIfReply:
    """What the engine would say to this order now; it is not placed."""
    command = submit_command(
        account_id=account.pk, spec=spec, submitted_by_id=viewer.pk, request_id=request_id
    )
    reply = ask(WhatIf(command))
    assert isinstance(reply, WhatIfReply)
    return reply


def _checked(key: LimitKey, wanted: Wanted) -> Setting:
    """The value in units, if there can be such a limit."""
    if wanted.value is None:
        return Setting(None)
    units = decimal_to_units(wanted.value)
    if units is None:
        raise _invalid("its value has at most 8 decimals")
    setting = Setting(units, wanted.window_seconds)
    why = why_not_set(key, setting)
    if why:
        raise _invalid(why)
    return setting


def _invalid(why: str) -> Refusal:
    denial = Denial(DenialReason.LIMIT_INVALID, {"why": why})
    return refusal_of(denial.reason, denial.facts, denial.sentence)
