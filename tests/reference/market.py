"""A market for scenario tests: a book, its clock and the names of its orders, read as text.

Orders read "BUY 5 @ 101 IOC" or "SELL 3 MARKET", levels "101x5 102x8" best first. After every
message the book's best prices and depth are read on both sides and must agree with each other.
"""

from uuid import NAMESPACE_OID, UUID, uuid5

from tests.reference.book import StreetFill, TakerFill
from tests.reference.books import PlainBook, restarted
from tests.reference.placing import Incoming, place

NS_PER_SECOND = 1_000_000_000
ACCOUNTS = {"alice": 1, "bob": 1, "charlie": 2, "dave": 3}  # Bob shares Alice's account
DEPTH_LEVELS = 20


def order_id_of(name: str) -> UUID:
    """The id of an order that a scenario calls `name`."""
    return uuid5(NAMESPACE_OID, name)


def levels_of(text: str) -> list[tuple[int, int]]:
    """Read "101x5 102x8" as [(101, 5), (102, 8)]."""
    pairs = [level.split("x") for level in text.split()]
    return [(int(price), int(quantity)) for price, quantity in pairs]


class Market:
    """One instrument's book under test. Order names start with their account: "alice-1"."""

    def __init__(self, book: PlainBook) -> None:
        self.book = book
        self.now_ns = 1_000 * NS_PER_SECOND
        self._names: dict[UUID, str] = {}

    # Messages

    def quote(self, bids: str = "", asks: str = "", age_seconds: int = 0) -> list[str]:
        """A street quote arrives; the fills it caused."""
        received_ns = self.now_ns - age_seconds * NS_PER_SECOND
        fills = self.book.set_street(levels_of(bids), levels_of(asks), received_ns, self.now_ns)
        return self._street_fills(fills)

    def street_trade(self, text: str) -> list[str]:
        """A street trade prints, such as "SELL 5 @ 99" (aggressor first); the fills it caused."""
        side, quantity, _, price = text.split()
        fills = self.book.street_trade(int(price), int(quantity), side, self.now_ns)
        return self._street_fills(fills)

    def place(self, name: str, text: str) -> list[str]:
        """An order comes in; its fills, then what became of the rest of it."""
        order = self._parse(name, text)
        self._names[order.order_id] = name
        outcome = place(self.book, order, self.now_ns)
        lines = [self._taker_fill(fill) for fill in outcome.fills]
        if outcome.resting:
            lines.append(f"rests {outcome.resting}")
        elif outcome.reason:
            lines.append(outcome.reason)
        else:
            lines.append("filled")
        self._check()
        return lines

    def cancel(self, name: str) -> int | None:
        """The leaves that the cancel removed; None when the order does not rest."""
        leaves = self.book.cancel(order_id_of(name))
        self._check()
        return leaves

    def wait(self, nanoseconds: int) -> None:
        """Time passes."""
        self.now_ns += nanoseconds
        self._check()

    def restart(self) -> None:
        """The engine starts again with the resting orders, but without the street."""
        self.book = restarted(self.book)
        self._check()

    # Reading

    @property
    def bids(self) -> str:
        """The bid side, street and orders merged, such as "100x5 99x8"."""
        return self._side("BUY")

    @property
    def asks(self) -> str:
        """The offer side, street and orders merged."""
        return self._side("SELL")

    @property
    def queue(self) -> list[str]:
        """The resting orders in the order they are filled, bids before offers."""
        return [
            f"{self._names[order_id]} {side} {leaves} @ {price} ahead {ahead}"
            for order_id, _, side, price, leaves, ahead in self.book.resting()
        ]

    def takeable(self, text: str) -> tuple[int, int]:
        """(quantity, sum of price times quantity) that an order would take now."""
        order = self._parse("dave-probe", text)
        return self.book.takeable(order.side, order.limit_price, order.quantity, self.now_ns)

    # Text and checks

    def _parse(self, name: str, text: str) -> Incoming:
        """Read "BUY 5 @ 101 IOC", "BUY 5 @ 101" (GTC) or "BUY 5 MARKET"."""
        side, quantity, *terms = text.split()
        owner_id = ACCOUNTS[name.split("-")[0]]
        limit = None if terms[0] == "MARKET" else int(terms[1])
        time_in_force = terms[2] if len(terms) > 2 else "GTC"
        order_id = order_id_of(name)
        return Incoming(order_id, owner_id, side, int(quantity), limit, time_in_force)

    def _taker_fill(self, fill: TakerFill) -> str:
        maker_id, maker_account, price, quantity, leaves = fill
        if maker_id is None:
            assert (maker_account, leaves) == (None, 0)
            return f"{quantity} @ {price} street"
        name = self._names[maker_id]
        assert maker_account == ACCOUNTS[name.split("-")[0]]
        return f"{quantity} @ {price} {name} leaves {leaves}"

    def _street_fills(self, fills: list[StreetFill]) -> list[str]:
        self._check()
        return [
            f"{self._names[order_id]} {quantity} @ {price} leaves {leaves}"
            for order_id, price, quantity, leaves in fills
        ]

    def _side(self, side: str) -> str:
        depth = self.book.depth(side, DEPTH_LEVELS, self.now_ns)
        return " ".join(f"{price}x{quantity}" for price, quantity in depth)

    def _check(self) -> None:
        """Best and depth agree, depth is ordered, no level is empty, the book is not crossed."""
        bests = {}
        for side, sign in (("BUY", -1), ("SELL", 1)):
            depth = self.book.depth(side, DEPTH_LEVELS, self.now_ns)
            prices = [price for price, _ in depth]
            assert prices == sorted(set(prices), key=lambda price: sign * price)
            assert all(quantity > 0 for _, quantity in depth)
            bests[side] = self.book.best(side, self.now_ns)
            assert bests[side] == (prices[0] if prices else None)
            assert self.book.depth(side, 1, self.now_ns) == depth[:1]
        if bests["BUY"] is not None and bests["SELL"] is not None:
            assert bests["BUY"] < bests["SELL"]
