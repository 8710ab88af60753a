"""The limit tree: what a limit binds, which limits there are, and which one an order would break
(docs/risk.md M1 to M7). Pure: numbers in, the broken limit out.

A value is a number of units of 10^-8, whether it counts money, quantity or orders.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from core.domain.units import UNITS_PER_ONE
from core.domain.words import Word
from risk.domain.reasons import DenialReason
from risk.domain.scopes import Scope, ScopeKind

MAX_LIMIT_UNITS: Final = 10_000_000_000 * UNITS_PER_ONE
"""Largest value of a limit: it and its units fit 64 bits."""


class LimitKind(Word):
    """In the order in which an order is judged by them; PACING ones come before, LOSSES are of an
    account and not of an order.
    """

    RESTRICTED = "RESTRICTED"
    ORDER_QUANTITY = "ORDER_QUANTITY"
    ORDER_VALUE = "ORDER_VALUE"
    OPEN_ORDERS = "OPEN_ORDERS"
    POSITION = "POSITION"
    EXPOSURE = "EXPOSURE"
    LEVERAGE = "LEVERAGE"
    PRICE_COLLAR = "PRICE_COLLAR"
    ORDER_RATE = "ORDER_RATE"
    REPEATED_ORDERS = "REPEATED_ORDERS"
    DAILY_LOSS = "DAILY_LOSS"
    DAILY_LOSS_HALT = "DAILY_LOSS_HALT"
    DRAWDOWN = "DRAWDOWN"
    DRAWDOWN_HALT = "DRAWDOWN_HALT"


_ORDER: Final = {kind: number for number, kind in enumerate(LimitKind)}
EVERYWHERE: Final = frozenset(ScopeKind)
OF_HOLDERS: Final = EVERYWHERE - {ScopeKind.STRATEGY}
"""Scopes that hold positions: a strategy has none of its own, its account has."""
OF_ACCOUNTS: Final = frozenset({ScopeKind.FIRM, ScopeKind.DESK, ScopeKind.ACCOUNT})
"""Scopes whose every account is judged by itself."""
MAX_WINDOW_SECONDS: Final = 3_600
"""Longest window of a limit: what was seen within it is kept in memory."""


class KindTerms(NamedTuple):
    """Where a kind of limit may stand, and what its value is."""

    scopes: frozenset[ScopeKind]
    reason: DenialReason
    is_whole: bool = False
    counts_usage: bool = False
    """Whether it needs what open orders and positions come to (risk/domain/usage.py)."""
    has_window: bool = False
    """Whether it counts what comes within so many seconds."""


KINDS: Final = {
    LimitKind.RESTRICTED: KindTerms(EVERYWHERE, DenialReason.LIMIT_RESTRICTED, is_whole=True),
    LimitKind.ORDER_QUANTITY: KindTerms(EVERYWHERE, DenialReason.LIMIT_ORDER_QUANTITY),
    LimitKind.ORDER_VALUE: KindTerms(EVERYWHERE, DenialReason.LIMIT_ORDER_VALUE),
    LimitKind.OPEN_ORDERS: KindTerms(
        EVERYWHERE, DenialReason.LIMIT_OPEN_ORDERS, is_whole=True, counts_usage=True
    ),
    LimitKind.POSITION: KindTerms(OF_HOLDERS, DenialReason.LIMIT_POSITION, counts_usage=True),
    LimitKind.EXPOSURE: KindTerms(OF_HOLDERS, DenialReason.LIMIT_EXPOSURE, counts_usage=True),
    LimitKind.LEVERAGE: KindTerms(OF_ACCOUNTS, DenialReason.LIMIT_LEVERAGE, counts_usage=True),
    LimitKind.PRICE_COLLAR: KindTerms(EVERYWHERE, DenialReason.LIMIT_PRICE_COLLAR),
    LimitKind.ORDER_RATE: KindTerms(
        EVERYWHERE, DenialReason.LIMIT_ORDER_RATE, is_whole=True, has_window=True
    ),
    LimitKind.REPEATED_ORDERS: KindTerms(
        EVERYWHERE, DenialReason.LIMIT_REPEATED_ORDERS, is_whole=True, has_window=True
    ),
    LimitKind.DAILY_LOSS: KindTerms(OF_ACCOUNTS, DenialReason.TRADING_REDUCE_ONLY),
    LimitKind.DAILY_LOSS_HALT: KindTerms(OF_ACCOUNTS, DenialReason.TRADING_HALTED),
    LimitKind.DRAWDOWN: KindTerms(OF_ACCOUNTS, DenialReason.TRADING_REDUCE_ONLY),
    LimitKind.DRAWDOWN_HALT: KindTerms(OF_ACCOUNTS, DenialReason.TRADING_HALTED),
}


LOSSES: Final = frozenset(
    {
        LimitKind.DAILY_LOSS,
        LimitKind.DAILY_LOSS_HALT,
        LimitKind.DRAWDOWN,
        LimitKind.DRAWDOWN_HALT,
    }
)
PACING: Final = frozenset({LimitKind.ORDER_RATE, LimitKind.REPEATED_ORDERS})
"""Kinds that look at how orders come, not at what they are."""

REDUCING: Final = 1 * UNITS_PER_ONE
"""Value of RESTRICTED that lets pass what only lessens a position; 0 lets nothing pass."""


class Setting(NamedTuple):
    """What a limit is set to; no value: to nothing."""

    value: int | None
    window_seconds: int = 0


class LimitKey(NamedTuple):
    """Which limit it is; instrument 0: whatever is traded."""

    scope: Scope
    kind: LimitKind
    instrument_id: int = 0

    @property
    def text(self) -> str:
        """As it is stored: "account:3 ORDER_VALUE", "firm POSITION 17"."""
        symbol = f" {self.instrument_id}" if self.instrument_id else ""
        return f"{self.scope.key} {self.kind.value}{symbol}"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit since its last change; `value` None: taken away. `version` counts the changes."""

    value: int | None
    window_seconds: int
    version: int
    reason: str
    request_id: str
    changed_by_id: int | None
    changed_ns: int

    @property
    def setting(self) -> Setting:
        return Setting(self.value, self.window_seconds)


