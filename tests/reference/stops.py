"""Stop orders by the rules E1 to E8 of docs/matching.md: which wait, and in which order they enter.

Part of the slow engine. Orders are looked through from the first accepted to the last each time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Generic, Protocol, TypeVar

STREET_TTL_NS = 5_000_000_000


class StopOrder(Protocol):
    """What the rules need to know of an order; `stop` is in ticks, None for one that is no stop."""

    side: str
    stop: int | None
    status: str
    mark: int | None

    @property
    def distance(self) -> int: ...


Stop = TypeVar("Stop", bound=StopOrder)


def protection(stop: int, tick: Fraction) -> int:
    """E5: the limit in ticks at which an elected buy STOP enters."""
    factor = Fraction(104, 100) if stop * tick < 50 else Fraction(1025, 1000)
    return floor(stop * factor)


def is_reached(order: StopOrder, price: int) -> bool:
    """E2: the trade is at or through the stop price."""
    assert order.stop is not None
    return price >= order.stop if order.side == "BUY" else price <= order.stop


def trailing_stop(order: StopOrder) -> int:
    """G2: where the stop price stands with the mark."""
    assert order.mark is not None
    return order.mark + (order.distance if order.side == "BUY" else -order.distance)


@dataclass
class Elections(Generic[Stop]):
    """The elected that have not entered yet, and each instrument's last trade."""

    queue: list[Stop] = field(default_factory=list)
    last: dict[str, tuple[int, int]] = field(default_factory=dict)

    def waiting(self, orders: Iterable[Stop]) -> list[Stop]:
        """The stops that no trade has elected, buys as they would be elected, then sells (E3)."""
        stops = [
            order
            for order in orders
            if order.stop is not None and order.status == "ACCEPTED" and order not in self.queue
        ]
        buys = [order for order in stops if order.side == "BUY"]
        sells = [order for order in stops if order.side == "SELL"]
        return [
            *sorted(buys, key=lambda order: order.stop or 0),
            *sorted(sells, key=lambda order: -(order.stop or 0)),
        ]

    def traded(self, symbol: str, orders: Iterable[Stop], price: int, now_ns: int) -> None:
        """E2, E3: a trade happened; what it elects joins the queue. G1: marks follow it first,
        those of orders that are in the queue already as well.
        """
        self.last[symbol] = (price, now_ns)
        orders = list(orders)
        for order in orders:
            if order.mark is not None and order.status == "ACCEPTED":
                order.mark = (max if order.side == "SELL" else min)(order.mark, price)
                order.stop = trailing_stop(order)
        self.queue += [order for order in self.waiting(orders) if is_reached(order, price)]

    def has_passed(self, symbol: str, order: StopOrder, now_ns: int) -> bool:
        """E4: a fresh last trade has reached the stop price already."""
        if order.stop is None or symbol not in self.last:
            return False
        price, at_ns = self.last[symbol]
        return now_ns - at_ns <= STREET_TTL_NS and is_reached(order, price)
