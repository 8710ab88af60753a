"""Both books behind one plain interface, so that every scenario and every random step meets both.

`FastBook` only translates between the plain values of the oracle and the values of the fast book.
"""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from orders.domain.matching.book import Book
from orders.domain.matching.street import StreetQuote
from orders.domain.values import Side
from tests.reference.book import Level, ReferenceBook, RestingRow, StreetFill, TakerFill


class PlainBook(Protocol):
    """What both books promise: docs/matching.md, in plain values."""

    def best(self, side: str, now_ns: int) -> int | None: ...

    def depth(self, side: str, levels: int, now_ns: int) -> list[Level]: ...

    def resting(self) -> list[RestingRow]: ...

    def would_self_trade(self, account_id: int, side: str, limit_price: int | None) -> bool: ...

    def takeable(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]: ...

    def take(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> list[TakerFill]: ...

    def rest(
        self, order_id: UUID, account_id: int, side: str, price: int, quantity: int, now_ns: int
    ) -> None: ...

    def restore(
        self, order_id: UUID, account_id: int, side: str, price: int, quantity: int
    ) -> None: ...

    def cancel(self, order_id: UUID) -> int | None: ...

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
                order.account_id,
                SIDE_NAMES[order.side],
                order.price,
                order.leaves,
                order.ahead,
            )
            for order in self.book.resting()
        ]

    def would_self_trade(self, account_id: int, side: str, limit_price: int | None) -> bool:
        return self.book.would_self_trade(account_id, SIDES[side], limit_price)

    def takeable(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]:
        taken, cost = self.book.takeable(SIDES[side], limit_price, quantity, now_ns)
        return taken, cost

    def take(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> list[TakerFill]:
        return [
            (
                fill.maker_order_id,
                fill.maker_account_id,
                fill.price,
                fill.quantity,
                fill.maker_leaves,
            )
            for fill in self.book.take(SIDES[side], limit_price, quantity, now_ns)
        ]

    def rest(
        self, order_id: UUID, account_id: int, side: str, price: int, quantity: int, now_ns: int
    ) -> None:
        self.book.rest(order_id, account_id, SIDES[side], price, quantity, now_ns)

    def restore(
        self, order_id: UUID, account_id: int, side: str, price: int, quantity: int
    ) -> None:
        self.book.restore(order_id, account_id, SIDES[side], price, quantity)

    def cancel(self, order_id: UUID) -> int | None:
        return self.book.cancel(order_id)

    def set_street(
        self, bids: list[Level], asks: list[Level], received_ns: int, now_ns: int
    ) -> list[StreetFill]:
        quote = StreetQuote(bids=tuple(bids), asks=tuple(asks), applied_ns=received_ns)
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


def restarted(book: PlainBook) -> PlainBook:
    """A new book of the same kind with the orders of `book`, as after a restart (Q5)."""
    fresh = type(book)()
    for order_id, account_id, side, price, leaves, _ in book.resting():
        fresh.restore(order_id, account_id, side, price, leaves)
    return fresh


BOOKS: dict[str, Callable[[], PlainBook]] = {"reference": ReferenceBook, "fast": FastBook}
