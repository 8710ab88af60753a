"""Whether the slow engine takes an order: its terms first, then whether it may pass.

Raises the first reason against it; the order in which the reasons are looked at is part of the
rules.
"""

from decimal import Decimal
from fractions import Fraction

from orders.domain import commands
from tests.reference.auction import waits_for_auction
from tests.reference.book import OPPOSITE, limit_reaches
from tests.reference.lifetime import check_end
from tests.reference.limits import check_limits
from tests.reference.margin import why_not
from tests.reference.placing import Incoming, collar, could_take
from tests.reference.restricting import check_restriction, closable
from tests.reference.state import Order, ReferenceState, Refused, Terms, whole, with_fee
from tests.reference.trailing import check_trail


def check_terms(state: ReferenceState, command: commands.SubmitOrder) -> Terms:
    """The instrument, once account, symbol, quantity and price are such as it takes."""
    if command.account_id not in state.cash_accounts:
        raise Refused("ACCOUNT_UNKNOWN")
    terms = state.find(command.symbol)
    if terms is None:
        raise Refused("INSTRUMENT_UNKNOWN")
    if command.account_id in state.suspended and command.submitted_by_id:  # nobody's is forced: L13
        raise Refused("TRADING_SUSPENDED")
    named = command.session_id
    if named is not None and state.sessions.get(named) != command.account_id:  # N2
        raise Refused("SESSION_ENDED")
    if command.notional is None:
        if not 0 < command.quantity <= 100_000_000:
            raise Refused("QUANTITY_OUT_OF_RANGE")
        if whole(command.quantity, terms.lot) is None:
            raise Refused("QUANTITY_OFF_LOT")
    else:
        _check_notional(command)
    kind = command.type.value
    _check_price(command.limit_price, terms, "PRICE", is_due=kind in ("LIMIT", "STOP_LIMIT"))
    _check_stop(command, terms)
    if command.post_only and (kind != "LIMIT" or command.time_in_force.value not in ("DAY", "GTC")):
        raise Refused("POST_ONLY_NOT_ALLOWED")
    _check_display(command, terms)
    check_end(state, command, terms)
    return terms


def _check_notional(command: commands.SubmitOrder) -> None:
    """V1."""
    is_auctions = command.time_in_force.value in ("OPG", "CLS")
    if command.type.value != "MARKET" or is_auctions or command.quantity:
        raise Refused("NOTIONAL_NOT_ALLOWED")
    notional = Fraction(command.notional or 0)
    if not 0 < notional <= 1_000_000_000 or notional % Fraction(1, 10**8):
        raise Refused("NOTIONAL_OUT_OF_RANGE")


def size(state: ReferenceState, order: Order) -> None:
    """V2: lot by lot, as long as the value allows and somebody is there."""
    if order.asked.notional is None:
        return
    if waits_for_auction(state, order):
        raise Refused("NOTIONAL_NOT_ALLOWED")
    check_seen(state, order)
    terms, book = order.terms, state.books[order.terms.symbol]
    worst = collar(book, order.side, terms.band_bps, state.now_ns)
    order.quantity, last = 1, 0
    while True:
        takeable, paid = could_take(book, incoming(state, order), worst, state.now_ns)
        if takeable == 0:
            raise Refused("LIQUIDITY_NONE")
        if paid * terms.tick * terms.lot > Fraction(order.asked.notional) or takeable == last:
            break
        last, order.quantity = takeable, takeable + 1
    if last == 0:
        raise Refused("NOTIONAL_TOO_SMALL")
    order.quantity = last


def _check_display(command: commands.SubmitOrder, terms: Terms) -> None:
    """I1."""
    display = command.display_quantity
    if display is None:
        return
    is_plain = command.type.value == "LIMIT" and command.group is None
    if not is_plain or command.time_in_force.value not in ("DAY", "GTC", "GTD"):
        raise Refused("DISPLAY_NOT_ALLOWED")
    if whole(display, terms.lot) is None or not command.quantity <= display * 20 <= (
        command.quantity * 20
    ):
        raise Refused("DISPLAY_OUT_OF_RANGE")


def _check_stop(command: commands.SubmitOrder, terms: Terms) -> None:
    kind = command.type.value
    is_stop, is_trailing = kind in ("STOP", "STOP_LIMIT"), kind == "TRAILING_STOP"
    has_trail = command.trail_price is not None or command.trail_percent is not None
    if has_trail and not is_trailing:
        raise Refused("TRAIL_NOT_ALLOWED")
    if is_stop and command.stop_price is None:
        raise Refused("STOP_PRICE_REQUIRED")
    is_waiting = is_stop or is_trailing
    if is_waiting and command.time_in_force.value not in ("DAY", "GTC", "GTD"):
        raise Refused("TIF_NOT_ALLOWED")
    if is_trailing:
        check_trail(command, terms)
    else:
        _check_price(command.stop_price, terms, "STOP_PRICE", is_due=is_stop)


def _check_price(price: Decimal | None, terms: Terms, reason: str, *, is_due: bool) -> None:
    """A price that the order's type asks for must be there and on the grid; another must not."""
    if not is_due:
        if price is not None:
            raise Refused(f"{reason}_NOT_ALLOWED")
        return
    if price is None:
        raise Refused(f"{reason}_REQUIRED")
    if not 0 < price <= 10_000_000:
        raise Refused(f"{reason}_OUT_OF_RANGE")
    if whole(price, terms.tick) is None:
        raise Refused(f"{reason}_OFF_TICK")


def is_blind(state: ReferenceState, terms: Terms) -> bool:
    """M17: it follows a feed that tells nothing now."""
    return terms.follows_feed and state.books[terms.symbol].is_silent(state.now_ns)


