"""Auctions by the rules X4 to X8 of docs/market-states.md: every price is tried."""

from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from tests.reference.book import limit_reaches
from tests.reference.lifetime import MINUTE_NS
from tests.reference.state import Order, ReferenceState, Refused, Terms

Trade = tuple[Order | None, Order | None, int, int]  # buyer, seller (None: the street), price, lots


class Wish(NamedTuple):
    """A user's order, or what the street shows at a price (`order` None)."""

    order: Order | None
    side: str
    limit: int
    lots: int


def waits_for_auction(state: ReferenceState, order: Order) -> bool:
    """X4: what joins the queue."""
    if order.time_in_force in ("OPG", "CLS"):
        return True
    return order.stop is None and state.market(order.terms) in ("CLOSED", "AUCTION")


def reference(state: ReferenceState, terms: Terms) -> int | None:
    """X5: the last trade, else the middle of the street."""
    if terms.symbol in state.elections.last:
        return state.elections.last[terms.symbol][0]
    book = state.books[terms.symbol]
    bids, asks = book.street("BUY", state.now_ns), book.street("SELL", state.now_ns)
    return floor(Fraction(max(bids) + min(asks), 2)) if bids and asks else None


def auction_limit(state: ReferenceState, order: Order) -> int:
    """X4: the worst price of a market order that waits."""
    price = reference(state, order.terms)
    if price is None:
        raise Refused("LIQUIDITY_NONE")
    band = order.terms.band_bps
    if order.side == "BUY":
        return floor(price * Fraction(10_000 + band, 10_000))
    return max(1, ceil(price * Fraction(10_000 - band, 10_000)))


def price_for_auction(state: ReferenceState, order: Order) -> bool:
    """X4: whether the order waits for an auction; a market order is then given its limit."""
    waits = waits_for_auction(state, order)
    if waits and order.is_market:
        order.limit = auction_limit(state, order)
    return waits


def has_ended(order: Order, now_ns: int) -> bool:
    return order.expires_ns is not None and order.expires_ns <= now_ns


def closing_due(state: ReferenceState, terms: Terms) -> list[Order]:
    """X8: CLS orders whose close has come, a minute ago at the most."""
    if state.states[terms.symbol] in ("HALTED", "CANCEL_ONLY"):
        return []
    return [
        order
        for order in _queued(state, terms)
        if order.time_in_force == "CLS"
        and order.expires_ns is not None
        and order.expires_ns - MINUTE_NS <= state.now_ns < order.expires_ns
    ]


def opening_due(state: ReferenceState, terms: Terms) -> list[Order]:
    """X8: all others that wait, once the market trades."""
    if state.market(terms) not in ("OPEN", "POST_ONLY"):
        return []
    return [order for order in _queued(state, terms) if order.time_in_force != "CLS"]


def _queued(state: ReferenceState, terms: Terms) -> list[Order]:
    found = [order for order in state.orders if order.terms is terms and order.status == "QUEUED"]
    return sorted(found, key=lambda order: order.time)


def _takers_part(state: ReferenceState, terms: Terms, queued: list[Order]) -> list[Order]:
    """What rests and what is queued, in time order."""
    ids = [row[0] for row in state.books[terms.symbol].resting()]
    resting = [order for order in state.orders if order.id in ids and order.is_open]
    waiting = [order for order in queued if order.is_open]
    return sorted([*resting, *waiting], key=lambda order: order.time)


def own_crossings(state: ReferenceState, terms: Terms, queued: list[Order]) -> list[Order]:
    """X6: each order that could trade with an earlier one of its owner that is still in."""
    kept: list[Order] = []
    crossing: list[Order] = []
    for order in _takers_part(state, terms, queued):
        meets = any(
            state.owner(other.account) == state.owner(order.account)
            and other.side != order.side
            and limit_reaches(order.side, order.limit, other.limit or 0)
            for other in kept
        )
        (crossing if meets else kept).append(order)
    return crossing


def uncross(state: ReferenceState, terms: Terms, queued: list[Order]) -> list[Trade]:
    """X5, X7: every price from the lowest limit to the highest is tried."""
    wishes = [
        Wish(order, order.side, order.limit, order.leaves)
        for order in _takers_part(state, terms, queued)
        if order.limit is not None
    ]
    for side in ("BUY", "SELL"):
        shown = state.books[terms.symbol].street(side, state.now_ns)
        wishes += [Wish(None, side, price, lots) for price, lots in shown.items()]
    limits, near = [wish.limit for wish in wishes], reference(state, terms)
    limits += [] if near is None else [near]
    prices = range(max(1, min(limits) - 1), max(limits) + 2) if limits else range(0)
    ranked = sorted((_merit(wishes, price, near), price) for price in prices)
    if not ranked or not ranked[0][0][0]:
        return []
    return _pairs(wishes, ranked[0][1], -ranked[0][0][0])


def _lots(wishes: list[Wish], side: str, price: int) -> int:
    return sum(wish.lots for wish in _willing(wishes, side, price))


def _willing(wishes: list[Wish], side: str, price: int) -> list[Wish]:
    return [wish for wish in wishes if wish.side == side and limit_reaches(side, wish.limit, price)]


def _merit(wishes: list[Wish], price: int, near: int | None) -> tuple[int, int, int]:
    """Most quantity, least imbalance, nearest to the reference; then the lower price wins."""
    wanted, offered = _lots(wishes, "BUY", price), _lots(wishes, "SELL", price)
    away = 0 if near is None else abs(price - near)
    return (-min(wanted, offered), abs(wanted - offered), away)


def _pairs(wishes: list[Wish], price: int, total: int) -> list[Trade]:
    """One lot after another, runs of the same two put together."""
    lines = []
    for side in ("BUY", "SELL"):
        line = _in_order(_willing(wishes, side, price), side)
        lots = [wish.order for wish in line for _ in range(wish.lots)]
        lines.append(lots[:total])
    trades: list[Trade] = []
    for buyer, seller in zip(*lines, strict=True):
        if trades and trades[-1][0] is buyer and trades[-1][1] is seller:
            trades[-1] = (buyer, seller, price, trades[-1][3] + 1)
        else:
            trades.append((buyer, seller, price, 1))
    return trades


def _in_order(wishes: list[Wish], side: str) -> list[Wish]:
    """Market orders first, by time; then by price; at one price users by time, then the street."""
    market = [wish for wish in wishes if wish.order is not None and wish.order.is_market]
    others = [wish for wish in wishes if wish not in market]
    ordered: list[Wish] = []
    for limit in sorted({wish.limit for wish in others}, reverse=side == "BUY"):
        at_limit = [wish for wish in others if wish.limit == limit]
        ordered += [wish for wish in at_limit if wish.order is not None]
        ordered += [wish for wish in at_limit if wish.order is None]
    return market + ordered
