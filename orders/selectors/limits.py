"""Limits as the page shows them: the tree of scopes, each limit with what it comes to now."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from accounts.models import User
from core.domain.units import units_to_decimal
from marketdata.models import Instrument
from portfolio.models import Desk, TradingAccount
from portfolio.selectors import accounts_visible_to
from risk.domain.limit_tree import LimitKind
from risk.domain.scopes import FIRM, Scope, ScopeKind, read_scope
from risk.models import Limit
from risk.selectors import may_manage_trading

_RANK: Final = {kind: number for number, kind in enumerate(ScopeKind)}
_OF_ACCOUNTS: Final = frozenset({ScopeKind.ACCOUNT, ScopeKind.STRATEGY})
_KINDS: Final = tuple(LimitKind)
_WHOLE: Final = 100
MAX_CHOICES: Final = 200
"""Accounts and desks that the form offers; any other is typed."""


@dataclass(frozen=True)
class ShownLimit:
    """A limit; `used`, `left` and `share` (hundredths) are None for one that counts nothing.
    `tighter` names the wider scope whose limit of the same kind is always reached before this one.
    """

    kind: str
    symbol: str
    value: Decimal
    window: int
    used: Decimal | None
    left: Decimal | None
    share: int | None
    is_reached: bool
    reason: str
    tighter: str = ""


@dataclass(frozen=True)
class ShownScope:
    """One scope of the tree: its name, those of the scopes above it, and its limits."""

    key: str
    name: str
    above: Sequence[str]
    limits: Sequence[ShownLimit]

    @property
    def depth(self) -> int:
        return len(self.above)


def limit_tree(
    limits: Sequence[Limit], used: Mapping[str, int], accounts: Sequence[int]
) -> list[ShownScope]:
    """The scopes that have limits and the accounts, with all that is above them; each scope is
    followed by what is below it. `used` are units by the limits' keys.
    """
    ends = [read_scope(key) for key in {limit.scope for limit in limits}]
    ends += [Scope(ScopeKind.ACCOUNT, number) for number in accounts]
    desks = _desks_of({scope.number for scope in ends if scope.kind in _OF_ACCOUNTS})
    paths = {path[-1]: path for end in ends for path in _prefixes(_path(end, desks))}
    names = scope_names({scope.key for scope in paths})
    by_scope: dict[str, list[Limit]] = {}
    for limit in sorted(limits, key=lambda limit: _KINDS.index(LimitKind(limit.kind))):
        by_scope.setdefault(limit.scope, []).append(limit)
    in_order = sorted(
        paths.values(),
        key=lambda path: [(_RANK[one.kind], names[one.key], one.number) for one in path],
    )
    return [
        ShownScope(
            key=path[-1].key,
            name=names[path[-1].key],
            above=[names[one.key] for one in path[:-1]],
            limits=[
                _shown(limit, used.get(limit.key), _tighter(limit, path, by_scope, names))
                for limit in by_scope.get(path[-1].key, ())
            ],
        )
        for path in in_order
    ]


def _path(scope: Scope, desks: Mapping[int, int]) -> tuple[Scope, ...]:
    """The scope under those that bind it too, widest first."""
    match scope.kind:
        case ScopeKind.FIRM:
            return (FIRM,)
        case ScopeKind.STRATEGY:
            return (*_path(Scope(ScopeKind.ACCOUNT, scope.number), desks), scope)
        case ScopeKind.ACCOUNT if scope.number in desks:
            return FIRM, Scope(ScopeKind.DESK, desks[scope.number]), scope
    return FIRM, scope


def _prefixes(path: tuple[Scope, ...]) -> list[tuple[Scope, ...]]:
    return [path[:length] for length in range(1, len(path) + 1)]


def _desks_of(accounts: set[int]) -> dict[int, int]:
    joined = TradingAccount.objects.filter(pk__in=accounts, desk__isnull=False)
    return dict(joined.values_list("pk", "desk"))


def _tighter(
    limit: Limit,
    path: Sequence[Scope],
    by_scope: Mapping[str, Sequence[Limit]],
    names: Mapping[str, str],
) -> str:
    for scope in path[:-1]:
        for other in by_scope.get(scope.key, ()):
            if _is_tighter(other, limit):
                return names[scope.key]
    return ""


def _is_tighter(other: Limit, limit: Limit) -> bool:
    assert other.value is not None and limit.value is not None  # those in force alone are shown
    return (
        other.kind == limit.kind
        and other.instrument_id in {None, limit.instrument_id}
        and other.window_seconds >= limit.window_seconds
        and other.value <= limit.value
    )


def _shown(limit: Limit, units: int | None, tighter: str) -> ShownLimit:
    assert limit.value is not None  # those in force alone are shown
    used = None if units is None else units_to_decimal(units).quantize(Decimal("0.01"))
    return ShownLimit(
        kind=limit.kind,
        symbol=limit.instrument.symbol if limit.instrument else "",
        value=limit.value,
        window=limit.window_seconds,
        used=used,
        left=None if used is None else max(limit.value - used, Decimal(0)),
        share=None if used is None else _share(used, limit.value),
        is_reached=used is not None and used >= limit.value,
        reason=limit.reason,
        tighter=tighter,
    )


def _share(used: Decimal, value: Decimal) -> int:
    return min(_WHOLE, int(used * _WHOLE / value)) if value else _WHOLE


def scope_choices(viewer: User) -> list[tuple[str, str]]:
    """Scopes that the viewer may limit, as the API names them, each with what people call it."""
    accounts = accounts_visible_to(viewer)
    wider: list[tuple[str, str]] = []
    if may_manage_trading(viewer):
        accounts = TradingAccount.objects.filter(kind=TradingAccount.Kind.CASH)
        desks = Desk.objects.order_by("name").values_list("name", flat=True)[:MAX_CHOICES]
        wider = [("firm", "The firm"), *((f"desk:{name}", f"Desk {name}") for name in desks)]
    named = accounts.order_by("name", "pk").values_list("public_id", "name")[:MAX_CHOICES]
    return wider + [(f"account:{number}", f"Account {name}") for number, name in named]


def scope_names(keys: set[str]) -> dict[str, str]:
    """Each scope as people call it."""
    scopes = {key: read_scope(key) for key in keys}
    accounts = _numbers(scopes, _OF_ACCOUNTS)
    named = {account.pk: account for account in TradingAccount.objects.filter(pk__in=accounts)}
    desks = dict(
        Desk.objects.filter(pk__in=_numbers(scopes, {ScopeKind.DESK})).values_list("pk", "name")
    )
    symbols = dict(
        Instrument.objects.filter(pk__in=_numbers(scopes, {ScopeKind.SYMBOL})).values_list(
            "pk", "symbol"
        )
    )
    texts: dict[str, str] = {}
    for key, scope in scopes.items():
        match scope.kind:
            case ScopeKind.FIRM:
                texts[key] = "The firm"
            case ScopeKind.DESK:
                texts[key] = f"Desk {desks[scope.number]}"
            case ScopeKind.ACCOUNT:
                texts[key] = f"Account {named[scope.number].name}"
            case ScopeKind.STRATEGY:
                texts[key] = f"Strategy {scope.tag} of {named[scope.number].name}"
            case ScopeKind.SYMBOL:
                texts[key] = symbols[scope.number]
    return texts


def _numbers(scopes: Mapping[str, Scope], kinds: Set[ScopeKind]) -> set[int]:
    return {scope.number for scope in scopes.values() if scope.kind in kinds}