def held_back(state: ReferenceState, order: Order) -> bool:
    """E9: it was elected, and would sell at any price where nobody knows one."""
    if order.limit is not None or order.side == "BUY" or not is_blind(state, order.terms):
        return False
    state.marks.add("a stop waited for a fresh price")
    return True


def check_seen(state: ReferenceState, order: Order) -> None:
    """M17."""
    if is_blind(state, order.terms):
        state.marks.add("a market order would have traded blind")
        is_known = state.books[order.terms.symbol].has_been_quoted
        raise Refused("REFERENCE_STALE" if is_known else "REFERENCE_MISSING")


def check_passage(
    state: ReferenceState, order: Order, now_ns: int, *, forced: bool = False
) -> None:
    """Trading states, market, stop price, value, own orders, means: in this order."""
    check_restriction(state, order)
    _account, side, terms = order.account, order.side, order.terms
    quantity, limit, book = order.quantity, order.limit, state.books[terms.symbol]
    _check_market(state, order, now_ns)
    paid = quantity * (limit or order.stop or 0)
    if limit is None and order.stop is None:
        if not forced:
            check_seen(state, order)
        worst = collar(book, side, terms.band_bps, now_ns)
        takeable, paid = could_take(book, incoming(state, order), worst, now_ns)
        if takeable == 0:
            raise Refused("LIQUIDITY_NONE")
    value = paid * terms.tick * terms.lot
    if value > 1_000_000_000:
        raise Refused("NOTIONAL_ABOVE_MAXIMUM")
    if value < terms.smallest_value:
        raise Refused("NOTIONAL_BELOW_MINIMUM")
    if not order.waits:
        _check_proceeds(state, order, now_ns)
    check_limits(state, order, value)
    _check_entry(state, order, now_ns)
    if order.asked.reduce_only and order.quantity > closable(state, order):
        raise Refused("REDUCE_ONLY_EXCEEDS")
    _check_means(state, order, value)


def _check_means(state: ReferenceState, order: Order, value: Fraction) -> None:
    account, side, terms = order.account, order.side, order.terms
    if state.margin.is_on(account):
        reason = why_not(state, order, value)
        if reason is not None:
            raise Refused(reason)
        return
    if side == "BUY" and with_fee(order, value) > state.cash[account] - state.locked_cash(account):
        raise Refused("FUNDS_INSUFFICIENT")
    free = state.holding(account, terms.symbol).lots - state.locked_lots(account, terms.symbol)
    if side == "SELL" and order.quantity > free:
        raise Refused("POSITION_INSUFFICIENT")


def incoming(state: ReferenceState, order: Order) -> Incoming:
    """The order as a book meets it."""
    return Incoming(
        order.id,
        state.owner(order.account),
        order.side,
        order.leaves,
        order.limit,
        order.time_in_force,
        order.terms.band_bps,
        order.stp_mode,
        order.display,
    )


def _check_entry(state: ReferenceState, order: Order, now_ns: int) -> None:
    """What it would meet when it enters: anybody (P1), an own order (O1)."""
    if order.waits:
        return
    if order.asked.post_only and not _rests(state, order, now_ns):
        raise Refused("POST_ONLY_WOULD_TAKE")
    book, owner = state.books[order.terms.symbol], state.owner(order.account)
    is_rejecting = order.stp_mode == "REJECT"
    if is_rejecting and book.would_self_trade(owner, order.side, order.limit):
        raise Refused("SELF_TRADE")


def _check_market(state: ReferenceState, order: Order, now_ns: int) -> None:
    market, is_set = state.market(order.terms), state.states[order.terms.symbol]
    if is_set in ("HALTED", "CANCEL_ONLY"):
        raise Refused(f"INSTRUMENT_{is_set}")
    is_now = order.time_in_force in ("IOC", "FOK") or order.asked.post_only
    if market in ("CLOSED", "AUCTION") and is_now:
        raise Refused("MARKET_CLOSED" if market == "CLOSED" else "INSTRUMENT_AUCTION")
    if market in ("CLOSED", "AUCTION") and order.elected:  # X9
        raise Refused("MARKET_CLOSED" if market == "CLOSED" else "INSTRUMENT_AUCTION")
    is_plain = not order.waits and order.time_in_force not in ("OPG", "CLS")
    if market == "POST_ONLY" and is_plain and not _rests(state, order, now_ns):
        raise Refused("INSTRUMENT_POST_ONLY")
    if order.waits and state.elections.has_passed(order.terms.symbol, order, now_ns):
        raise Refused("STOP_PRICE_PASSED")


def _rests(state: ReferenceState, order: Order, now_ns: int) -> bool:
    """X1: a limit order that would do nothing now but rest."""
    if order.limit is None or order.time_in_force not in ("GTC", "DAY", "GTD"):
        return False
    best = state.books[order.terms.symbol].best(OPPOSITE[order.side], now_ns)
    return best is None or not limit_reaches(order.side, order.limit, best)


def _check_proceeds(state: ReferenceState, order: Order, now_ns: int) -> None:
    """What a sell would bring: the bids it reaches, and its limit for what is left."""
    if order.side == "BUY" or order.limit is None:
        return
    terms, quantity, limit = order.terms, order.quantity, order.limit
    book = state.books[terms.symbol]
    takeable, paid = could_take(book, incoming(state, order), limit, now_ns)
    if (paid + (quantity - takeable) * limit) * terms.tick * terms.lot > 1_000_000_000:
        raise Refused("NOTIONAL_ABOVE_MAXIMUM")
