"""The order book of one instrument: users' orders in price-time priority beside the street's
liquidity.

Pure and integer (ticks, lots); `now_ns` is an argument. The rules, S1 to C2, stand in
docs/matching.md, and tests/reference/book.py is the slow twin that this one is compared with after
every step.
"""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from orders.domain.matching.ladder import Ladder, Level, RestingOrder
from orders.domain.matching.street import Street, StreetFill, StreetQuote, is_sound
from orders.domain.values import Side

UNKNOWN_AHEAD = 2**62
"""More than any street shows (Q5)."""


class Fill(NamedTuple):
    """One trade of a taker: with a resting order, or with the street (`maker_order_id` None)."""

    maker_order_id: UUID | None
    maker_owner_id: int | None
    price: int
    quantity: int
    maker_leaves: int


class Book:
    __slots__ = ("_by_owner", "_ladders", "_orders", "_street", "ahead_moves", "quotes_taken")

    def __init__(self) -> None:
        self._ladders = {Side.BUY: Ladder(Side.BUY), Side.SELL: Ladder(Side.SELL)}
        self._orders: dict[UUID, RestingOrder] = {}
        self._by_owner: dict[tuple[int, Side], dict[UUID, RestingOrder]] = {}
        self._street = Street()
        self.quotes_taken = 0
        """How often the street was replaced."""
        self.ahead_moves = 0
        """How often a quote or a print changed what stands ahead of orders."""

    # --- the street moves

    def set_street(self, quote: StreetQuote, now_ns: int) -> list[StreetFill]:
        """Replace the street (S1), cap what stands ahead (Q2) and fill what the quote went through
        (M1).
        """
        if not self.show_street(quote, now_ns):
            return []
        return [*self._fill_through(Side.BUY, now_ns), *self._fill_through(Side.SELL, now_ns)]

    def show_street(self, quote: StreetQuote, now_ns: int) -> bool:
        """Replace the street without filling anybody: in an auction nothing trades (X4). False for
        a quote that is refused (S1).
        """
        if not is_sound(quote):
            return False
        self._street.replace(quote)
        self.quotes_taken += 1
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
            order = ladder.levels[price].first()
            quantity = 0 if order is None else self._take_street(order, now_ns)
            if order is None or not quantity:
                return
            yield self._fill_resting(order, quantity)

    def _take_street(self, order: RestingOrder, now_ns: int) -> int:
        """Take street quantity that reaches the order's price, best first, up to its leaves."""
        ladder, other = self._ladders[order.side], order.side.opposite
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
        ladder = self._ladders[aggressor.opposite]
        left = quantity
        fills: list[StreetFill] = []
        while left and (best := ladder.best) is not None and ladder.reaches(price, best):
            if best == price:
                fills.extend(self._print_at(ladder, price, left))
                break
            order = ladder.levels[best].first()
            assert order is not None
            filled = min(order.leaves, left)
            left -= filled
            fills.append(self._fill_resting(order, filled))
        return fills

    def _print_at(self, ladder: Ladder, price: int, left: int) -> Iterator[StreetFill]:
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
            yield self._fill_resting(order, filled)
        level.lower_ahead(gone)
        self.ahead_moves += gone > 0

    def is_inside_street(self, price: int, now_ns: int) -> bool:
        """Whether the street shows both sides now and `price` lies between them (E2)."""
        bid, ask = (self._street.best(side, now_ns) for side in (Side.BUY, Side.SELL))
        return bid is not None and ask is not None and bid <= price <= ask

    def twice_the_middle(self, now_ns: int) -> int | None:
        """The street's best bid plus its best ask, in ticks; None unless it shows both."""
        bid, ask = (self._street.best(side, now_ns) for side in (Side.BUY, Side.SELL))
        return None if bid is None or ask is None else bid + ask

    # --- an order arrives

    def takeable(
        self, side: Side, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]:
        """(lots, ticks × lots) an order could take now, at most `quantity`. Nothing changes."""
        ladder, other = self._ladders[side.opposite], side.opposite
        street = self._street.levels(other, now_ns)
        left, cost = quantity, 0
        for price in self._prices(other, now_ns):
            if not left or not ladder.reaches(limit_price, price):
                break
            level = ladder.levels.get(price)
            taken = min(left, street.get(price, 0) + (level.total if level else 0))
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
        ladder, other = self._ladders[side.opposite], side.opposite
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
        ladder = self._ladders[side.opposite]
        best = ladder.best
        if best is None or not ladder.reaches(limit_price, best):
            return False
        own = self._by_owner.get((owner_id, side.opposite))
        return own is not None and any(
            ladder.reaches(limit_price, order.price) for order in own.values()
        )

    def take(self, side: Side, limit_price: int | None, quantity: int, now_ns: int) -> list[Fill]:
        """Trade an incoming order as far as its limit and the book allow (T1 to T3)."""
        return self.take_to_own(side, limit_price, quantity, now_ns, None)[0]

    def take_to_own(
        self, side: Side, limit_price: int | None, quantity: int, now_ns: int, owner_id: int | None
    ) -> tuple[list[Fill], RestingOrder | None]:
        """The same up to the first order of this owner that it would fill, and that order; None
        when the walk ended before one (O2).
        """
        other = side.opposite
        ladder = self._ladders[other]
        fills: list[Fill] = []
        left = quantity
        while left:
            price = self._best(ladder, other, now_ns)
            if price is None or not ladder.reaches(limit_price, price):
                break
            left = self._take_level(other, price, left, now_ns, fills, owner_id)
            if owner_id is not None and left and (level := ladder.levels.get(price)) is not None:
                return fills, level.first()  # nobody else's order is left at a price that was met
        return fills, None

    def _take_level(
        self,
        side: Side,
        price: int,
        left: int,
        now_ns: int,
        fills: list[Fill],
        owner_id: int | None,
    ) -> int:
        """Walk one price: street quantity ahead of an order, then the order, then the street's rest
        (T1). A run of street quantity ends at an order that fills, so each is one fill (T3).
        """
        level = self._ladders[side].levels.get(price)
        street = self._street.quantity(side, price, now_ns)
        gone = 0
        while left and level is not None and (order := level.first()) is not None:
            before = min(max(order.ahead - gone, 0), street - gone, left)
            if before:
                fills.append(Fill(None, None, price, before, 0))
                gone += before
                left -= before
            if not left:
                break
            if order.owner_id == owner_id:
                self._street_gone(side, price, gone, level)
                return left
            filled = min(order.leaves, left)
            left -= filled
            leaves = order.leaves - filled
            fills.append(Fill(order.order_id, order.owner_id, price, filled, leaves))
            self._fill_resting(order, filled)
        rest = min(street - gone, left)
        if rest:
            fills.append(Fill(None, None, price, rest, 0))
            left -= rest
        self._street_gone(side, price, gone + rest, level)
        return left

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
        assert order_id not in self._orders
        assert quantity > 0
        ahead = self._street.quantity(side, price, now_ns)
        self._add(RestingOrder(order_id, owner_id, side, price, quantity, ahead))

    def restore(self, order_id: UUID, owner_id: int, side: Side, price: int, quantity: int) -> None:
        """Put an order that rested before a restart back, last at its price. What stands ahead of
        it is unknown, so that it counts as all of the street until the next quote (Q5).
        """
        assert order_id not in self._orders
        assert quantity > 0
        self._add(RestingOrder(order_id, owner_id, side, price, quantity, UNKNOWN_AHEAD))

    def _add(self, order: RestingOrder) -> None:
        self._orders[order.order_id] = order
        self._by_owner.setdefault((order.owner_id, order.side), {})[order.order_id] = order
        self._ladders[order.side].add(order)

    def cancel(self, order_id: UUID) -> int | None:
        """Remove a resting order; the leaves it had, or None when it does not rest here (C1)."""
        order = self._orders.get(order_id)
        if order is None:
            return None
        leaves = order.leaves
        self._fill_resting(order, leaves)
        return leaves

    def lower(self, order_id: UUID, quantity: int) -> None:
        """Take `quantity` off a resting order, less than it has left; its place stays (A1)."""
        order = self._orders[order_id]
        assert 0 < quantity < order.leaves
        self._ladders[order.side].reduce(order, quantity)

    def succeed(self, order_id: UUID, successor_id: UUID, quantity: int) -> None:
        """Let another order of the account have a resting one's place, and what stands ahead of
        it, with `quantity`, which is no more than the resting one has left (R3).
        """
        assert successor_id not in self._orders
        order = self._orders.pop(order_id)
        assert 0 < quantity <= order.leaves
        own = self._by_owner[order.owner_id, order.side]
        del own[order_id]
        order.order_id = successor_id
        self._orders[successor_id] = own[successor_id] = order
        self._ladders[order.side].reduce(order, order.leaves - quantity)

    def reduce(self, order_id: UUID, quantity: int) -> None:
        """A resting order traded in an auction (X7); an order that does not rest here is passed."""
        order = self._orders.get(order_id)
        if order is not None:
            self._fill_resting(order, quantity)

    def take_street(self, side: Side, quantity: int, now_ns: int) -> None:
        """The street traded in an auction (X7): its best levels of `side` have that much less."""
        for price, shown in tuple(self._street.levels(side, now_ns).items()):
            gone = min(shown, quantity)
            self._street_gone(side, price, gone, self._ladders[side].levels.get(price))
            quantity -= gone

    # --- what stands

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

    def _fill_resting(self, order: RestingOrder, quantity: int) -> StreetFill:
        """Lower a resting order and forget it when nothing is left."""
        self._ladders[order.side].reduce(order, quantity)
        if not order.leaves:
            del self._orders[order.order_id]
            del self._by_owner[order.owner_id, order.side][order.order_id]
        return StreetFill(order.order_id, order.price, quantity, order.leaves)
