"""The street by the rules S1, M1, M2, E2 and V5: quotes and prints, and what they fill. Part of the
slow engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orders.domain import commands
from tests.reference import bands
from tests.reference.book import STREET_TTL_NS, StreetFill
from tests.reference.state import STREET, whole

if TYPE_CHECKING:
    from tests.reference.engine import ReferenceEngine


def take_quote(engine: ReferenceEngine, command: commands.QuoteStreet, now_ns: int) -> None:
    terms = engine.find(command.symbol)
    if terms is None or engine.states[terms.symbol] == "HALTED":
        return
    told_ns = min(now_ns, now_ns if command.t_ns is None else command.t_ns)
    if now_ns - told_ns > STREET_TTL_NS:
        engine.marks.add("a quote came too late")
        return
    sides = []
    for levels in (command.bids, command.asks):
        whole_levels = [(whole(p, terms.tick), whole(q, terms.lot)) for p, q in levels]
        if any(None in level for level in whole_levels):
            engine.marks.add("a level was off the grid")
        sides.append([(p, q) for p, q in whole_levels if p is not None and q is not None])
    bids, asks = sides
    book = engine.books[terms.symbol]
    if engine.market(terms) not in ("CLOSED", "AUCTION") and bands.quote_leaves(
        engine, engine.bands, terms.symbol, bids, asks
    ):
        engine.marks.add("a quote began a pause")
        bands.interrupt(engine, engine.bands, engine.plans, terms.symbol)
        if engine.states[terms.symbol] == "HALTED":
            return
    if engine.market(terms) in ("CLOSED", "AUCTION"):
        book.show_street(bids, asks, told_ns, now_ns)
    else:
        street_fills(engine, book.set_street(bids, asks, told_ns, now_ns))


def take_print(engine: ReferenceEngine, command: commands.PrintStreetTrade, now_ns: int) -> None:
    terms = engine.find(command.symbol)
    if terms is None or engine.states[terms.symbol] == "HALTED":
        return
    told_ns = min(now_ns, now_ns if command.t_ns is None else command.t_ns)
    if now_ns - told_ns > STREET_TTL_NS:
        engine.marks.add("a print came too late")
        return
    price, lots = whole(command.price, terms.tick), whole(command.quantity, terms.lot)
    if price is None or lots is None or price <= 0 or lots <= 0:
        return
    book = engine.books[terms.symbol]
    if engine.market(terms) in ("CLOSED", "AUCTION"):
        return
    if bands.print_leaves(engine, engine.bands, terms.symbol, price, command.aggressor.value):
        engine.marks.add("a print began a pause")
        bands.interrupt(engine, engine.bands, engine.plans, terms.symbol)
        return
    if book.is_inside_street(price, now_ns):
        engine.traded(terms, price)
        engine.elections.last[terms.symbol] = (price, told_ns)  # S3
    street_fills(engine, book.street_trade(price, lots, command.aggressor.value, now_ns))


def street_fills(engine: ReferenceEngine, fills: Iterable[StreetFill]) -> None:
    """M1, M2: resting orders trade with the street at their own price."""
    for order_id, price, lots, _ in fills:
        (order,) = [order for order in engine.orders if order.id == order_id and order.is_open]
        engine.trade_position(STREET, order.terms, order.side != "BUY", price, lots)
        engine.pay(order, STREET, price, lots)
        engine.fill(order, price, lots, is_maker=True)
        engine.traded(order.terms, price)
