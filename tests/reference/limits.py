"""Limits by the rules M1 to M6 of docs/risk.md, all added up anew. Part of the slow engine.

A limit is known by its words: ("account:3", "EXPOSURE", "AAPL" or nothing).
"""

from collections.abc import Callable
from fractions import Fraction

from risk.domain.commands import SetLimit
from tests.reference.book import STREET_TTL_NS
from tests.reference.losses import KINDS as OF_LOSSES
from tests.reference.losses import begin_anew
from tests.reference.margin import mark, up
from tests.reference.margin import value as worth
from tests.reference.restricting import closable
from tests.reference.state import Order, ReferenceState, Refused

KINDS = [
    "RESTRICTED",
    "ORDER_QUANTITY",
    "ORDER_VALUE",
    "OPEN_ORDERS",
    "POSITION",
    "EXPOSURE",
    "LEVERAGE",
    "PRICE_COLLAR",
]
WHOLE = ("RESTRICTED", "OPEN_ORDERS", "ORDER_RATE", "REPEATED_ORDERS")
PACED = ("ORDER_RATE", "REPEATED_ORDERS")
UNIT = Fraction(1, 10**8)


def set_limit(state: ReferenceState, command: SetLimit) -> object:
    """M1 and M2: what the command must be answered."""
    words = _words(state, command)
    wanted = None if command.value is None else command.value * UNIT
    window = 0 if wanted is None else command.window_seconds
    if wanted is not None and not _can_be(words[1], wanted, window):
        raise Refused("LIMIT_INVALID")
    rules, consent = state.limits, command.consent
    before, version = rules.values.get(words), rules.versions.get(words, 0)
    if consent is not None and consent.version != version:
        raise Refused("STATE_CHANGED_MEANWHILE")
    window_before = rules.windows.get(words, 0)
    if (wanted, window) == (before, window_before):
        return ("LIMIT", version)
    is_looser = before is not None and (wanted is None or wanted > before or window < window_before)
    if is_looser and consent is None:
        raise Refused("FOUR_EYES_REQUIRED")
    if is_looser and consent is not None and command.actor_id in (None, consent.asked_by_id):
        raise Refused("SAME_PERSON")
    begin_anew(state, words)
    rules.values[words], rules.versions[words] = wanted, version + 1
    rules.windows[words] = window
    rules.forget(words)
    state.marks.add("a limit was raised" if is_looser else "a limit was lowered")
    return ("LIMIT", version + 1)


def _can_be(kind: str, wanted: Fraction, window: int) -> bool:
    if wanted > 10**10 or (kind in WHOLE and wanted % 1):
        return False
    if kind == "RESTRICTED" and wanted > 1:
        return False
    return 1 <= window <= 3600 if kind in PACED else window == 0


def _words(state: ReferenceState, command: SetLimit) -> tuple[str, str, str]:
    """Which limit it is, if there can be such a one."""
    scope, kind = command.scope.key, command.kind.value
    symbols = [terms.symbol for terms in state.terms]
    where, _, rest = scope.partition(":")
    if where in ("account", "strategy") and int(rest.split(":")[0]) not in state.cash_accounts:
        raise Refused("SCOPE_UNKNOWN")
    if where == "symbol" and not 1 <= int(rest) <= len(symbols):
        raise Refused("SCOPE_UNKNOWN")
    if command.instrument_id > len(symbols):
        raise Refused("SCOPE_UNKNOWN")
    if where == "strategy" and kind in (*OF_LOSSES, "POSITION", "EXPOSURE", "LEVERAGE"):
        raise Refused("LIMIT_INVALID")
    if kind in (*OF_LOSSES, "LEVERAGE") and (where == "symbol" or command.instrument_id):
        raise Refused("LIMIT_INVALID")
    if kind == "RESTRICTED" and where != "symbol" and not command.instrument_id:
        raise Refused("LIMIT_INVALID")
    if where == "symbol" and command.instrument_id:
        raise Refused("LIMIT_INVALID")
    return (scope, kind, symbols[command.instrument_id - 1] if command.instrument_id else "")


def check_limits(state: ReferenceState, order: Order, value: Fraction) -> None:
    """M3 for a new order, the one that it replaces gone already."""
    measures: dict[str, Callable[[str, str], Fraction]] = {
        "RESTRICTED": lambda scope, symbol: _dealing(state, order),
        "LEVERAGE": lambda scope, symbol: _leverage(state, order, value),
        "PRICE_COLLAR": lambda scope, symbol: _distance(state, order),
        "ORDER_QUANTITY": lambda scope, symbol: order.quantity * order.terms.lot,
        "ORDER_VALUE": lambda scope, symbol: value,
        "OPEN_ORDERS": lambda scope, symbol: _open_orders(state, order, scope, symbol),
        "POSITION": lambda scope, symbol: _lots(state, order, scope) * order.terms.lot,
        "EXPOSURE": lambda scope, symbol: _exposure(state, order, value, scope, symbol),
    }
    for kind in KINDS:
        for (scope, of_kind, symbol), limit in state.limits.values.items():
            is_met = of_kind == kind and symbol in ("", order.symbol)
            if limit is None or not is_met or scope not in state.trading.path(order):
                continue
            if kind in ("POSITION", "EXPOSURE", "LEVERAGE") and not _own(state, order):
                continue
            if measures[kind](scope, symbol) > limit:
                raise Refused(f"LIMIT_{kind}")
    _check_reference(state, order)


