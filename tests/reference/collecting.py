"""When auctions are held and what becomes of their orders: X7, X8 of docs/market-states.md. At
which price is in tests/reference/auction.py. Part of the slow engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reference.auction import closing_due, has_ended, opening_due, own_crossings, uncross
from tests.reference.book import OPPOSITE
from tests.reference.state import STREET, Order, Terms

if TYPE_CHECKING:
    from tests.reference.engine import ReferenceEngine


def hold_auctions(engine: ReferenceEngine, now_ns: int) -> None:
    """X8: what is due is held before anything else."""
    if not any(order.status == "QUEUED" for order in engine.orders):
        return
    for terms in engine.terms:
        for due in (closing_due(engine, terms), opening_due(engine, terms)):
            for order in [order for order in due if has_ended(order, now_ns)]:
                engine.end_by_time(order)
            queued = [order for order in due if order.is_open]
            if queued:
                hold_auction(engine, terms, queued, now_ns)


def hold_auction(engine: ReferenceEngine, terms: Terms, queued: list[Order], now_ns: int) -> None:
    """X5 to X7: who may not, at what price, who with whom, and what becomes of the rest."""
    for order in own_crossings(engine, terms, queued):
        engine.end(order, "SELF_TRADE")
    times = {order.id: order.time for order in engine.orders}
    for buy, sell, price, lots in uncross(engine, terms, queued):
        pair = sorted([item for item in (buy, sell) if item], key=lambda item: times[item.id])
        taker, book = pair[-1], engine.books[terms.symbol]
        engine.auction_sides.append(len(pair))
        if len(pair) == 1:
            book.auction_street(OPPOSITE[taker.side], lots, now_ns)
            engine.trade_position(STREET, terms, taker.side != "BUY", price, lots)
        engine.pay(taker, pair[0].account if len(pair) == 2 else STREET, price, lots)
        for order in pair:
            book.auction_fill(order.id, lots, now_ns)
            engine.fill(order, price, lots, is_maker=order is not taker)
        engine.traded(terms, price, is_auction=True)
    for order in [order for order in queued if order.is_open]:
        go_on(engine, order, now_ns)


def go_on(engine: ReferenceEngine, order: Order, now_ns: int) -> None:
    if order.time_in_force in ("OPG", "CLS"):
        engine.end(order, f"{order.time_in_force}_REMAINDER")
    elif order.is_market:
        engine.end(order, "LIQUIDITY_EXHAUSTED")
    else:
        if order.status == "QUEUED":
            order.status = "ACCEPTED"
            engine.tell("OrderReleased", order)
        order.time = engine.next_time()
        engine.enter(order, now_ns)
