"""One side of the book: price levels, each a queue of resting orders in time order.

The prices are a sorted list with the best at its end: to forget the best is O(1), a new price costs
O(log n + move). The orders of a level, and those of an owner, are linked to one another, so that a
cancel takes its order out of the middle in O(1) and leaves nothing behind. Where this code spells
out what a method would say shorter, the call was measured to be a good part of the cost.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from uuid import UUID

from orders.domain.values import Side


class RestingOrder:
    """An order in the book; `ahead` is the street quantity before it at its price (Q1). `leaves` is
    what it shows; `hidden` stands behind that, and shows `display` at a time (I1).

    `earlier` and `later` are its neighbors in time at its price, `older` and `newer` those among
    the orders of its owner.
    """

    __slots__ = (
        "ahead",
        "display",
        "earlier",
        "hidden",
        "later",
        "leaves",
        "level",
        "newer",
        "older",
        "order_id",
        "owner",
        "owner_id",
    )

    def __init__(self, order_id: UUID, owner: "Owner", level: "Level", leaves: int) -> None:
        """Comes to rest, last in time at its level and as the newest of its owner."""
        self.order_id = order_id
        self.owner = owner
        self.owner_id = owner.owner_id
        self.level = level
        self.leaves = leaves
        self.ahead = 0
        self.hidden = 0
        self.display = 0
        self.later: RestingOrder | None = None
        self.newer: RestingOrder | None = None
        self.earlier = last = level.last
        if last is None:
            level.first = self
        else:
            last.later = self
        level.last = self
        level.total += leaves
        self.older = older = owner.newest
        if older is not None:
            older.newer = self
        owner.newest = self

    def remove(self) -> None:
        """Leave the level and the owner, from wherever it stands; a level goes with its last
        order. What the order had left can still be read, its price until the next one rests.
        """
        older, newer = self.older, self.newer
        if newer is None:
            self.owner.newest = older
        else:
            newer.older = older
        if older is not None:
            older.newer = newer
        level, earlier, later = self.level, self.earlier, self.later
        if earlier is not None:
            earlier.later = later
        elif later is None:
            level.first = None
            level.ladder.remove_level(level)
            return
        else:
            level.first = later
        if later is not None:
            later.earlier = earlier
        else:
            level.last = earlier
        level.total -= self.leaves
        if self.hidden:
            level.hidden -= self.hidden

    def resize(self, leaves: int, hidden: int) -> None:
        """Show and hide so much from now on; its place stays."""
        level = self.level
        level.total += leaves - self.leaves
        level.hidden += hidden - self.hidden
        self.leaves = leaves
        self.hidden = hidden

    def queue_behind(self, ahead: int) -> None:
        """Stand behind so much of the street."""
        level = self.level
        self.ahead = ahead
        level.max_ahead = max(level.max_ahead, ahead)
        level.ladder.queued.add(level.price)

    @property
    def side(self) -> Side:
        return self.level.ladder.side

    @property
    def price(self) -> int:
        return self.level.price


class Owner:
    """The orders of one owner on one side. Most owners have one or none: linked, they cost less
    than a set that fills and empties all the time.
    """

    __slots__ = ("newest", "owner_id")

    def __init__(self, owner_id: int) -> None:
        self.owner_id = owner_id
        self.newest: RestingOrder | None = None

    def orders(self) -> Iterator[RestingOrder]:
        """Newest first. They must not change while this is read."""
        order = self.newest
        while order is not None:
            yield order
            order = order.older


class Level:
    """The queue at one price, from `first` to `last` in time. `total` is what its orders show,
    `hidden` what they do not; no order has more `ahead` than `max_ahead`.
    """

    __slots__ = ("first", "hidden", "ladder", "last", "max_ahead", "price", "total")

    def __init__(self, ladder: "Ladder", price: int) -> None:
        self.ladder = ladder
        self.price = price
        self.first: RestingOrder | None = None
        self.last: RestingOrder | None = None
        self.total = 0
        self.hidden = 0
        self.max_ahead = 0

    def orders(self) -> Iterator[RestingOrder]:
        """In time order. The queue must not change while this is read."""
        order = self.first
        while order is not None:
            yield order
            order = order.later

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

    __slots__ = ("_keys", "_spare", "best", "levels", "owners", "queued", "side", "sign")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sign = 1 if side is Side.BUY else -1
        self._keys: list[int] = []  # price × sign, ascending: the best is last
        self._spare: Level | None = None
        """The level that went last, for the next that comes: near the best price they come and go
        with every few orders.
        """
        self.best: int | None = None
        """The price of the last key: every order asks for it, few change it."""
        self.levels: dict[int, Level] = {}
        self.owners: dict[int, Owner] = {}
        """Everyone who has, or has had, orders on this side."""

        self.queued: set[int] = set()
        """Prices at which some order may have street quantity ahead of it: all that a quote must
        look at.
        """

    def reaches(self, limit: int | None, price: int) -> bool:
        """Whether an incoming order on the other side with that limit may trade at `price` of this
        side.
        """
        return limit is None or (price - limit) * self.sign >= 0

    def reached(self, limit: int) -> list[int]:
        """The best and the worst price that an incoming order with this limit reaches."""
        worst = bisect_left(self._keys, limit * self.sign)
        return [key * self.sign for key in (self._keys[-1:] + self._keys[worst : worst + 1])][
            : 2 * (worst < len(self._keys))
        ]

    def add_level(self, price: int) -> Level:
        """A level for an order that is about to rest where nobody does yet."""
        level, self._spare = self._spare, None
        if level is None:
            level = Level(self, price)
        else:
            level.price = price
            level.last = None
            level.total = level.hidden = level.max_ahead = 0
        self.levels[price] = level
        key, best = price * self.sign, self.best
        if best is None or key > best * self.sign:
            self._keys.append(key)
            self.best = price
        else:
            insort(self._keys, key)
        return level

    def remove_level(self, level: Level) -> None:
        price, keys = level.price, self._keys
        self._spare = level
        del self.levels[price]
        if self.queued:
            self.queued.discard(price)
        if price == self.best:
            keys.pop()
            self.best = keys[-1] * self.sign if keys else None
        else:
            del keys[bisect_left(keys, price * self.sign)]

    def prices(self) -> Iterator[int]:
        """Best first. The ladder must not change while this is read."""
        return (key * self.sign for key in reversed(self._keys))
