"""The order book of one instrument: users' orders in price-time priority beside the street's
liquidity.

Pure and integer (ticks, lots); `now_ns` is an argument. The rules, S1 to C2, stand in
docs/matching.md, and tests/reference/book.py is the slow twin that this one is compared with after
every step.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from orders.domain.matching.ladder import Ladder, Owner, RestingOrder
from orders.domain.matching.resting import RestingBook
from orders.domain.matching.street import StreetFill, StreetQuote, displayed
from orders.domain.values import Side


class Fill(NamedTuple):
    """One trade of a taker: with a resting order, or with the street (`maker_order_id` None)."""

    maker_order_id: UUID | None
    maker_owner_id: int | None
    price: int
    quantity: int
    maker_leaves: int


_new = tuple.__new__
"""Makes a Fill in half the time: calling the class itself calls a function in Python."""


class Book(RestingBook):
    """Lets the street and incoming orders trade with what rests."""

    __slots__ = ()

    def set_street(self, quote: StreetQuote, now_ns: int) -> list[StreetFill]:
        """Replace the street (S1), cap what stands ahead (Q2) and fill what the quote went through
        (M1).
        """
        if not self.show_street(quote, now_ns):
            return []
        return [*self._fill_through(Side.BUY, now_ns), *self._fill_through(Side.SELL, now_ns)]

    def show_street(self, quote: StreetQuote, now_ns: int) -> bool:
        """Replace the street without filling anybody: in an auction nothing trades (X4). False for
        a quote that is refused: it empties the street, and what stands ahead stays (S1).
        """
        taken = displayed(quote)
        self.quotes_taken += 1
        if taken is None:
            self._street.empty()
            return False
        self._street.replace(taken)
        for side, ladder in self._ladders.items():
            shown = self._street.levels(side, now_ns)
            for price in tuple(ladder.queued):
                self.ahead_moves += ladder.levels[price].cap_ahead(shown.get(price, 0))
                if not ladder.levels[price].max_ahead:
                    ladder.queued.discard(price)
        return True

    def _fill_through(self, side: Side, now_ns: int) -> Iterator[StreetFill]:
        """Fill resting orders of `side` that the street's other side now reaches, at their own
        price (M1).
        """
        ladder = self._ladders[side]
        while (price := ladder.best) is not None:
            order = ladder.levels[price].first
            quantity = 0 if order is None else self._take_street(order, now_ns)
            if order is None or not quantity:
                return
            yield self._fill_resting(order, quantity, self._street.quantity(side, price, now_ns))

    def _take_street(self, order: RestingOrder, now_ns: int) -> int:
        """Take street quantity that reaches the order's price, best first, up to its leaves."""
        ladder, other = order.level.ladder, order.side.opposite
        wanted = order.leaves
        for price, available in tuple(self._street.levels(other, now_ns).items()):
            if not wanted or not ladder.reaches(price, order.price):
                break
            quantity = min(available, wanted)
            self._street.remove(other, price, quantity)
            wanted -= quantity
        return order.leaves - wanted

    def street_trade(
        self, price: int, quantity: int, aggressor: Side, now_ns: int
    ) -> list[StreetFill]:
        """A street trade printed at `price`: fill what it went through, and its own price behind
        `ahead` (M2).
        """
        ladder = self._facing[aggressor]
        left = quantity
        fills: list[StreetFill] = []
        while left and (best := ladder.best) is not None and ladder.reaches(price, best):
            shown = self._street.quantity(ladder.side, best, now_ns)
            if best == price:
                fills.extend(self._print_at(ladder, price, left, shown))
                break
            order = ladder.levels[best].first
            assert order is not None
            filled = min(order.leaves, left)
            left -= filled
            fills.append(self._fill_resting(order, filled, shown))
        return fills

    def _print_at(self, ladder: Ladder, price: int, left: int, shown: int) -> Iterator[StreetFill]:
        level = ladder.levels[price]
        gone = 0
        for order in tuple(level.orders()):
            passed = min(max(order.ahead - gone, 0), left)
            left -= passed
            gone += passed
            if not left:
                break
            filled = min(order.leaves, left)
            left -= filled
            yield self._fill_resting(order, filled, shown)
        level.lower_ahead(gone)
        self.ahead_moves += gone > 0

    def takeable(
        self, side: Side, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]:
        """(lots, ticks × lots) an order could take now, at most `quantity`. Nothing changes."""
        ladder, other = self._facing[side], side.opposite
        street = self._street.levels(other, now_ns)
        left, cost = quantity, 0
        for price in self._prices(other, now_ns):
            if not left or not ladder.reaches(limit_price, price):
                break
            level = ladder.levels.get(price)
            offered = level.total + level.hidden if level else 0
            taken = min(left, street.get(price, 0) + offered)
            left -= taken
            cost += taken * price
        return quantity - left, cost

    def takeable_beside_own(
        self,
        side: Side,
        limit_price: int | None,
        quantity: int,
        now_ns: int,
        owner_id: int,
        is_end: bool,
    ) -> tuple[int, int]:
        """The same without this owner's orders; `is_end`: no further than to the first (O3)."""
        ladder, other = self._facing[side], side.opposite
        street = self._street.levels(other, now_ns)
        left, cost, has_ended = quantity, 0, False
        for price in self._prices(other, now_ns):
            if not left or has_ended or not ladder.reaches(limit_price, price):
                break
            available = street.get(price, 0)
            level = ladder.levels.get(price)
            if level is not None:
                available, has_ended = level.beside_own(owner_id, available, is_end)
            taken = min(left, available)
            left -= taken
            cost += taken * price
        return quantity - left, cost

    def would_self_trade(self, owner_id: int, side: Side, limit_price: int | None) -> bool:
        """Whether the owner has an order on the other side that this one's limit reaches (O1)."""
        ladder = self._facing[side]
        best = ladder.best
        if best is None or not ladder.reaches(limit_price, best):
            return False
        owner = ladder.owners.get(owner_id)
        return owner is not None and any(
            ladder.reaches(limit_price, order.price) for order in owner.orders()
        )

    def take(
        self, side: Side, limit_price: int | None, quantity: int, now_ns: int
    ) -> Sequence[Fill]:
        """Trade an incoming order as far as its limit and the book allow (T1 to T3)."""
        ladder = self._facing[side]
        if now_ns <= self._street.ends_ns:
            return self._take_beside_street(ladder, limit_price, quantity, now_ns, None)[0]
        best = ladder.best
        # Ladder.reaches without a call: most orders find nobody and end here.
        if best is None or (limit_price is not None and (best - limit_price) * ladder.sign < 0):
            return ()
        return self._take_orders(ladder, limit_price, quantity, None)[0]

    def take_to_own(
        self, side: Side, limit_price: int | None, quantity: int, now_ns: int, owner_id: int
    ) -> tuple[list[Fill], RestingOrder | None]:
        """The same up to the first order of this owner that it would fill, and that order; None
        when the walk ended before one (O2).
        """
        ladder = self._facing[side]
        own = ladder.owners.get(owner_id)
        if now_ns > self._street.ends_ns:
            return self._take_orders(ladder, limit_price, quantity, own)
        return self._take_beside_street(ladder, limit_price, quantity, now_ns, own)

    def _take_orders(
        self, ladder: Ladder, limit_price: int | None, left: int, own: Owner | None
    ) -> tuple[list[Fill], RestingOrder | None]:
        """The walk while no street is shown: one order after another. Ladder.reaches and, for an
        order that fills, `_lessen` are written out: their calls are a sixth of the walk.
        """
        sign = ladder.sign
        fills: list[Fill] = []
        while left and (price := ladder.best) is not None:
            if limit_price is not None and (price - limit_price) * sign < 0:
                break
            order = ladder.levels[price].first
            assert order is not None
            if order.owner is own:
                return fills, order
            filled, leaves = order.leaves, 0
            if filled <= left and not order.hidden:
                del self._orders[order.order_id.int]
                order.remove()
            else:
                filled = min(filled, left)
                leaves = self._lessen(order, filled, 0)
            left -= filled
            fills.append(_new(Fill, (order.order_id, order.owner_id, price, filled, leaves)))
        return fills, None

    def _take_beside_street(
        self,
        ladder: Ladder,
        limit_price: int | None,
        left: int,
        now_ns: int,
        own: Owner | None,
    ) -> tuple[list[Fill], RestingOrder | None]:
        """The walk while the street is shown: one price after another."""
        fills: list[Fill] = []
        while left:
            price = self._best(ladder, now_ns)
            if price is None or not ladder.reaches(limit_price, price):
                break
            street = self._street.quantity(ladder.side, price, now_ns)
            left = self._take_level(ladder, price, left, street, fills, own)
            if own is not None and left and (level := ladder.levels.get(price)) is not None:
                return fills, level.first  # nobody else's order is left at a price that was met
        return fills, None

    def _take_level(
        self,
        ladder: Ladder,
        price: int,
        left: int,
        street: int,
        fills: list[Fill],
        own: Owner | None,
    ) -> int:
        """Walk one price: street quantity ahead of an order, then the order, then the street's rest
        (T1). A run of street quantity ends at an order that fills, so each is one fill (T3).
        """
        level = ladder.levels.get(price)
        order = None if level is None else level.first
        gone = 0
        while left and order is not None:
            if order.ahead > gone and street > gone:
                before = min(order.ahead - gone, street - gone, left)
                fills.append(Fill(None, None, price, before, 0))
                gone += before
                left -= before
                if not left:
                    break
            if order.owner is own:
                self._street_gone(ladder.side, price, gone, level)
                return left
            filled = min(order.leaves, left)
            left -= filled
            leaves = self._lessen(order, filled, street)
            fills.append(_new(Fill, (order.order_id, order.owner_id, price, filled, leaves)))
            order = order.level.first
        if left and street > gone:
            rest = min(street - gone, left)
            fills.append(Fill(None, None, price, rest, 0))
            left -= rest
            gone += rest
        self._street_gone(ladder.side, price, gone, level)
        return left
