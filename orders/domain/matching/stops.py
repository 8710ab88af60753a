"""The stop orders of one instrument that wait outside the book, and which of them a trade elects.

Pure and integer. The rules, E1 to E8, stand in docs/matching.md. Entries are sorted by how soon a
moving price reaches them, so that the next to be elected is the last of its list; a cancel finds
its entry by bisection.
"""

from bisect import bisect_left, insort
from decimal import Decimal
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from core.domain.units import UNITS_PER_ONE
from orders.domain.values import Side

Price = TypeVar("Price", int, Decimal)
WIDER_BELOW_UNITS: Final = 50 * UNITS_PER_ONE
"""A buy stop below this price is given the wider band (E5)."""


class Waiting(NamedTuple):
    """An order's place: the greatest entry is elected first. `reach` is the stop price of a sell,
    the negated one of a buy; `newness` the negated number of acceptance.
    """

    reach: int
    newness: int
    order_id: UUID


class StopBook:
    """All waiting stops of one instrument."""

    __slots__ = ("_orders", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[Side, list[Waiting]] = {Side.BUY: [], Side.SELL: []}
        self._orders: dict[UUID, tuple[Side, Waiting]] = {}

    def add(self, order_id: UUID, side: Side, stop_price: int, sequence: int) -> None:
        """Let an order wait; `sequence` is its number of acceptance. It must not wait already."""
        assert order_id not in self._orders
        entry = Waiting(-stop_price * _sign(side), -sequence, order_id)
        self._orders[order_id] = (side, entry)
        insort(self._waiting[side], entry)

    def remove(self, order_id: UUID) -> bool:
        """Forget a waiting order; False when it does not wait here."""
        found = self._orders.pop(order_id, None)
        if found is None:
            return False
        side, entry = found
        entries = self._waiting[side]
        del entries[bisect_left(entries, entry)]
        return True

    def elected(self, trade_price: int) -> list[UUID]:
        """What a trade at this price elects, in the order of E3; it waits no more."""
        if not self._orders:
            return []
        return [entry.order_id for side in Side for entry in self.take(side, trade_price)]

    def take(self, side: Side, trade_price: int) -> list[Waiting]:
        """Those of one side that a trade at this price elects, in the order of E3."""
        entries, reached = self._waiting[side], -trade_price * _sign(side)
        taken: list[Waiting] = []
        while entries and entries[-1].reach >= reached:
            taken.append(entries.pop())
            del self._orders[taken[-1].order_id]
        return taken

    def waiting(self) -> list[UUID]:
        """Every waiting order: buys as they would be elected, then sells."""
        return [entry.order_id for side in Side for entry in reversed(self._waiting[side])]


def is_passed(side: Side, stop_price: Price, trade_price: Price) -> bool:
    """Whether a trade at `trade_price` is at or through the stop price (E2, E4)."""
    return trade_price >= stop_price if side is Side.BUY else trade_price <= stop_price


def protected_price(stop_price: int, tick_units: int) -> int:
    """The limit at which an elected buy STOP enters (E5), in ticks as `stop_price` is."""
    if stop_price * tick_units < WIDER_BELOW_UNITS:
        return stop_price * 104 // 100
    return stop_price * 1025 // 1000


def _sign(side: Side) -> int:
    return 1 if side is Side.BUY else -1
