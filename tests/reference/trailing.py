"""Trailing stops by the rules G1, G2 and G5 of docs/matching.md. Part of the slow engine."""

from fractions import Fraction

from orders.domain import commands
from tests.reference.state import Order, ReferenceState, Refused, Terms, whole
from tests.reference.stops import STREET_TTL_NS, protection, trailing_stop


def check_trail(command: commands.SubmitOrder, terms: Terms) -> None:
    """G2: one distance, and no stop price."""
    if command.stop_price is not None:
        raise Refused("STOP_PRICE_NOT_ALLOWED")
    price, percent = command.trail_price, command.trail_percent
    if (price is None) == (percent is None):
        raise Refused("TRAIL_REQUIRED")
    if price is not None and (not 0 < price <= 10_000_000 or whole(price, terms.tick) is None):
        raise Refused("TRAIL_PRICE_INVALID")
    if percent is not None and (not 0 < percent < 100 or (Fraction(percent) * 10_000) % 1):
        raise Refused("TRAIL_PERCENT_INVALID")


def follow(state: ReferenceState, order: Order, mark: int | None = None) -> None:
    """G1, G5: the mark begins, at the market unless it is told; G2: and the stop price with it."""
    asked, terms = order.asked, order.terms
    if asked.type.value != "TRAILING_STOP":
        return
    if asked.trail_price is not None:
        order.trail = Fraction(asked.trail_price) / terms.tick
    if asked.trail_percent is not None:
        order.trail = Fraction(asked.trail_percent) / 100
    order.mark = _market(state, order) if mark is None else mark
    if order.mark is None:
        raise Refused("TRAIL_REFERENCE_NONE")
    order.stop = trailing_stop(order)
    if not 0 < order.stop * terms.tick <= 10_000_000:
        raise Refused("TRAIL_OUT_OF_RANGE")
    if order.side == "BUY":
        order.limit = protection(order.stop, terms.tick)


def _market(state: ReferenceState, order: Order) -> int | None:
    symbol = order.terms.symbol
    last = state.elections.last.get(symbol)
    if last is not None and state.now_ns - last[1] <= STREET_TTL_NS:
        return last[0]
    book = state.books[symbol]
    bids, asks = book.street("BUY", state.now_ns), book.street("SELL", state.now_ns)
    if bids and asks:
        both = max(bids) + min(asks)
        return both // 2 if order.side == "SELL" else (both + 1) // 2
    return None if last is None else last[0]
