"""One side of the book: price levels, each a queue of resting orders in time order.

A list of sorted prices with the best at its end makes the best price O(1) and a new price O(log n +
move); cancels leave a dead entry behind that the queue drops when it reaches the front (measured
fastest in pure Python), or all at once when they outnumber the live ones: cancels behind a patient
order must not pile up.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from orders.domain.values import Side


@dataclass(slots=True, eq=False)
class RestingOrder:
    """An order in the book; `ahead` is the street quantity before it at its price (Q1). `leaves` is
    what it shows; `hidden` stands behind that, and shows `display` at a time (I1).
    """

    order_id: UUID
    owner_id: int
    side: Side
    price: int
    leaves: int
    ahead: int
    hidden: int = 0
    display: int = 0


DEAD_ENTRIES_MAX = 32
"""Dead entries that a queue may hold besides as many as it has live ones."""


class Level:
    """The queue at one price. `live` counts the orders in it that are not dead; `total` is what
    they show, `hidden` what they do not.
    """

    __slots__ = ("hidden", "live", "max_ahead", "queue", "total")

    def __init__(self) -> None:
        self.queue: deque[RestingOrder] = deque()
        self.live = 0
        self.total = 0
        self.hidden = 0
        self.max_ahead = 0

    def orders(self) -> Iterator[RestingOrder]:
        """The live orders in time order."""
        return (order for order in self.queue if order.leaves)

    def first(self) -> RestingOrder | None:
        """The live order at the front; dead ones before it are dropped."""
        queue = self.queue
        while queue:
            if queue[0].leaves:
                return queue[0]
            queue.popleft()
        return None

    def beside_own(self, owner_id: int, street: int, is_end: bool) -> tuple[int, bool]:
        """What a taker gets here of others and of the `street` quantity shown, in the order of its
        walk, and whether it ended at an order of this owner (O3). What is hidden comes after all.
        """
        quantity = gone = hidden = 0
        for order in self.orders():
            gone = min(max(order.ahead, gone), street)
            if order.owner_id != owner_id:
                quantity += order.leaves
                hidden += order.hidden
            elif is_end:
                return quantity + gone, True
        return quantity + hidden + street, False

    def drop_dead(self) -> None:
        """Forget the dead entries once they are the greater part: O(1) a cancel, all in all."""
        if len(self.queue) > 2 * self.live + DEAD_ENTRIES_MAX:
            self.queue = deque(self.orders())

    def lower_ahead(self, gone: int) -> None:
        """Street quantity `gone` was taken here: every order has that much less before it (Q3)."""
        if not gone or not self.max_ahead:
            return
        for order in self.orders():
            order.ahead = max(order.ahead - gone, 0)
        self.max_ahead = max(self.max_ahead - gone, 0)

    def cap_ahead(self, displayed: int) -> bool:
        """No more than `displayed` street quantity can stand before an order (Q2). False when it
        never was more.
        """
        if self.max_ahead <= displayed:
            return False
        for order in self.orders():
            order.ahead = min(order.ahead, displayed)
        self.max_ahead = displayed
        return True


class Ladder:
    """All levels of one side, best first."""

    __slots__ = ("_keys", "_sign", "levels", "queued")

    def __init__(self, side: Side) -> None:
        self._sign = 1 if side is Side.BUY else -1
        self._keys: list[int] = []  # price × sign, ascending: the best is last
        self.levels: dict[int, Level] = {}
        self.queued: set[int] = set()
        """Prices at which some order may have street quantity ahead of it: all that a quote must
        look at.
        """

    @property
    def best(self) -> int | None:
        return self._keys[-1] * self._sign if self._keys else None

    def reaches(self, limit: int | None, price: int) -> bool:
        """Whether an incoming order on the other side with that limit may trade at `price` of this
        side.
        """
        return limit is None or (price - limit) * self._sign >= 0

    def reached(self, limit: int) -> list[int]:
        """The best and the worst price that an incoming order with this limit reaches."""
        worst = bisect_left(self._keys, limit * self._sign)
        return [key * self._sign for key in (self._keys[-1:] + self._keys[worst : worst + 1])][
            : 2 * (worst < len(self._keys))
        ]

    def add(self, order: RestingOrder) -> None:
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = Level()
            insort(self._keys, order.price * self._sign)
        level.queue.append(order)
        level.live += 1
        level.total += order.leaves
        level.hidden += order.hidden
        if order.ahead:
            level.max_ahead = max(level.max_ahead, order.ahead)
            self.queued.add(order.price)

    def reduce(self, order: RestingOrder, quantity: int) -> None:
        """Lower an order's leaves; at zero it is dead; a level goes with its last live order."""
        level = self.levels[order.price]
        order.leaves -= quantity
        level.total -= quantity
        if order.leaves:
            return
        level.live -= 1
        if level.live:
            level.drop_dead()
        else:
            self._remove_level(order.price)

    def hide(self, order: RestingOrder, quantity: int) -> None:
        """Let the order show so much less, and have it hidden."""
        level = self.levels[order.price]
        order.leaves -= quantity
        order.hidden += quantity
        level.total -= quantity
        level.hidden += quantity

    def unhide(self, order: RestingOrder, quantity: int) -> None:
        """Take `quantity` off what the order hides."""
        order.hidden -= quantity
        self.levels[order.price].hidden -= quantity

    def _remove_level(self, price: int) -> None:
        del self.levels[price]
        self.queued.discard(price)
        key = price * self._sign
        if self._keys[-1] == key:
            self._keys.pop()
        else:
            del self._keys[bisect_left(self._keys, key)]

    def prices(self) -> Iterator[int]:
        """Best first. The ladder must not change while this is read."""
        return (key * self._sign for key in reversed(self._keys))
