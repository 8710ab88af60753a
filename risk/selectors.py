"""Scopes as people name them, who may restrict them, and what is restricted now."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.selectors import may_manage_risk, may_trade
from marketdata.models import Instrument
from marketdata.selectors import instrument_by_symbol
from portfolio.models import Desk, TradingAccount
from portfolio.selectors import accounts_visible_to, default_account
from risk.domain.scopes import FIRM, Scope, ScopeKind, is_strategy_tag, read_scope
from risk.domain.states import TradingState as State
from risk.models import ChangeRequest, Limit, TradingState

OF_ACCOUNTS = frozenset({ScopeKind.ACCOUNT, ScopeKind.STRATEGY})


def may_manage_trading(user: User) -> bool:
    """Restrict every scope, and approve what others ask for."""
    return may_manage_risk(user)


def is_own_scope(user: User, scope: Scope) -> bool:
    """An account that the user owns or shares, or a strategy of it."""
    if scope.kind not in OF_ACCOUNTS:
        return False
    return accounts_visible_to(user).filter(pk=scope.number).exists()


def may_restrict(user: User, scope: Scope) -> bool:
    """Switch the scope to a stricter state, and ask for a looser one (docs/risk.md W5)."""
    return may_manage_trading(user) or (may_trade(user) and is_own_scope(user, scope))


def scope_named(text: str, viewer: User | None) -> Scope | None:
    """The scope behind "desk:Equities", "account:<public id>" and the like; None when there is
    none, or it is an account that the viewer must not know of. No viewer: the command line.
    """
    kind, _, rest = text.partition(":")
    match kind:
        case "firm":
            return FIRM if not rest else None
        case "desk":
            desk = Desk.objects.filter(name=rest).first()
            return Scope(ScopeKind.DESK, desk.pk) if desk else None
        case "account":
            account = _account(rest, viewer)
            return Scope(ScopeKind.ACCOUNT, account.pk) if account else None
        case "strategy":
            owner, _, tag = rest.rpartition(":")
            account = _account(owner, viewer)
            return _strategy(account, tag) if account else None
        case "symbol":
            instrument = instrument_by_symbol(rest)
            return Scope(ScopeKind.SYMBOL, instrument.pk) if instrument else None
    return None


def _strategy(account: TradingAccount, tag: str) -> Scope | None:
    return Scope(ScopeKind.STRATEGY, account.pk, tag) if is_strategy_tag(tag) else None


def _account(public_id: str, viewer: User | None) -> TradingAccount | None:
    if not public_id:
        return default_account(viewer) if viewer else None
    try:
        number = UUID(public_id)
    except ValueError:
        return None
    known = TradingAccount.objects.filter(kind=TradingAccount.Kind.CASH)
    if viewer is not None and not may_manage_trading(viewer):
        known = accounts_visible_to(viewer)
    return known.filter(public_id=number).first()


def scope_texts(keys: Iterable[str]) -> dict[str, str]:
    """Each stored scope as the API names it."""
    scopes = {key: read_scope(key) for key in keys}
    numbers = {
        kind: {scope.number for scope in scopes.values() if scope.kind is kind}
        for kind in ScopeKind
    }
    accounts = numbers[ScopeKind.ACCOUNT] | numbers[ScopeKind.STRATEGY]
    public_ids = dict(TradingAccount.objects.filter(pk__in=accounts).values_list("pk", "public_id"))
    desks = dict(Desk.objects.filter(pk__in=numbers[ScopeKind.DESK]).values_list("pk", "name"))
    symbols = dict(
        Instrument.objects.filter(pk__in=numbers[ScopeKind.SYMBOL]).values_list("pk", "symbol")
    )
    texts: dict[str, str] = {}
    for key, scope in scopes.items():
        named = {
            ScopeKind.FIRM: "",
            ScopeKind.DESK: f":{desks.get(scope.number)}",
            ScopeKind.ACCOUNT: f":{public_ids.get(scope.number)}",
            ScopeKind.STRATEGY: f":{public_ids.get(scope.number)}:{scope.tag}",
            ScopeKind.SYMBOL: f":{symbols.get(scope.number)}",
        }
        texts[key] = f"{scope.kind.value}{named[scope.kind]}"
    return texts


def scope_text(key: str) -> str:
    return scope_texts([key])[key]


def _visible(user: User) -> Q:
    """What binds the user's own accounts; everything for who manages trading states."""
    if may_manage_trading(user):
        return Q()
    accounts = accounts_visible_to(user)
    desks = [f"desk:{pk}" for pk in accounts.exclude(desk=None).values_list("desk", flat=True)]
    shared = Q(scope__startswith="symbol:") | Q(scope="firm") | Q(scope__in=desks)
    return shared | Q(account__in=accounts)


def trading_states_for(user: User) -> QuerySet[TradingState]:
    """The states that bind the user's orders."""
    return TradingState.objects.filter(_visible(user))


def restrictions_of(account: TradingAccount) -> QuerySet[TradingState]:
    """What binds orders of the account now: every scope on their ways that is not ACTIVE."""
    binding = Q(scope="firm") | Q(scope__startswith="symbol:") | Q(account=account)
    if account.desk_id is not None:
        binding |= Q(scope=f"desk:{account.desk_id}")
    return TradingState.objects.filter(binding).exclude(state=State.ACTIVE.value)


def limits_for(user: User) -> QuerySet[Limit]:
    """The limits in force that bind the user's orders."""
    in_force = Limit.objects.filter(_visible(user), value__isnull=False)
    return in_force.select_related("instrument")


def change_requests_for(user: User) -> QuerySet[ChangeRequest]:
    """What waits for a second person, of what the user may ask for."""
    pending = ChangeRequest.objects.filter(status=ChangeRequest.Status.PENDING)
    if may_manage_trading(user):
        return pending
    return pending.filter(account__in=accounts_visible_to(user))
