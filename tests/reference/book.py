"""The slow, obvious order book: the oracle that the fast book is compared with after every step.

Written from docs/matching.md alone, rule by rule, with plain lists that are scanned from the start
each time. It speaks plain values: sides are "BUY" and "SELL", fills and resting orders are tuples.
"""

from dataclasses import dataclass
from uuid import UUID

STREET_TTL_NS = 5_000_000_000
STREET_LEVELS_MAX = 10
UNKNOWN_AHEAD = 2**62

OPPOSITE = {"BUY": "SELL", "SELL": "BUY"}

Level = tuple[int, int]  # (price, quantity)
StreetFill = tuple[UUID, int, int, int]  # (order, price, quantity, leaves)
RestingRow = tuple[UUID, int, str, int, int, int]  # (order, account, side, price, leaves, ahead)
# (maker order or None for the street, maker account, price, quantity, maker's leaves)
TakerFill = tuple[UUID | None, int | None, int, int, int]


@dataclass(eq=False)
class Order:
    """A user's order at rest in the book."""

    order_id: UUID
    owner_id: int
    side: str
    price: int
    leaves: int
    ahead: int
    hidden: int = 0
    display: int = 0


def is_better(side: str, price: int, other: int) -> bool:
    """Whether a maker on `side` at `price` stands before one at `other`."""
    return price > other if side == "BUY" else price < other


def limit_reaches(taker_side: str, limit_price: int | None, maker_price: int) -> bool:
    """Whether a taker may trade at a maker's price; a market order has no limit."""
    return limit_price is None or not is_better(taker_side, maker_price, limit_price)


def is_sound_quote(bids: list[Level], asks: list[Level]) -> bool:
    """S1: ten levels a side at most, best first, each price once, all positive, not crossed (it may
    be locked).
    """
    bid_prices, ask_prices = [price for price, _ in bids], [price for price, _ in asks]
    return (
        max(len(bids), len(asks)) <= STREET_LEVELS_MAX
        and all(price > 0 and quantity > 0 for price, quantity in bids + asks)
        and bid_prices == sorted(set(bid_prices), reverse=True)
        and ask_prices == sorted(set(ask_prices))
        and not (bids and asks and bid_prices[0] > ask_prices[0])
    )


def without_lock(bids: list[Level], asks: list[Level]) -> tuple[list[Level], list[Level]]:
    """S1: a sound quote without the price that is on both sides."""
    shared = {price for price, _ in bids} & {price for price, _ in asks}
    return (
        [level for level in bids if level[0] not in shared],
        [level for level in asks if level[0] not in shared],
    )


