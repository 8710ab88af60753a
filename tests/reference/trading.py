"""Trading states by the rules W1 to W4, W7 and W8 of docs/risk.md. Part of the slow engine.

Scopes are their keys as text; each order's path is written out anew each time it is asked for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol, TypeVar

STRICTNESS = ["ACTIVE", "REDUCE_ONLY", "CANCEL_ONLY", "HALTED"]


class TradedOrder(Protocol):
    """What the rules need to know of an order."""

    account: int
    side: str
    strategy: str | None

    @property
    def symbol(self) -> str: ...
    @property
    def leaves(self) -> int: ...


Traded = TypeVar("Traded", bound=TradedOrder)


@dataclass
class TradingRules:
    """`symbols` in the order of their numbers, the first is 1."""

    symbols: Sequence[str]
    accounts: Sequence[int]
    states: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    desks: dict[int, int] = field(default_factory=dict)

    def path(self, order: TradedOrder) -> list[str]:
        desk = self.desks.get(order.account)
        return [
            "firm",
            *([f"desk:{desk}"] if desk else []),
            f"account:{order.account}",
            *([f"strategy:{order.account}:{order.strategy}"] if order.strategy else []),
            f"symbol:{self.symbols.index(order.symbol) + 1}",
        ]

    def state_of(self, order: TradedOrder) -> str:
        """W1: the strictest of the path."""
        return max((self.states.get(key, "ACTIVE") for key in self.path(order)), key=rank)

    def refusal(self, order: TradedOrder, closable: int, quantity: int) -> str | None:
        """`closable`: the position less what other orders may close."""
        state = self.state_of(order)
        if state == "ACTIVE" or (state == "REDUCE_ONLY" and quantity <= closable):
            return None
        return f"TRADING_{state}"

    def switch(
        self, key: str, wanted: str, actor: int | None, consent: tuple[int, int] | None
    ) -> str | None:
        """W3: why the switch is not made; `consent` is who asked and the switch they named."""
        kind, _, number = key.partition(":")
        known = {"account": self.accounts, "strategy": self.accounts}
        known["symbol"] = range(1, len(self.symbols) + 1)
        if kind in known and int(number.split(":")[0]) not in known[kind]:
            return "SCOPE_UNKNOWN"
        now = self.states.get(key, "ACTIVE")
        if consent is not None and consent[1] != self.versions.get(key, 0):
            return "STATE_CHANGED_MEANWHILE"
        if rank(wanted) < rank(now):
            if consent is None:
                return "FOUR_EYES_REQUIRED"
            if actor is None or actor == consent[0]:
                return "SAME_PERSON"
        if wanted != now:
            self.states[key] = wanted
            self.versions[key] = self.versions.get(key, 0) + 1
        return None

    def canceled(
        self, key: str, orders: Iterable[Traded], lessens: Callable[[Traded], bool]
    ) -> list[Traded]:
        """W1, W2: which open orders the scope's new state ends."""
        inside = [order for order in orders if key in self.path(order)]
        if self.states[key] == "HALTED":
            return inside
        if self.states[key] == "REDUCE_ONLY":
            return [order for order in inside if not lessens(order)]
        return []

    def concerned(self, key: str, is_in: Callable[[int, str], bool]) -> list[int]:
        """W7. `is_in`: has the account an open order or a position in the symbol?"""
        kind, _, rest = key.partition(":")
        if kind == "firm":
            return list(self.accounts)
        if kind == "desk":
            return [account for account in self.accounts if self.desks.get(account) == int(rest)]
        if kind == "symbol":
            symbol = self.symbols[int(rest) - 1]
            return [account for account in self.accounts if is_in(account, symbol)]
        return [int(rest.split(":")[0])]

    def join(
        self, account: int, desk: int | None, *, has_open_orders: bool, has_positions: bool
    ) -> str | None:
        """W8."""
        if account not in self.accounts:
            return "ACCOUNT_UNKNOWN"
        before = self.desks.get(account)
        keys = [f"desk:{number}" for number in (before, desk) if number] + [f"account:{account}"]
        is_restricted = any(self.states.get(key, "ACTIVE") != "ACTIVE" for key in keys)
        is_bound = before is not None and has_positions
        if before == desk or has_open_orders or is_restricted or is_bound:
            return "DESK_NOT_JOINED"
        self.desks.pop(account, None)
        if desk is not None:
            self.desks[account] = desk
        return None


@dataclass
class LimitRules:
    """The limits that were ever set, by scope, kind and symbol; how often each was changed, and
    what it has seen: when orders took of a rate, when what came in.
    """

    values: dict[tuple[str, str, str], Fraction | None] = field(default_factory=dict)
    versions: dict[tuple[str, str, str], int] = field(default_factory=dict)
    windows: dict[tuple[str, str, str], int] = field(default_factory=dict)
    budgets: dict[tuple[str, str, str], tuple[Fraction, int]] = field(default_factory=dict)
    let_in: dict[tuple[str, str, str], list[tuple[int, object]]] = field(default_factory=dict)

    watermarks: dict[int, Any] = field(default_factory=dict)  # Any: losses.Watermark

    def forget(self, words: tuple[str, str, str]) -> None:
        self.budgets.pop(words, None)
        self.let_in.pop(words, None)


def rank(state: str) -> int:
    return STRICTNESS.index(state)


def word_for(before: str, after: str) -> str:
    """The event of a switch."""
    if rank(after) < rank(before):
        return "TradingResumed"
    return "TradingHalted" if after == "HALTED" else "TradingRestricted"
