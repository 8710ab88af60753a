"""What becomes of an incoming order (O1, F1-F4), in terms of a book's own operations.

The engine does the same with money and durability around it; here it is the bare rule, so that the
scenarios and the random runs submit orders the way the engine does.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from uuid import UUID

from tests.reference.book import TakerFill
from tests.reference.books import PlainBook


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order on its way in. `limit_price` None is a market order, which trades no further than
    `band_bps` from the best price (B2; None: as far as there is anybody).
    """

    order_id: UUID
    owner_id: int
    side: str
    quantity: int
    limit_price: int | None = None
    time_in_force: str = "GTC"
    band_bps: int | None = None
    stp_mode: str = "REJECT"
    display: int = 0
    inside: tuple[int, int] | None = None
    """Where trades may happen (V3)."""


Prevented = tuple[str, UUID, int]
"""What O2 did to a resting own order: "DECREMENT" by so many, or "EXPIRE" (0)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened: fills and prevented matches as they came, what rests now, and why the
    remainder (if any) does not.
    """

    effects: tuple[TakerFill | Prevented, ...] = ()
    resting: int = 0
    reason: str | None = None

    @property
    def fills(self) -> tuple[TakerFill, ...]:
        return tuple(effect for effect in self.effects if len(effect) == 5)

    @property
    def prevented(self) -> int:
        return sum(effect[2] for effect in self.effects if len(effect) == 3)


def collar(book: PlainBook, side: str, band_bps: int | None, now_ns: int) -> int | None:
    """B2: the worst price of a market order; None when there is no band or nobody to trade with."""
    best = book.best("SELL" if side == "BUY" else "BUY", now_ns)
    if best is None or band_bps is None:
        return None
    if side == "BUY":
        return floor(best * Fraction(10_000 + band_bps, 10_000))
    return max(1, ceil(best * Fraction(10_000 - band_bps, 10_000)))


def place(book: PlainBook, order: Incoming, now_ns: int) -> Outcome:
    """Submit an order to the book: refuse, take, then rest or cancel the remainder."""
    side, limit = order.side, order.limit_price
    if order.stp_mode == "REJECT" and book.would_self_trade(order.owner_id, side, limit):  # O1
        return Outcome(reason="SELF_TRADE")
    wished = limit if limit is not None else collar(book, side, order.band_bps, now_ns)
    worst = within_band(order, wished)
    takeable, _ = could_take(book, order, worst, now_ns)
    if order.time_in_force == "FOK" and takeable < order.quantity:  # F4
        return Outcome(reason="FOK_UNFILLABLE")
    effects, leaves, is_ended = take(book, order, worst, now_ns)
    if is_ended:  # O2
        return Outcome(effects, reason="SELF_TRADE")
    if leaves == 0:
        return Outcome(effects)
    if would_leave(book, order, wished, now_ns):  # V4
        return Outcome(effects, reason="VOLATILITY_BAND")
    if limit is None:  # F1, B2
        is_left = book.best("SELL" if side == "BUY" else "BUY", now_ns) is not None
        return Outcome(effects, reason="BAND_REACHED" if is_left else "LIQUIDITY_EXHAUSTED")
    if order.time_in_force == "IOC":  # F3
        return Outcome(effects, reason="IOC_REMAINDER")
    book.rest(order.order_id, order.owner_id, side, limit, leaves, now_ns)  # F2
    if order.display:  # I1
        book.hide(order.order_id, order.display, min(order.display, leaves))
    return Outcome(effects, resting=leaves)


def within_band(order: Incoming, wished: int | None) -> int | None:
    """V4: no further than to the edge."""
    if order.inside is None:
        return wished
    lowest, highest = order.inside
    if order.side == "BUY":
        return highest if wished is None else min(wished, highest)
    return lowest if wished is None else max(wished, lowest)


def would_leave(book: PlainBook, order: Incoming, wished: int | None, now_ns: int) -> bool:
    """V4: the next trade of what is left would be outside."""
    best = book.best("SELL" if order.side == "BUY" else "BUY", now_ns)
    if order.inside is None or best is None or order.time_in_force == "FOK":
        return False
    if wished is not None and (best > wished if order.side == "BUY" else best < wished):
        return False
    return not order.inside[0] <= best <= order.inside[1]


def could_take(book: PlainBook, order: Incoming, worst: int | None, now_ns: int) -> tuple[int, int]:
    """O3: quantity, and sum of price times quantity."""
    if order.stp_mode == "REJECT":
        return book.takeable(order.side, worst, order.quantity, now_ns)
    is_end = order.stp_mode in ("EXPIRE_TAKER", "EXPIRE_BOTH")
    return book.takeable_beside_own(
        order.side, worst, order.quantity, now_ns, order.owner_id, is_end
    )


def take(
    book: PlainBook, order: Incoming, worst: int | None, now_ns: int
) -> tuple[tuple[TakerFill | Prevented, ...], int, bool]:
    """The walk with O2: what happened, what is left, and whether O2 ended the order."""
    left = order.quantity
    if order.stp_mode == "REJECT":
        plain = tuple(book.take(order.side, worst, left, now_ns))
        return plain, left - sum(fill[3] for fill in plain), False
    effects: list[TakerFill | Prevented] = []
    while True:
        fills, own = book.take_to_own(order.side, worst, left, now_ns, order.owner_id)
        effects += fills
        left -= sum(fill[3] for fill in fills)
        if own is None:
            return tuple(effects), left, False
        rested = book.left(own)
        if order.stp_mode == "DECREMENT":
            less = min(left, rested)
            left -= less
            if less == rested:
                book.cancel(own)
            else:
                book.lower(own, less)
            effects.append(("DECREMENT", own, less))
            if left == 0:
                return tuple(effects), 0, True
        if order.stp_mode in ("EXPIRE_MAKER", "EXPIRE_BOTH"):
            book.cancel(own)
            effects.append(("EXPIRE", own, 0))
        if order.stp_mode in ("EXPIRE_TAKER", "EXPIRE_BOTH"):
            return tuple(effects), left, True
