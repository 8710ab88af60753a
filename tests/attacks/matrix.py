"""Who gets past the door of every route: the matrix of routes and principals.

A route that stands nowhere here fails the build (tests/attacks/test_matrix.py): whoever adds one
says for whom it is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Who(StrEnum):
    """The seven who try. None of them operates or manages risk."""

    NOBODY = "nobody"
    SESSION = "a session alone"
    """Alice, signed in with her password, without a key."""
    READER = "a key that reads"
    """A key of Alice's, without a session."""
    TRADER = "another trader"
    """Charlie, with key and session; nothing of Alice's is his."""
    TENANT = "a trader of another desk"
    ANALYST = "another role"
    """Neither trades nor operates, with a session and a key that reads."""
    DISABLED = "a disabled user"
    """With the session and the key of before."""


class Door(StrEnum):
    """What a route asks for."""

    OPEN = "nothing"
    READ = "a key with read"
    TRADE = "a key with read to look, with trade to act"
    RISK = "a key with risk"
    MARKETS = "a key with read to look, with risk to act"
    SCOPES = "a key with read to look, with trade or risk to act"
    PAGE = "a session"
    TRADE_PAGE = "a session; acting takes the right to trade"
    OPERATE = "a session of somebody who operates"
    CONSOLE = "a session of somebody who may open the console"


_KEYLESS: Final = frozenset({Who.NOBODY, Who.SESSION, Who.DISABLED})
_SIGNED_OUT: Final = frozenset({Who.NOBODY, Who.READER, Who.DISABLED})
_EVERYBODY: Final = frozenset(Who)
_NO_TRADER: Final = frozenset({Who.READER, Who.ANALYST})

REFUSED: Final[Mapping[Door, tuple[frozenset[Who], frozenset[Who]]]] = {
    Door.OPEN: (frozenset(), frozenset()),
    Door.READ: (_KEYLESS, _KEYLESS),
    Door.TRADE: (_KEYLESS, _KEYLESS | _NO_TRADER),
    Door.RISK: (_EVERYBODY, _EVERYBODY),
    Door.MARKETS: (_KEYLESS, _EVERYBODY),
    Door.SCOPES: (_KEYLESS, _KEYLESS | _NO_TRADER),
    Door.PAGE: (_SIGNED_OUT, _SIGNED_OUT),
    Door.TRADE_PAGE: (_SIGNED_OUT, _SIGNED_OUT | {Who.ANALYST}),
    Door.OPERATE: (_EVERYBODY, _EVERYBODY),
    Door.CONSOLE: (_EVERYBODY, _EVERYBODY),
}
"""Who is refused at each door: by GET, and by POST."""

DOORS: Final[Mapping[Door, str]] = {
    Door.OPEN: "health-live health-ready metrics licences api-schema api-docs accounts:sign-in"
    " accounts:sign-out accounts:otp orders:home marketdata:crypto-bars marketdata:crypto-trades"
    " marketdata:crypto-quotes marketdata:crypto-snapshots marketdata:crypto-latest",
    Door.READ: "marketdata:clock marketdata:calendar marketdata:assets marketdata:asset"
    " marketdata:stock-bars marketdata:stock-trades marketdata:stock-snapshots"
    " marketdata:stock-quotes marketdata:stock-latest marketdata:stock-history"
    " marketdata:stock-symbol-latest marketdata:stock-symbol-snapshot"
    " marketdata:api-instruments marketdata:api-instrument"
    " marketdata:charts marketdata:indicators",
    Door.TRADE: "portfolio:account orders:api-orders orders:api-order orders:api-order-by-client-id"
    " orders:positions orders:position orders:configurations orders:activities"
    " orders:activities-of-type orders:portfolio-history orders:native-orders"
    " orders:native-cancel-after orders:native-order-preview orders:native-order-batch"
    " orders:native-order marketdata:api-watchlists marketdata:api-watchlist-by-name"
    " marketdata:api-watchlist marketdata:api-watchlist-item"
    " marketdata:formulas marketdata:formula",
    Door.RISK: "orders:api-queue orders:api-queue-cancel orders:api-enable-approve"
    " orders:api-enable-reject orders:api-limit-approve orders:api-limit-reject",
    Door.MARKETS: "orders:api-markets orders:api-market-state orders:api-market-bands"
    " orders:api-market-plans orders:api-market-plan-withdraw",
    Door.SCOPES: "orders:api-kill orders:api-enable orders:api-risk-state orders:api-limits"
    " orders:api-limit-raise orders:api-limit-recommended orders:api-limit-kinds",
    Door.PAGE: "orders:terminal orders:order orders:limits orders:switch orders:bars"
    " orders:indicators orders:save-formula orders:delete-formula"
    " notifications:list notifications:read notifications:read-all orders:set-limit orders:kill"
    " orders:ask-to-enable marketdata:watchlists marketdata:watchlist-create"
    " marketdata:watchlist marketdata:watchlist-change marketdata:watchlist-copy"
    " marketdata:watchlist-delete marketdata:market-calendar marketdata:instruments"
    " marketdata:instrument",
    Door.TRADE_PAGE: "orders:place orders:preview orders:cancel-all orders:change"
    " orders:preview-change orders:cancel",
    Door.OPERATE: "caches marketdata:quality orders:queue orders:operate-cancel orders:markets"
    " orders:set-market"
    " orders:recommended-limits orders:decide-limit",
}
"""The names of the routes behind each door; the console's are all behind its own."""

CONSOLE_DOORS: Final = frozenset({"admin:login", "admin:logout"})
"""The two of the console that somebody outside needs."""

MATRIX: Final[Mapping[str, Door]] = {
    name: door for door, names in DOORS.items() for name in names.split()
}


def door_of(name: str) -> Door | None:
    """The door before a route; None for a route that stands nowhere."""
    if name in CONSOLE_DOORS:
        return Door.OPEN
    return Door.CONSOLE if name.startswith("admin:") else MATRIX.get(name)
