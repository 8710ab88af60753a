"""What a trading state or a limit binds: the firm, a desk, an account, a strategy of it, a symbol.

A scope travels in commands and is stored by its key, such as "account:17" (docs/risk.md).
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from core.domain.words import Word

MAX_TAG_LENGTH: Final = 32
_TAG: Final = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)


class ScopeKind(Word):
    FIRM = "firm"
    DESK = "desk"
    ACCOUNT = "account"
    STRATEGY = "strategy"
    SYMBOL = "symbol"


class Scope(NamedTuple):
    """`number` is the id of the desk, of the account (also a strategy's), or of the instrument."""

    kind: ScopeKind
    number: int = 0
    tag: str = ""

    @property
    def key(self) -> str:
        """The scope as it is stored: "firm", "desk:3", "strategy:17:momentum"."""
        if self.kind is ScopeKind.FIRM:
            return self.kind.value
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.kind.value}:{self.number}{tag}"


FIRM: Final = Scope(ScopeKind.FIRM)


def is_strategy_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


def read_scope(key: str) -> Scope:
    """The scope behind a key; ValueError for what is none."""
    kind, _, rest = key.partition(":")
    number, _, tag = rest.partition(":")
    scope = Scope(ScopeKind(kind), int(number or 0), tag)
    check_scope(scope)
    return scope


def check_scope(scope: Scope) -> None:
    """ValueError unless the scope has exactly the parts of its kind."""
    if (scope.number > 0) != (scope.kind is not ScopeKind.FIRM):
        raise ValueError("a scope other than the firm has a number")
    if bool(scope.tag) != (scope.kind is ScopeKind.STRATEGY):
        raise ValueError("a strategy, and nothing else, has a tag")
    if scope.tag and not is_strategy_tag(scope.tag):
        raise ValueError("a tag is 1 to 32 of a-z, 0-9 and -")


def path_of(
    desk_id: int | None, account_id: int, strategy: str | None, instrument_id: int
) -> Iterator[Scope]:
    """The scopes that an order passes through, widest first."""
    yield FIRM
    if desk_id is not None:
        yield Scope(ScopeKind.DESK, desk_id)
    yield Scope(ScopeKind.ACCOUNT, account_id)
    if strategy is not None:
        yield Scope(ScopeKind.STRATEGY, account_id, strategy)
    yield Scope(ScopeKind.SYMBOL, instrument_id)
