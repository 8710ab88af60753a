"""What stands in the book of one instrument: users' orders in their order in time beside the
street, how they come, shrink and go, and what the world sees of them.

The lower half of orders/domain/matching/book.py, which lets them trade.
"""

from collections.abc import Iterator
from uuid import UUID

from orders.domain.matching.ladder import Ladder, Level, Owner, RestingOrder
from orders.domain.matching.street import Street, StreetFill
from orders.domain.values import Side

UNKNOWN_AHEAD = 2**62
"""More than any street shows (Q5)."""


class RestingBook:
    """All that rests, and the street."""

    __slots__ = (
        "_facing",
        "_ladders",
        "_orders",
        "_street",
        "ahead_moves",
        "quotes_taken",
    )

    def __init__(self) -> None:
        bids, offers = Ladder(Side.BUY), Ladder(Side.SELL)
        self._ladders = {Side.BUY: bids, Side.SELL: offers}
        self._facing = {Side.BUY: offers, Side.SELL: bids}
        """What an incoming order of that side trades with."""
        # By the number of the id: a UUID is hashed by a call of Python code.
        self._orders: dict[int, RestingOrder] = {}
        self._street = Street()
        self.quotes_taken = 0
        """How often the street was replaced."""
        self.ahead_moves = 0
        """How often a quote or a print changed what stands ahead of orders."""

    def is_inside_street(self, price: int, now_ns: int) -> bool:
        """Whether the street shows both sides now and `price` lies between them (E2)."""
        bid, ask = (self._street.best(side, now_ns) for side in (Side.BUY, Side.SELL))
        return bid is not None and ask is not None and bid <= price <= ask

    @property
    def street_ends_ns(self) -> int:
        """The last instant at which the newest street quote counts (S3); -1 before the first."""
        return self._street.ends_ns

    def twice_the_middle(self, now_ns: int) -> int | None:
        """The street's best bid plus its best ask, in ticks; None unless it shows both."""
        bid, ask = (self._street.best(side, now_ns) for side in (Side.BUY, Side.SELL))
        return None if bid is None or ask is None else bid + ask

    def _street_gone(self, side: Side, price: int, gone: int, level: Level | None) -> None:
        if not gone:
            return
        self._street.remove(side, price, gone)
        if level is not None:
            level.lower_ahead(gone)

    def rest(
        self, order_id: UUID, owner_id: int, side: Side, price: int, quantity: int, now_ns: int
    ) -> None:
        """Put what is left of an order into the book, behind the street shown there (Q1).
        Its id must not be resting already (C2).
        """
        key = order_id.int
        assert key not in self._orders
        assert quantity > 0
        ladder = self._ladders[side]
        level = ladder.levels.get(price)
        if level is None:
            level = ladder.add_level(price)
        owner = ladder.owners.get(owner_id)
        if owner is None:
            owner = ladder.owners[owner_id] = Owner(owner_id)
        self._orders[key] = order = RestingOrder(order_id, owner, level, quantity)
        street = self._street
        if now_ns <= street.ends_ns and (ahead := street.quantity(side, price, now_ns)):
            order.queue_behind(ahead)

    def restore(self, order_id: UUID, owner_id: int, side: Side, price: int, quantity: int) -> None:
        """Put an order that rested before a restart back, last at its price. What stands ahead of
        it is unknown, so that it counts as all of the street until the next quote (Q5).
        """
        self.rest(order_id, owner_id, side, price, quantity, self._street.ends_ns + 1)
        self._orders[order_id.int].queue_behind(UNKNOWN_AHEAD)

    def hide(self, order_id: UUID, display: int, shown: int) -> None:
        """Let an order that has just come to rest show only `shown` of what it has left, and
        `display` at a time from then on (I1).
        """
        order = self._orders[order_id.int]
        order.display = display
        order.resize(shown, order.leaves - shown)

    def cancel(self, order_id: UUID) -> int | None:
        """Remove a resting order; the leaves it had, or None when it does not rest here (C1)."""
        order = self._orders.pop(order_id.int, None)
        if order is None:
            return None
        order.remove()
        return order.leaves + order.hidden

    def lower(self, order_id: UUID, quantity: int) -> None:
        """Take `quantity` off a resting order, less than it has left, first off what it hides; its
        place stays (A1, I4).
        """
        order = self._orders[order_id.int]
        assert 0 <= quantity < order.leaves + order.hidden
        left = order.leaves + order.hidden - quantity
        leaves = min(order.leaves, left)
        order.resize(leaves, left - leaves)

    def succeed(self, order_id: UUID, successor_id: UUID, quantity: int) -> None:
        """Let another order of the account have a resting one's place, and what stands ahead of
        it, with `quantity`, which is no more than the resting one has left (R3).
        """
        key = successor_id.int
        assert key not in self._orders
        order = self._orders.pop(order_id.int)
        assert 0 < quantity <= order.leaves + order.hidden
        order.order_id = successor_id
        self._orders[key] = order
        self.lower(successor_id, order.leaves + order.hidden - quantity)

    def reduce(self, order_id: UUID, quantity: int, now_ns: int) -> None:
        """A resting order traded in an auction (X7); an order that does not rest here is passed."""
        order = self._orders.get(order_id.int)
        if order is not None:
            shown = self._street.quantity(order.side, order.price, now_ns)
            self._lessen(order, quantity, shown)

    def take_street(self, side: Side, quantity: int, now_ns: int) -> None:
        """The street traded in an auction (X7): its best levels of `side` have that much less."""
        for price, shown in tuple(self._street.levels(side, now_ns).items()):
            gone = min(shown, quantity)
            self._street_gone(side, price, gone, self._ladders[side].levels.get(price))
            quantity -= gone

    def street_levels(self, side: Side, now_ns: int) -> dict[int, int]:
        """Price → quantity of the street alone, best first."""
        return self._street.levels(side, now_ns)

    def best(self, side: Side, now_ns: int) -> int | None:
        return self._best(self._ladders[side], now_ns)

    def depth(self, side: Side, levels: int, now_ns: int) -> list[tuple[int, int]]:
        """Up to `levels` prices with the quantity of users and street together, best first."""
        ladder, street = self._ladders[side], self._street.levels(side, now_ns)
        result: list[tuple[int, int]] = []
        for price in self._prices(side, now_ns):
            if len(result) == levels:
                break
            level = ladder.levels.get(price)
            result.append((price, street.get(price, 0) + (level.total if level else 0)))
        return result

    def reached(self, side: Side, price: int) -> list[int]:
        """The best and the worst price of those resting orders of `side` that somebody who trades
        at `price` would reach; nothing when there are none.
        """
        return self._ladders[side].reached(price)

    def resting(self) -> Iterator[RestingOrder]:
        """Every resting order: bids best first in time order, then offers."""
        for ladder in self._ladders.values():
            for price in ladder.prices():
                yield from ladder.levels[price].orders()

    def _best(self, ladder: Ladder, now_ns: int) -> int | None:
        resting, street = ladder.best, self._street.best(ladder.side, now_ns)
        if resting is None or street is None:
            return street if resting is None else resting
        return resting if ladder.reaches(street, resting) else street

    def _prices(self, side: Side, now_ns: int) -> Iterator[int]:
        """The prices of users and street together, best first, each once."""
        ladder = self._ladders[side]
        resting, street = ladder.prices(), iter(self._street.levels(side, now_ns))
        mine, theirs = next(resting, None), next(street, None)
        while mine is not None or theirs is not None:
            if theirs is None or (mine is not None and ladder.reaches(theirs, mine)):
                assert mine is not None
                yield mine
                if mine == theirs:
                    theirs = next(street, None)
                mine = next(resting, None)
            else:
                yield theirs
                theirs = next(street, None)

    def _fill_resting(self, order: RestingOrder, quantity: int, shown: int) -> StreetFill:
        """Let a resting order trade with the street, of which `shown` stands at its price."""
        leaves = self._lessen(order, quantity, shown)
        return StreetFill(order.order_id, order.price, quantity, leaves)

    def _lessen(self, order: RestingOrder, quantity: int, shown: int) -> int:
        """Lower a resting order and forget it when nothing is left; what is left. `shown` is the
        street at its price, behind which its next slice comes last in time (I2).
        """
        left = order.leaves + order.hidden - quantity
        if not left:
            del self._orders[order.order_id.int]
            order.remove()
        elif quantity < order.leaves:
            order.leaves -= quantity
            order.level.total -= quantity
        else:
            leaves = min(order.display, left)
            following = RestingOrder(order.order_id, order.owner, order.level, left)
            following.display = order.display
            following.resize(leaves, left - leaves)
            if shown:
                following.queue_behind(shown)
            self._orders[order.order_id.int] = following
            order.remove()
        return left
