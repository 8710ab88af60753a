"""Both books behind one plain interface, so that every scenario and every random step meets both.

`FastBook` only translates between the plain values of the oracle and the values of the fast book.
"""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from orders.domain.matching.book import Book, Fill
from orders.domain.matching.street import StreetQuote
from orders.domain.values import Side
from tests.reference.book import Level, ReferenceBook, RestingRow, StreetFill, TakerFill


class PlainBook(Protocol):
    """What both books promise: docs/matching.md, in plain values."""

    def best(self, side: str, now_ns: int) -> int | None: ...

    def depth(self, side: str, levels: int, now_ns: int) -> list[Level]: ...

    def resting(self) -> list[RestingRow]: ...

    def would_self_trade(self, owner_id: int, side: str, limit_price: int | None) -> bool: ...

    def takeable(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]: ...

    def take(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> list[TakerFill]: ...

    def take_to_own(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int, owner_id: int
    ) -> tuple[list[TakerFill], UUID | None]: ...

    def takeable_beside_own(
        self,
        side: str,
        limit_price: int | None,
        quantity: int,
        now_ns: int,
        owner_id: int,
        is_end: bool,
    ) -> tuple[int, int]: ...

    def rest(
        self, order_id: UUID, owner_id: int, side: str, price: int, quantity: int, now_ns: int
    ) -> None: ...

    def restore(
        self, order_id: UUID, owner_id: int, side: str, price: int, quantity: int
    ) -> None: ...

    def hide(self, order_id: UUID, display: int, shown: int) -> None: ...

    def left(self, order_id: UUID) -> int: ...

    def cancel(self, order_id: UUID) -> int | None: ...

    def lower(self, order_id: UUID, quantity: int) -> None: ...

    def succeed(self, order_id: UUID, successor_id: UUID, quantity: int) -> None: ...

    def set_street(
        self, bids: list[Level], asks: list[Level], received_ns: int, now_ns: int
    ) -> list[StreetFill]: ...

    def street_trade(
        self, price: int, quantity: int, aggressor: str, now_ns: int
    ) -> list[StreetFill]: ...


SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_NAMES = {side: name for name, side in SIDES.items()}


class FastBook:
    """The fast book, spoken to in plain values."""

    def __init__(self) -> None:
        self.book = Book()

    def best(self, side: str, now_ns: int) -> int | None:
        return self.book.best(SIDES[side], now_ns)

    def depth(self, side: str, levels: int, now_ns: int) -> list[Level]:
        return [
            (price, quantity) for price, quantity in self.book.depth(SIDES[side], levels, now_ns)
        ]

    def resting(self) -> list[RestingRow]:
        return [
            (
                order.order_id,
                order.owner_id,
                SIDE_NAMES[order.side],
                order.price,
                order.leaves,
                order.ahead,
            )
            for order in self.book.resting()
        ]

    def would_self_trade(self, owner_id: int, side: str, limit_price: int | None) -> bool:
        return self.book.would_self_trade(owner_id, SIDES[side], limit_price)

    def takeable(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]:
        taken, cost = self.book.takeable(SIDES[side], limit_price, quantity, now_ns)
        return taken, cost

    def take(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> list[TakerFill]:
        return [
            _taker_fill(fill) for fill in self.book.take(SIDES[side], limit_price, quantity, now_ns)
        ]

    def take_to_own(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int, owner_id: int
    ) -> tuple[list[TakerFill], UUID | None]:
        fills, own = self.book.take_to_own(SIDES[side], limit_price, quantity, now_ns, owner_id)
        return [_taker_fill(fill) for fill in fills], None if own is None else own.order_id

    def takeable_beside_own(
        self,
        side: str,
        limit_price: int | None,
        quantity: int,
        now_ns: int,
        owner_id: int,
        is_end: bool,
    ) -> tuple[int, int]:
        taken, cost = self.book.takeable_beside_own(
            SIDES[side], limit_price, quantity, now_ns, owner_id, is_end
        )
        return taken, cost

    def rest(
        self, order_id: UUID, owner_id: int, side: str, price: int, quantity: int, now_ns: int
    ) -> None:
        self.book.rest(order_id, owner_id, SIDES[side], price, quantity, now_ns)

    def restore(self, order_id: UUID, owner_id: int, side: str, price: int, quantity: int) -> None:
        self.book.restore(order_id, owner_id, SIDES[side], price, quantity)

    def hide(self, order_id: UUID, display: int, shown: int) -> None:
        self.book.hide(order_id, display, shown)

    def left(self, order_id: UUID) -> int:
        found = (order for order in self.book.resting() if order.order_id == order_id)
        return sum(order.leaves + order.hidden for order in found)

    def cancel(self, order_id: UUID) -> int | None:
        return self.book.cancel(order_id)

    def lower(self, order_id: UUID, quantity: int) -> None:
        self.book.lower(order_id, quantity)

    def succeed(self, order_id: UUID, successor_id: UUID, quantity: int) -> None:
        self.book.succeed(order_id, successor_id, quantity)

    def set_street(
        self, bids: list[Level], asks: list[Level], received_ns: int, now_ns: int
    ) -> list[StreetFill]:
        quote = StreetQuote(bids=tuple(bids), asks=tuple(asks), t_ns=received_ns)
        return [
            (fill.order_id, fill.price, fill.quantity, fill.leaves)
            for fill in self.book.set_street(quote, now_ns)
        ]

    def street_trade(
        self, price: int, quantity: int, aggressor: str, now_ns: int
    ) -> list[StreetFill]:
        return [
            (fill.order_id, fill.price, fill.quantity, fill.leaves)
            for fill in self.book.street_trade(price, quantity, SIDES[aggressor], now_ns)
        ]


def _taker_fill(fill: Fill) -> TakerFill:
    return (
        fill.maker_order_id,
        fill.maker_owner_id,
        fill.price,
        fill.quantity,
        fill.maker_leaves,
    )


def restarted(book: PlainBook) -> PlainBook:
    """A new book of the same kind with the orders of `book`, as after a restart (Q5)."""
    fresh = type(book)()
    for order_id, owner_id, side, price, leaves, _ in book.resting():
        fresh.restore(order_id, owner_id, side, price, leaves)
    return fresh


BOOKS: dict[str, Callable[[], PlainBook]] = {"reference": ReferenceBook, "fast": FastBook}
