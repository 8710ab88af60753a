"""Limits as the page shows them: by scope, each with what it comes to now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.domain.decimals import to_wire
from core.domain.units import units_to_decimal
from marketdata.models import Instrument
from portfolio.models import Desk, TradingAccount
from risk.domain.scopes import Scope, ScopeKind, read_scope
from risk.models import Limit

ORDER = tuple(ScopeKind)


@dataclass(frozen=True)
class ShownLimit:
    """A limit in texts; `used` and `share` (hundredths) are None for one that counts nothing."""

    kind: str
    symbol: str
    value: str
    window: int
    used: str | None
    share: int | None
    is_reached: bool
    reason: str


@dataclass(frozen=True)
class ShownScope:
    """One scope of the tree with its limits."""

    key: str
    name: str
    depth: int
    limits: Sequence[ShownLimit]


def shown_scopes(limits: Sequence[Limit], used: Mapping[str, int]) -> list[ShownScope]:
    """The scopes that have limits, widest first. `used` are units by the limits' keys."""
    names = scope_names({limit.scope for limit in limits})
    keys = sorted(names, key=lambda key: (ORDER.index(read_scope(key).kind), names[key]))
    return [
        ShownScope(
            key=key,
            name=names[key],
            depth=ORDER.index(read_scope(key).kind),
            limits=[_shown(limit, used.get(limit.key)) for limit in limits if limit.scope == key],
        )
        for key in keys
    ]


def _shown(limit: Limit, units: int | None) -> ShownLimit:
    assert limit.value is not None  # those in force alone are shown
    used = None if units is None else units_to_decimal(units)
    return ShownLimit(
        kind=limit.get_kind_display(),
        symbol=limit.instrument.symbol if limit.instrument else "",
        value=to_wire(limit.value),
        window=limit.window_seconds,
        used=None if used is None else to_wire(used.quantize(Decimal("0.01"))),
        share=None if used is None else _share(used, limit.value),
        is_reached=used is not None and used >= limit.value,
        reason=limit.reason,
    )


def _share(used: Decimal, value: Decimal) -> int:
    return min(100, int(used * 100 / value)) if value else 100


def scope_names(keys: set[str]) -> dict[str, str]:
    """Each scope as people call it."""
    scopes = {key: read_scope(key) for key in keys}
    of_accounts = {ScopeKind.ACCOUNT, ScopeKind.STRATEGY}
    accounts = _numbers(scopes, of_accounts)
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


def _numbers(scopes: Mapping[str, Scope], kinds: set[ScopeKind]) -> set[int]:
    return {scope.number for scope in scopes.values() if scope.kind in kinds}
