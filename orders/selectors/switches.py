"""What the kill switch would do and what is restricted, as the terminal shows it to one account."""

from datetime import datetime

import msgspec
from django.db.models import QuerySet

from accounts.models import User
from core.domain.clock import to_ns, wire_time
from marketdata.models import Instrument
from orders.models import Order
from portfolio.models import Desk, TradingAccount
from risk.domain.scopes import Scope, ScopeKind, read_scope
from risk.models import ChangeRequest
from risk.selectors import may_manage_trading, may_restrict, restrictions_of, scope_texts


class RestrictionView(msgspec.Struct, frozen=True, kw_only=True):
    """One scope that is not ACTIVE; `asked_at` since when somebody asks to enable it again."""

    scope: str
    name: str
    kind: str
    state: str
    reason: str
    since: str
    may_ask: bool
    asked_at: str | None


class SwitchView(msgspec.Struct, frozen=True, kw_only=True):
    """A scope that the viewer may halt and how many open orders that would cancel."""

    scope: str
    name: str
    open_orders: int


def restrictions_shown(
    viewer: User, account: TradingAccount, now: datetime
) -> list[RestrictionView]:
    """What binds the account's orders, the widest scope first."""
    rows = sorted(
        restrictions_of(account),
        key=lambda row: (list(ScopeKind).index(read_scope(row.scope).kind), row.scope),
    )
    scopes = [row.scope for row in rows]
    texts = scope_texts(scopes)
    pending = ChangeRequest.objects.filter(
        scope__in=scopes, status=ChangeRequest.Status.PENDING, expires_at__gt=now
    )
    asked = {row.scope: row.asked_at for row in pending.order_by("-asked_at")}
    return [
        RestrictionView(
            scope=texts[row.scope],
            name=_name(read_scope(row.scope), account, texts[row.scope]),
            kind=read_scope(row.scope).kind.value,
            state=row.state,
            reason=row.reason,
            since=wire_time(to_ns(row.changed_at)),
            may_ask=may_restrict(viewer, read_scope(row.scope)),
            asked_at=wire_time(to_ns(asked[row.scope])) if row.scope in asked else None,
        )
        for row in rows
    ]


def switches_for(viewer: User, account: TradingAccount) -> list[SwitchView]:
    """What the viewer may halt from the terminal: the account, its strategies with open orders;
    who manages trading also the firm, the desks and the instruments.
    """
    still_open = Order.objects.filter(closed_at__isnull=True)
    own = still_open.filter(account=account)
    found = [_switch(Scope(ScopeKind.ACCOUNT, account.pk), account, own)]
    tags = own.exclude(strategy=None).values_list("strategy", flat=True)
    for tag in sorted({str(tag) for tag in tags}):
        scope = Scope(ScopeKind.STRATEGY, account.pk, tag)
        found.append(_switch(scope, account, own.filter(strategy=tag)))
    if may_manage_trading(viewer):
        found.append(_switch(Scope(ScopeKind.FIRM), account, still_open))
        for desk in Desk.objects.order_by("name"):
            orders = still_open.filter(account__desk=desk)
            found.append(_switch(Scope(ScopeKind.DESK, desk.pk), account, orders))
        for instrument in Instrument.objects.order_by("symbol"):
            orders = still_open.filter(instrument=instrument)
            found.append(_switch(Scope(ScopeKind.SYMBOL, instrument.pk), account, orders))
    return found


def _switch(scope: Scope, account: TradingAccount, orders: QuerySet[Order]) -> SwitchView:
    text = scope_texts([scope.key])[scope.key]
    return SwitchView(scope=text, name=_name(scope, account, text), open_orders=orders.count())


def _name(scope: Scope, account: TradingAccount, text: str) -> str:
    """As people say it: "Account Main", "AAPL"."""
    if scope.kind is ScopeKind.ACCOUNT:
        return f"Account {account.name}"
    if scope.kind is ScopeKind.FIRM:
        return "The firm"
    tail = text.rpartition(":")[2]
    return tail if scope.kind is ScopeKind.SYMBOL else f"{scope.kind.value.title()} {tail}"