class ReferenceBook:
    """One book: `_orders` in order of arrival, `_street` by side the quantity at each price."""

    def __init__(self) -> None:
        self._orders: list[Order] = []
        self._street: dict[str, dict[int, int]] = {"BUY": {}, "SELL": {}}
        self._street_received_ns = 0

    def is_silent(self, now_ns: int) -> bool:
        """S3: the newest quote is too old, or there has been none."""
        return not self._street_received_ns or now_ns - self._street_received_ns > STREET_TTL_NS

    @property
    def has_been_quoted(self) -> bool:
        return self._street_received_ns > 0

    def _displayed(self, side: str, now_ns: int) -> dict[int, int]:
        """S2, S3: what is left of the street, best first; nothing once it is too old."""
        if now_ns - self._street_received_ns > STREET_TTL_NS:
            return {}
        return {price: left for price, left in self._street[side].items() if left > 0}

    def _queue(self, side: str, price: int) -> list[Order]:
        """The resting orders at one price, in time order."""
        return [order for order in self._orders if order.side == side and order.price == price]

    def _order_prices(self, side: str) -> list[int]:
        """The prices at which orders rest, best first."""
        prices = {order.price for order in self._orders if order.side == side}
        return sorted(prices, reverse=side == "BUY")

    def _prices(self, side: str, now_ns: int) -> list[int]:
        """The union of the resting orders' and the street's prices, best first."""
        prices = {*self._displayed(side, now_ns), *self._order_prices(side)}
        return sorted(prices, reverse=side == "BUY")

    def best(self, side: str, now_ns: int) -> int | None:
        """The best price of a side, street and resting orders together."""
        prices = self._prices(side, now_ns)
        return prices[0] if prices else None

    def depth(self, side: str, levels: int, now_ns: int) -> list[Level]:
        """The best levels of a side: street quantity and leaves added up by price."""
        rows = []
        for price in self._prices(side, now_ns)[:levels]:
            leaves = sum(order.leaves for order in self._queue(side, price))
            rows.append((price, leaves + self._displayed(side, now_ns).get(price, 0)))
        return rows

    def resting(self) -> list[RestingRow]:
        """Every resting order: bids best first and in time order, then offers likewise."""
        return [
            (order.order_id, order.owner_id, side, price, order.leaves, order.ahead)
            for side in ("BUY", "SELL")
            for price in self._order_prices(side)
            for order in self._queue(side, price)
        ]

    def would_self_trade(self, owner_id: int, side: str, limit_price: int | None) -> bool:
        """O1: the order's limit reaches a resting order of its own account."""
        return any(
            order.owner_id == owner_id
            and order.side == OPPOSITE[side]
            and limit_reaches(side, limit_price, order.price)
            for order in self._orders
        )

    def takeable(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> tuple[int, int]:
        """(quantity, sum of price times quantity) that `take` would get now."""
        fills = self._copy().take(side, limit_price, quantity, now_ns)
        return sum(fill[3] for fill in fills), sum(fill[2] * fill[3] for fill in fills)

    def take(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> list[TakerFill]:
        """T1: price by price, best first; the street ahead of an order goes before it."""
        maker_side = OPPOSITE[side]
        fills: list[TakerFill] = []
        for price in self._prices(maker_side, now_ns):
            if not limit_reaches(side, limit_price, price):
                break
            while quantity > 0 and self._queue(maker_side, price):
                order = self._queue(maker_side, price)[0]
                wanted = min(order.ahead, quantity)
                quantity -= self._take_street(maker_side, price, wanted, now_ns, fills)
                quantity -= self._take_order(order, quantity, fills, now_ns)
            quantity -= self._take_street(maker_side, price, quantity, now_ns, fills)
        return fills

    def take_to_own(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int, owner_id: int
    ) -> tuple[list[TakerFill], UUID | None]:
        """O2: the walk up to where an own order is the next that would be filled, and that one."""
        maker_side = OPPOSITE[side]
        fills: list[TakerFill] = []
        for price in self._prices(maker_side, now_ns):
            if not limit_reaches(side, limit_price, price):
                break
            while quantity > 0 and self._queue(maker_side, price):
                order = self._queue(maker_side, price)[0]
                wanted = min(order.ahead, quantity)
                quantity -= self._take_street(maker_side, price, wanted, now_ns, fills)
                if quantity > 0 and order.owner_id == owner_id:
                    return fills, order.order_id
                quantity -= self._take_order(order, quantity, fills, now_ns)
            quantity -= self._take_street(maker_side, price, quantity, now_ns, fills)
        return fills, None

    def takeable_beside_own(
        self,
        side: str,
        limit_price: int | None,
        quantity: int,
        now_ns: int,
        owner_id: int,
        is_end: bool,
    ) -> tuple[int, int]:
        """O3: what the walk gets when own orders are left out, or when it ends at the first."""
        trial = self._copy()
        got: list[TakerFill] = []
        while True:
            left = quantity - sum(fill[3] for fill in got)
            fills, own = trial.take_to_own(side, limit_price, left, now_ns, owner_id)
            got += fills
            if own is None or is_end:
                return sum(fill[3] for fill in got), sum(fill[2] * fill[3] for fill in got)
            trial.cancel(own)

    def _copy(self) -> "ReferenceBook":
        trial = ReferenceBook()
        trial._orders = [Order(**vars(order)) for order in self._orders]
        trial._street = {side: dict(levels) for side, levels in self._street.items()}
        trial._street_received_ns = self._street_received_ns
        return trial

    def _take_street(
        self, side: str, price: int, wanted: int, now_ns: int, fills: list[TakerFill]
    ) -> int:
        """T2, T3: take street quantity as far as it goes; return what was taken."""
        taken = min(wanted, self._displayed(side, now_ns).get(price, 0))
        if taken == 0:
            return 0
        self._street[side][price] -= taken
        self._lower_ahead(side, price, taken)  # Q3
        if fills and fills[-1][0] is None and fills[-1][2] == price:
            run = fills.pop()  # T3: one fill per uninterrupted run
            fills.append((None, None, price, run[3] + taken, 0))
        else:
            fills.append((None, None, price, taken, 0))
        return taken

    def _take_order(self, order: Order, wanted: int, fills: list[TakerFill], now_ns: int) -> int:
        """T2: fill a resting order at its own price; return what was taken."""
        taken = self._fill(order, wanted, now_ns)
        if taken > 0:
            left = order.leaves + order.hidden
            fills.append((order.order_id, order.owner_id, order.price, taken, left))
        return taken

    def _fill(self, order: Order, wanted: int, now_ns: int) -> int:
        """Fill up to the leaves; a filled order is removed, a partial one keeps its place; I2: one
        that hides more comes back with its next slice, last in time and behind the street.
        """
        filled = min(order.leaves, wanted)
        order.leaves -= filled
        if order.leaves == 0:
            self._orders.remove(order)
            self._come_back(order, order.hidden, now_ns)
        return filled

    def _come_back(self, order: Order, left: int, now_ns: int) -> None:
        if left:
            shown = min(order.display, left)
            ahead = self._displayed(order.side, now_ns).get(order.price, 0)
            again = {"leaves": shown, "hidden": left - shown, "ahead": ahead}
            self._orders.append(Order(**{**vars(order), **again}))

    def _lower_ahead(self, side: str, price: int, quantity: int) -> None:
        """Q3, M2: the street quantity in front of every order at a price has gone down."""
        for order in self._queue(side, price):
            order.ahead = max(0, order.ahead - quantity)

    def rest(
        self, order_id: UUID, owner_id: int, side: str, price: int, quantity: int, now_ns: int
    ) -> None:
        """Q1: last in time at its price, behind the street displayed there."""
        assert quantity > 0 and all(order.order_id != order_id for order in self._orders)  # C2
        ahead = self._displayed(side, now_ns).get(price, 0)
        self._orders.append(Order(order_id, owner_id, side, price, quantity, ahead))

    def hide(self, order_id: UUID, display: int, shown: int) -> None:
        """I1: of an order that has come to rest, this much is shown."""
        for order in self._orders:
            if order.order_id == order_id:
                order.hidden, order.leaves = order.leaves - shown, shown
                order.display = display

    def left(self, order_id: UUID) -> int:
        """What a resting order has left, the hidden part too."""
        return sum(
            order.leaves + order.hidden for order in self._orders if order.order_id == order_id
        )

    def all_left(self) -> dict[UUID, int]:
        """The same of every resting order."""
        return {order.order_id: order.leaves + order.hidden for order in self._orders}

    def restore(self, order_id: UUID, owner_id: int, side: str, price: int, quantity: int) -> None:
        """Q5: back after a restart, last in time so far, behind all that the street will show."""
        self._orders.append(Order(order_id, owner_id, side, price, quantity, UNKNOWN_AHEAD))

    def cancel(self, order_id: UUID) -> int | None:
        """C1: remove a resting order and tell its leaves; None when it does not rest."""
        for order in self._orders:
            if order.order_id == order_id:
                self._orders.remove(order)
                return order.leaves + order.hidden
        return None

    def lower(self, order_id: UUID, quantity: int) -> None:
        """A1: less is left of a resting order, first of what it hides; nothing else changes."""
        for order in self._orders:
            if order.order_id == order_id:
                left = order.leaves + order.hidden - quantity
                order.leaves = min(order.leaves, left)
                order.hidden = left - order.leaves

    def succeed(self, order_id: UUID, successor_id: UUID, quantity: int) -> None:
        """R3: another order stands where the old one stood, with what stood ahead of it."""
        for place, old in enumerate(self._orders):
            if old.order_id == order_id:
                shown = min(old.leaves, quantity)
                self._orders[place] = Order(
                    successor_id,
                    old.owner_id,
                    old.side,
                    old.price,
                    shown,
                    old.ahead,
                    quantity - shown,
                    old.display,
                )

    def set_street(
        self, bids: list[Level], asks: list[Level], received_ns: int, now_ns: int
    ) -> list[StreetFill]:
        """S1: replace the street unless the quote is refused; then Q2, then M1."""
        if not self.show_street(bids, asks, received_ns, now_ns):
            return []
        return self._quote_through("BUY", now_ns) + self._quote_through("SELL", now_ns)

    def show_street(
        self, bids: list[Level], asks: list[Level], received_ns: int, now_ns: int
    ) -> bool:
        """S1, Q2 without M1: what the street shows while nothing trades (X4)."""
        self._street = {"BUY": {}, "SELL": {}}
        if not is_sound_quote(bids, asks):
            return False
        self._street_received_ns = received_ns
        bids, asks = without_lock(bids, asks)
        self._street = {"BUY": dict(bids), "SELL": dict(asks)}
        for order in self._orders:  # Q2
            shown = self._displayed(order.side, now_ns).get(order.price, 0)
            order.ahead = min(order.ahead, shown)
        return True

    def street(self, side: str, now_ns: int) -> dict[int, int]:
        """What the street shows alone, best first."""
        return self._displayed(side, now_ns)

    def auction_fill(self, order_id: UUID, quantity: int, now_ns: int) -> None:
        """X7: an order that rests here traded in an auction, with all that it has."""
        for order in [order for order in self._orders if order.order_id == order_id]:
            left = order.leaves + order.hidden - quantity
            if quantity < order.leaves:
                order.leaves -= quantity
            else:
                self._orders.remove(order)
                self._come_back(order, left, now_ns)

    def auction_street(self, side: str, quantity: int, now_ns: int) -> None:
        """X7: the street traded in an auction, with its best levels."""
        for price, shown in self._displayed(side, now_ns).items():
            taken = min(shown, quantity)
            self._street[side][price] -= taken
            self._lower_ahead(side, price, taken)
            quantity -= taken

    def _quote_through(self, side: str, now_ns: int) -> list[StreetFill]:
        """M1: orders that the opposite street crosses trade with it at their own price."""
        fills: list[StreetFill] = []
        for price in self._order_prices(side):
            while self._queue(side, price):
                order, quantity = self._queue(side, price)[0], 0
                for street_price, left in self._displayed(OPPOSITE[side], now_ns).items():
                    if limit_reaches(side, price, street_price):
                        taken = min(order.leaves - quantity, left)
                        self._street[OPPOSITE[side]][street_price] -= taken
                        quantity += taken
                if quantity == 0:
                    break
                self._fill(order, quantity, now_ns)
                fills.append((order.order_id, price, quantity, order.leaves + order.hidden))
        return fills

    def is_inside_street(self, price: int, now_ns: int) -> bool:
        """E2: between the street's best bid and best ask, both of which must be there."""
        bids, asks = self._displayed("BUY", now_ns), self._displayed("SELL", now_ns)
        return bool(bids) and bool(asks) and max(bids) <= price <= min(asks)

    def street_trade(
        self, price: int, quantity: int, aggressor: str, now_ns: int
    ) -> list[StreetFill]:
        """M2: fill orders the print went through, then those it got down to at its price."""
        side = OPPOSITE[aggressor]
        fills: list[StreetFill] = []
        gone = 0
        for level in self._order_prices(side):
            if is_better(side, price, level):
                break
            while level != price and quantity > 0 and self._queue(side, level):
                quantity -= self._print_fill(self._queue(side, level)[0], quantity, fills, now_ns)
            for order in self._queue(side, price) if level == price else ():
                passed = min(max(0, order.ahead - gone), quantity)
                quantity -= passed
                gone += passed
                quantity -= self._print_fill(order, quantity, fills, now_ns)
        self._lower_ahead(side, price, gone)
        return fills

    def _print_fill(self, order: Order, wanted: int, fills: list[StreetFill], now_ns: int) -> int:
        filled = self._fill(order, wanted, now_ns)
        if filled > 0:
            fills.append((order.order_id, order.price, filled, order.leaves + order.hidden))
        return filled