def binding(state: ReferenceState, order: Order, kind: str) -> list[tuple[str, str, str]]:
    """The limits of this kind that are in force on the order's path."""
    return [
        (scope, of_kind, symbol)
        for (scope, of_kind, symbol), limit in state.limits.values.items()
        if of_kind == kind
        and limit is not None
        and symbol in ("", order.symbol)
        and scope in state.trading.path(order)
    ]


def _dealing(state: ReferenceState, order: Order) -> Fraction:
    return Fraction(1 if order.quantity <= closable(state, order) else 2)


def _leverage(state: ReferenceState, order: Order, value: Fraction) -> Fraction:
    """M7."""
    account = order.account
    equity = state.cash[account] + sum(worth(state, account, terms) for terms in state.terms)
    if equity <= 0:
        return Fraction(10**20)
    return _exposure(state, order, value, f"account:{account}", "") / equity


def _reference(state: ReferenceState, order: Order) -> Fraction | str:
    """M8: the price, or why there is none."""
    book, symbol = state.books[order.symbol], order.symbol
    bids, asks = (list(book._displayed(side, state.now_ns)) for side in ("BUY", "SELL"))
    if bids and asks:
        bid, ask = (book.best(side, state.now_ns) for side in ("BUY", "SELL"))
        is_crossed = bid is not None and ask is not None and bid >= ask
        return "CROSSED" if is_crossed else Fraction(bids[0] + asks[0], 2)
    last = state.elections.last.get(symbol)
    if last is None:
        return "MISSING"
    return "STALE" if state.now_ns - last[1] > STREET_TTL_NS else Fraction(last[0])


def _distance(state: ReferenceState, order: Order) -> Fraction:
    reference = _reference(state, order)
    if isinstance(reference, str) or order.limit is None or order.is_market or order.waits:
        return Fraction(0)
    worse = order.limit - reference if order.side == "BUY" else reference - order.limit
    return worse / reference * 10_000


def _check_reference(state: ReferenceState, order: Order) -> None:
    reference = _reference(state, order)
    if order.waits or not isinstance(reference, str):
        return
    if binding(state, order, "PRICE_COLLAR"):
        raise Refused(f"REFERENCE_{reference}")


def _open_orders(state: ReferenceState, order: Order, scope: str, symbol: str) -> Fraction:
    """M4."""
    others = [
        other
        for other in (*state.orders, *state.judged_beside)
        if other.is_open and scope in state.trading.path(other) and symbol in ("", other.symbol)
    ]
    return Fraction(len(others) + 1)


def _own(state: ReferenceState, order: Order) -> int:
    """M5 of the order's own account, in the direction of the order; 0: it only lessens."""
    buys, sells = _working(state, order.account, order.symbol)
    lots = state.holding(order.account, order.symbol).lots
    end = lots + buys + order.quantity if order.side == "BUY" else sells + order.quantity - lots
    return max(end, 0)


def _working(state: ReferenceState, account: int, symbol: str) -> tuple[int, int]:
    orders = [
        order
        for order in (*state.orders, *state.judged_beside)
        if order.is_open and (order.account, order.symbol) == (account, symbol)
    ]
    return (
        sum(order.leaves for order in orders if order.side == "BUY"),
        sum(order.leaves for order in orders if order.side == "SELL"),
    )


def _lots(state: ReferenceState, order: Order, scope: str) -> int:
    """M5 of the scope in the order's symbol."""
    others = [account for account in _accounts(state, scope) if account != order.account]
    return _own(state, order) + sum(_worst(state, account, order.symbol) for account in others)


def _worst(state: ReferenceState, account: int, symbol: str) -> int:
    buys, sells = _working(state, account, symbol)
    lots = state.holding(account, symbol).lots
    return max(abs(lots + buys), abs(lots - sells))


def _accounts(state: ReferenceState, scope: str) -> list[int]:
    kind, _, rest = scope.partition(":")
    if kind == "desk":
        return [one for one in state.cash_accounts if state.trading.desks.get(one) == int(rest)]
    if kind == "account":
        return [int(rest)]
    return list(state.cash_accounts)


def _exposure(
    state: ReferenceState, order: Order, value: Fraction, scope: str, symbol: str
) -> Fraction:
    """M6."""
    own_lots = _lots(state, order, scope)
    own_mark = mark(state, order.terms)
    if own_mark is None:
        total = up(own_lots * value / order.quantity)
    else:
        total = up(own_lots * own_mark * order.terms.lot)
    if symbol or scope.startswith("symbol:"):
        return total
    for terms in state.terms:
        price = mark(state, terms)
        if terms is not order.terms and price is not None:
            lots = sum(_worst(state, one, terms.symbol) for one in _accounts(state, scope))
            total += up(lots * price * terms.lot)
    return total
