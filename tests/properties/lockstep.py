"""Two books in lockstep: each message goes to both, and after it all that can be read must agree.

Also keeps the "sometimes" marks: situations that a run of random histories must have met at least
once, or else it has not tested what it claims to.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar
from uuid import UUID

from tests.properties.swarm import (
    Cancel,
    Lower,
    Place,
    Print,
    Probe,
    Quote,
    Restart,
    Step,
    Succeed,
    Wait,
)
from tests.reference.book import (
    STREET_TTL_NS,
    UNKNOWN_AHEAD,
    RestingRow,
    StreetFill,
    TakerFill,
    is_sound_quote,
)
from tests.reference.books import PlainBook, restarted
from tests.reference.placing import place

T = TypeVar("T")

SOMETIMES = frozenset(
    {
        "sweep over three prices",
        "street between two orders",
        "quote through an order",
        "quote through several orders",
        "crossed quote refused",
        "malformed quote refused",
        "refused quote left what stood ahead",
        "locked quote showed what does not lock",
        "quote arrived expired",
        "street expired",
        "street trade left a part of what stood ahead",
        "street trade got past what stood ahead",
        "street trade through one price and at the next",
        "earlier order had more ahead",
        "SELF_TRADE",
        "FOK_UNFILLABLE",
        "FOK filled",
        "IOC_REMAINDER",
        "LIQUIDITY_EXHAUSTED",
        "taken in part, then rested",
        "order that does not rest canceled",
        "partly filled order canceled",
        "id used again",
        "EXPIRE_MAKER met an own order",
        "EXPIRE_BOTH met an own order",
        "DECREMENT met an own order",
        "amended before another at its price",
        "amended behind the street",
        "succeeded before another at its price",
        "succeeded with less, behind the street",
        "restart with several orders at one price",
    }
)


CRASHES = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Divergence(Exception):
    """The books do not agree, or one of them broke: what was asked and both answers."""


class Lockstep:
    """The oracle and a book under test, fed the same messages."""

    def __init__(self, oracle: PlainBook, book: PlainBook, resting_max: int = 30) -> None:
        self.oracle = oracle
        self.book = book
        self.marks: Counter[str] = Counter()
        self._resting_max = resting_max
        self._now_ns = 1_000 * STREET_TTL_NS
        self._quantities: dict[UUID, int] = {}

    def step(self, step: Step) -> None:
        """Apply one message to both books and compare everything; raises Divergence."""
        try:
            self._apply(step)
        except CRASHES as crash:
            raise Divergence(f"{step.message} broke a book: {crash!r}") from crash

    def _apply(self, step: Step) -> None:
        before = self.oracle.resting()
        match step.message:
            case Place() as message:
                self._place(message, before)
            case Cancel() as message:
                self._cancel(message, before)
            case Lower() as message:
                self._lower(message, before)
            case Succeed() as message:
                self._succeed(message, before)
            case Quote() as message:
                self._quote(message, before)
            case Print() as message:
                self._print(message, before)
            case Wait() as message:
                self._wait(message)
            case Restart():
                self._restart(before)
        self._compare(step.probe)

    def _agree(self, what: str, ask: Callable[[PlainBook], T]) -> T:
        expected, found = ask(self.oracle), ask(self.book)
        if expected != found:
            raise Divergence(f"{what}\n  the rules say {expected}\n  the book says {found}")
        return expected

    def _compare(self, probe: Probe) -> None:
        now_ns, side, limit = self._now_ns, probe.side, probe.limit_price
        self._agree("resting orders", lambda book: book.resting())
        for either in ("BUY", "SELL"):
            self._compare_side(either, probe.depth_levels)
        self._agree(
            f"takeable {probe}", lambda book: book.takeable(side, limit, probe.quantity, now_ns)
        )
        self._agree(
            f"takeable beside own {probe}",
            lambda book: book.takeable_beside_own(
                side, limit, probe.quantity, now_ns, probe.owner_id, probe.depth_levels % 2 == 0
            ),
        )
        self._agree(
            f"would_self_trade {probe}",
            lambda book: book.would_self_trade(probe.owner_id, side, limit),
        )

    def _compare_side(self, side: str, levels: int) -> None:
        self._agree(f"best {side}", lambda book: book.best(side, self._now_ns))
        self._agree(f"depth {side}", lambda book: book.depth(side, levels, self._now_ns))

    # Messages

    def _place(self, message: Place, before: list[RestingRow]) -> None:
        order = message.order
        if any(row[0] == order.order_id for row in before):
            return  # an id is unique among the orders that rest
        if len(before) >= self._resting_max and order.time_in_force in ("GTC", "DAY"):
            order = replace(order, time_in_force="IOC")
        outcome = self._agree(f"{order}", lambda book: place(book, order, self._now_ns))

        for effect in outcome.effects:
            self._mark(f"{order.stp_mode} met an own order", len(effect) == 3)
        self._mark("id used again", order.order_id in self._quantities)
        self._quantities[order.order_id] = order.quantity
        self._mark(outcome.reason or "", outcome.reason is not None)
        self._mark("FOK filled", order.time_in_force == "FOK" and outcome.reason is None)
        self._mark("taken in part, then rested", outcome.resting > 0 and len(outcome.fills) > 0)
        self._mark("sweep over three prices", len({fill[2] for fill in outcome.fills}) >= 3)
        self._mark("street between two orders", has_street_between(outcome.fills))

    def _cancel(self, message: Cancel, before: list[RestingRow]) -> None:
        order_id = message.order_id
        leaves = self._agree(f"{message}", lambda book: book.cancel(order_id))

        self._mark("order that does not rest canceled", leaves is None)
        partly = leaves is not None and leaves < self._quantities.get(order_id, 0)
        self._mark("partly filled order canceled", partly)

    def _lower(self, message: Lower, before: list[RestingRow]) -> None:
        row, left = share_of(message.order_id, message.percent, before)
        if row is None or not left:
            return
        less = row[4] - left
        self._agree(f"{message}", lambda book: book.lower(message.order_id, less))
        self._mark("amended before another at its price", is_followed(row, before))
        self._mark("amended behind the street", row[5] > 0)

    def _succeed(self, message: Succeed, before: list[RestingRow]) -> None:
        old_id, new_id = message.order_id, message.successor_id
        row, left = share_of(old_id, message.percent, before)
        if row is None or not left:
            return
        self._quantities[new_id] = left
        self._agree(f"{message}", lambda book: book.succeed(old_id, new_id, left))
        self._mark("succeeded before another at its price", is_followed(row, before))
        self._mark("succeeded with less, behind the street", row[5] > 0 and left < row[4])

    def _quote(self, message: Quote, before: list[RestingRow]) -> None:
        bids, asks = list(message.bids), list(message.asks)
        received_ns = self._now_ns - message.age_ns
        fills = self._agree(
            f"{message}", lambda book: book.set_street(bids, asks, received_ns, self._now_ns)
        )

        is_sound = is_sound_quote(bids, asks)
        crossed = bool(bids and asks and bids[0][0] > asks[0][0])
        self._mark("crossed quote refused", crossed)
        self._mark("malformed quote refused", not is_sound and not crossed)
        has_ahead = any(0 < row[5] < UNKNOWN_AHEAD for row in before)
        self._mark("refused quote left what stood ahead", not is_sound and has_ahead)
        locked = bool(bids and asks and bids[0][0] == asks[0][0])
        self._mark("locked quote showed what does not lock", is_sound and locked and len(bids) > 1)
        self._mark("quote arrived expired", is_sound and message.age_ns > STREET_TTL_NS)
        self._mark("quote through an order", len(fills) > 0)
        self._mark("quote through several orders", len(fills) > 1)
        self._mark("earlier order had more ahead", has_more_ahead_earlier(self.oracle.resting()))

    def _print(self, message: Print, before: list[RestingRow]) -> None:
        price, quantity, aggressor = message.price, message.quantity, message.aggressor
        fills = self._agree(
            f"{message}", lambda book: book.street_trade(price, quantity, aggressor, self._now_ns)
        )

        ahead_before = {row[0]: row[5] for row in before if row[3] == price}
        for row in self.oracle.resting():
            left_part = 0 < row[5] < ahead_before.get(row[0], 0)
            self._mark("street trade left a part of what stood ahead", left_part)
        self._mark_print_fills(fills, ahead_before)

    def _mark_print_fills(self, fills: list[StreetFill], ahead_before: dict[UUID, int]) -> None:
        got_past = any(ahead_before.get(fill[0], 0) > 0 for fill in fills)
        self._mark("street trade got past what stood ahead", got_past)
        prices = {fill[1] for fill in fills}
        at_the_price = any(fill[0] in ahead_before for fill in fills)
        several = len(prices) > 1 and at_the_price
        self._mark("street trade through one price and at the next", several)

    def _wait(self, message: Wait) -> None:
        depth = [self.oracle.depth(side, 99, self._now_ns) for side in ("BUY", "SELL")]
        self._now_ns += message.duration_ns
        later = [self.oracle.depth(side, 99, self._now_ns) for side in ("BUY", "SELL")]
        self._mark("street expired", depth != later)

    def _restart(self, before: list[RestingRow]) -> None:
        self.oracle, self.book = restarted(self.oracle), restarted(self.book)
        self._mark("restart with several orders at one price", has_shared_price(before))

    def _mark(self, name: str, happened: bool) -> None:
        if happened:
            self.marks[name] += 1


def has_street_between(fills: tuple[TakerFill, ...]) -> bool:
    """An order, then the street, then an order, all at one price."""
    triples = zip(fills, fills[1:], fills[2:], strict=False)
    return any(
        first[0] is not None and street[0] is None and last[0] is not None
        for first, street, last in triples
        if first[2] == street[2] == last[2]
    )


def has_shared_price(resting: list[RestingRow]) -> bool:
    """Two orders at one price."""
    return any(first[2:4] == last[2:4] for first, last in pairwise(resting))


def share_of(
    order_id: UUID, percent: int, resting: list[RestingRow]
) -> tuple[RestingRow | None, int]:
    """The order's row, if it rests, and so much of what it has left."""
    for row in resting:
        if row[0] == order_id:
            return row, row[4] * percent // 100
    return None, 0


def is_followed(row: RestingRow, resting: list[RestingRow]) -> bool:
    """Another order stands behind it at its price."""
    return any(first is row and last[2:4] == row[2:4] for first, last in pairwise(resting))


def has_more_ahead_earlier(resting: list[RestingRow]) -> bool:
    """Two orders at one price, of which the earlier has more street ahead."""
    pairs = pairwise(resting)
    return any(a[2:4] == b[2:4] and a[5] > b[5] for a, b in pairs)