class Bound(NamedTuple):
    """A limit that is in force, as an order meets it."""

    key: LimitKey
    value: int
    window_seconds: int = 0


class Broken(NamedTuple):
    """A limit that an order would break, and what it would come to."""

    bound: Bound
    would_be: int


def first_broken(
    bounds: Iterable[Bound], would_be: Callable[[LimitKey], int | None]
) -> Broken | None:
    """The first kind that refuses, and of that kind the tightest limit, the widest scope first;
    `would_be` None: the order takes nothing of what the limit counts.
    """
    found: list[Broken] = []
    for bound in bounds:
        number = would_be(bound.key)
        if number is not None and number > bound.value:
            found.append(Broken(bound, number))
    return min(found, key=_rank) if found else None


def _rank(broken: Broken) -> tuple[int, int]:
    return _ORDER[broken.bound.key.kind], broken.bound.value


def is_raise(before: Setting, after: Setting) -> bool:
    """Whether the change lets more through than before, so that it takes two persons (M2)."""
    if before.value is None:
        return False
    if after.value is None or after.value > before.value:
        return True
    return after.window_seconds < before.window_seconds


def why_not_set(key: LimitKey, setting: Setting) -> str:
    """Why there can be no such limit; empty when there can."""
    return _why_not_there(key) or ("" if setting.value is None else _why_not_so(key, setting))


def _why_not_there(key: LimitKey) -> str:
    kind, terms = key.scope.kind, KINDS[key.kind]
    if kind is ScopeKind.STRATEGY and kind not in terms.scopes:
        return "a strategy holds no position of its own; limit its account"
    if kind not in terms.scopes or (key.instrument_id and terms.scopes is OF_ACCOUNTS):
        return "it is of accounts, whatever they trade; name the firm, a desk or an account"
    if key.instrument_id and kind is ScopeKind.SYMBOL:
        return "the scope is a symbol already"
    is_of_symbol = bool(key.instrument_id) or kind is ScopeKind.SYMBOL
    if key.kind is LimitKind.RESTRICTED and not is_of_symbol:
        return "name the symbol that is restricted"
    return ""


def _why_not_so(key: LimitKey, setting: Setting) -> str:
    terms, value = KINDS[key.kind], setting.value or 0
    if not 0 <= value <= MAX_LIMIT_UNITS:
        return "its value is from 0 to 10000000000"
    if terms.is_whole and value % UNITS_PER_ONE:
        return "its value is a whole number"
    if key.kind is LimitKind.RESTRICTED and value > REDUCING:
        return "its value is 0 (no trading) or 1 (only what lessens a position)"
    if terms.has_window != (0 < setting.window_seconds <= MAX_WINDOW_SECONDS):
        return "order_rate and repeated_orders, and no others, have a window of 1 to 3600 seconds"
    return ""
