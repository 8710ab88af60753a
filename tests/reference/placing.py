"""What becomes of an incoming order (O1, F1-F4), in terms of a book's own operations.

The engine does the same with money and durability around it; here it is the bare rule, so that the
scenarios and the random runs submit orders the way the engine does.
"""

from dataclasses import dataclass
from uuid import UUID

from tests.reference.book import TakerFill
from tests.reference.books import PlainBook


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order on its way in. `limit_price` None is a market order."""

    order_id: UUID
    account_id: int
    side: str
    quantity: int
    limit_price: int | None = None
    time_in_force: str = "GTC"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened: the fills, what rests now, and why the remainder (if any) does not."""

    fills: tuple[TakerFill, ...] = ()
    resting: int = 0
    reason: str | None = None


def place(book: PlainBook, order: Incoming, now_ns: int) -> Outcome:
    """Submit an order to the book: refuse, take, then rest or cancel the remainder."""
    side, limit = order.side, order.limit_price
    if book.would_self_trade(order.account_id, side, limit):  # O1
        return Outcome(reason="SELF_TRADE")
    takeable, _ = book.takeable(side, limit, order.quantity, now_ns)
    if order.time_in_force == "FOK" and takeable < order.quantity:  # F4
        return Outcome(reason="FOK_UNFILLABLE")
    fills = tuple(book.take(side, limit, order.quantity, now_ns))
    leaves = order.quantity - sum(fill[3] for fill in fills)
    if leaves == 0:
        return Outcome(fills)
    if limit is None:  # F1
        return Outcome(fills, reason="LIQUIDITY_EXHAUSTED")
    if order.time_in_force == "IOC":  # F3
        return Outcome(fills, reason="IOC_REMAINDER")
    book.rest(order.order_id, order.account_id, side, limit, leaves, now_ns)  # F2
    return Outcome(fills, resting=leaves)
