"""What stands in the book of one instrument: users' orders in their order in time beside the
street, how they come, shrink and go, and what the world sees of them.

The lower half of orders/domain/matching/book.py, which lets them trade.
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from orders.domain.matching.ladder import Ladder, Level, RestingOrder
from orders.domain.matching.street import Street, StreetFill
from orders.domain.values import Side

UNKNOWN_AHEAD = 2**62
"""More than any street shows (Q5)."""


class RestingBook:
    """All that rests, and the street."""

    __slots__ = ("_by_owner", "_ladders", "_orders", "_street", "ahead_moves", "quotes_taken")

    def __init__(self) -> None:
        self._ladders = {Side.BUY: Ladder(Side.BUY), Side.SELL: Ladder(Side.SELL)}
        # By the number of the id: a UUID is hashed by a call of Python code.
        self._orders: dict[int, RestingOrder] = {}
        self._by_owner: dict[tuple[int, Side], dict[int, RestingOrder]] = {}
        self._street = Street()
        self.quotes_taken = 0
        """How often the street was replaced."""
        self.ahead_moves = 0
        """How often a quote or a print changed what stands ahead of orders."""

    def is_inside_street(self, price: int, now_ns: int) -> bool:
        """Whether the street shows both sides now and `price` lies between them (E2)."""
        bid, ask = (self._street.best(side, now_ns) for side in (Side.BUY, Side.SELL))
        return bid is not None and ask is not None and bid <= price <= ask

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
        assert order_id.int not in self._orders
        assert quantity > 0
        ahead = self._street.quantity(side, price, now_ns)
        self._add(RestingOrder(order_id, owner_id, side, price, quantity, ahead))

    def restore(self, order_id: UUID, owner_id: int, side: Side, price: int, quantity: int) -> None:
        """Put an order that rested before a restart back, last at its price. What stands ahead of
        it is unknown, so that it counts as all of the street until the next quote (Q5).
        """
        assert order_id.int not in self._orders
        assert quantity > 0
        self._add(RestingOrder(order_id, owner_id, side, price, quantity, UNKNOWN_AHEAD))

    def hide(self, order_id: UUID, display: int, shown: int) -> None:
        """Let an order that has just come to rest show only `shown` of what it has left, and
        `display` at a time from then on (I1).
        """
        order = self._orders[order_id.int]
        order.display = display
        hidden = order.leaves - shown
        if hidden:
            self._ladders[order.side].hide(order, hidden)

    def _add(self, order: RestingOrder) -> None:
        key = order.order_id.int
        self._orders[key] = order
        self._by_owner.setdefault((order.owner_id, order.side), {})[key] = order
        self._ladders[order.side].add(order)

    def cancel(self, order_id: UUID) -> int | None:
        """Remove a resting order; the leaves it had, or None when it does not rest here (C1)."""
        order = self._orders.get(order_id.int)
        if order is None:
            return None
        leaves = order.leaves + order.hidden
        self._lessen(order, leaves)
        return leaves

    def lower(self, order_id: UUID, quantity: int) -> None:
        """Take `quantity` off a resting order, less than it has left, first off what it hides; its
        place stays (A1, I4).
        """
        order = self._orders[order_id.int]
        assert 0 <= quantity < order.leaves + order.hidden
        ladder = self._ladders[order.side]
        hidden = min(quantity, order.hidden)
        ladder.unhide(order, hidden)
        if quantity > hidden:
            ladder.reduce(order, quantity - hidden)

    def succeed(self, order_id: UUID, successor_id: UUID, quantity: int) -> None:
        """Let another order of the account have a resting one's place, and what stands ahead of
        it, with `quantity`, which is no more than the resting one has left (R3).
        """
        key = successor_id.int
        assert key not in self._orders
        order = self._orders.pop(order_id.int)
        assert 0 < quantity <= order.leaves + order.hidden
        own = self._by_owner[order.owner_id, order.side]
        del own[order_id.int]
        order.order_id = successor_id
        self._orders[key] = own[key] = order
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
        return self._best(self._ladders[side], side, now_ns)

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

    def _best(self, ladder: Ladder, side: Side, now_ns: int) -> int | None:
        resting, street = ladder.best, self._street.best(side, now_ns)
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

    def _lessen(self, order: RestingOrder, quantity: int, shown: int = 0) -> int:
        """Lower a resting order and forget it when nothing is left; what is left. `shown` is the
        street at its price, behind which its next slice would come.
        """
        if order.hidden and quantity >= order.leaves:
            return self._show_next_slice(order, quantity, shown)
        self._ladders[order.side].reduce(order, quantity)
        if not order.leaves:
            self._forget(order)
        return order.leaves

    def _show_next_slice(self, order: RestingOrder, quantity: int, shown: int) -> int:
        """All that the order shows is gone, and `quantity` beyond that of what it hides: the next
        slice comes last in time (I2).
        """
        ladder, left = self._ladders[order.side], order.leaves + order.hidden - quantity
        ladder.unhide(order, order.hidden)
        if left:
            following = replace(
                order,
                leaves=min(order.display, left),
                hidden=max(left - order.display, 0),
                ahead=shown,
            )
            key, own = order.order_id.int, self._by_owner[order.owner_id, order.side]
            self._orders[key] = own[key] = following
            ladder.add(following)
        else:
            self._forget(order)
        ladder.reduce(order, order.leaves)
        return left

    def _forget(self, order: RestingOrder) -> None:
        key = order.order_id.int
        del self._orders[key]
        del self._by_owner[order.owner_id, order.side][key]
