"""What holds in any book that follows docs/matching.md, checked without a second book.

Random histories run on the oracle and on the fast book alike; the watch below knows no matching
rule, only what must never break: no crossed book, time order, conservation, fair prices. And what
the fast book keeps besides, to be fast, agrees with the orders that rest.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.properties.swarm import (
    Cancel,
    Lower,
    Place,
    Print,
    Quote,
    Restart,
    Step,
    Succeed,
    Swarm,
    Wait,
)
from tests.properties.upkeep import check_upkeep
from tests.reference.book import (
    STREET_TTL_NS,
    ReferenceBook,
    RestingRow,
    StreetFill,
    TakerFill,
    is_sound_quote,
    without_lock,
)
from tests.reference.books import BOOKS, FastBook, PlainBook, restarted
from tests.reference.placing import Incoming, Outcome, place

SEEDS = range(5_001, 5_029)
STEPS = 400
SIDES = ("BUY", "SELL")
ALL_LEVELS = 10_000
SIGN = {"BUY": 1, "SELL": -1}
"""times a price: the greater, the better it is for whoever trades with an order on that side."""


@pytest.mark.parametrize("new_book", BOOKS.values(), ids=BOOKS.keys())
@pytest.mark.parametrize("shard", range(4))
def test_invariants_hold_after_every_step(new_book: Callable[[], PlainBook], shard: int) -> None:
    for seed in SEEDS[shard::4]:
        watch = Watch(new_book())
        try:
            for step in Swarm(seed).steps(STEPS):
                watch.step(step)
        except AssertionError as error:
            error.add_note(f"seed {seed}, step {watch.count}: {step.message}")
            raise


class Watch:
    """A book with what was asked of it, as far as that is needed to see a broken promise."""

    def __init__(self, book: PlainBook) -> None:
        self.book = book
        self.count = 0
        self._now_ns = 1_000 * STREET_TTL_NS
        self._received_ns = 0
        self._open: dict[UUID, int] = {}  # leaves by order, kept from the reports alone

    def step(self, step: Step) -> None:
        self.count += 1
        before = list(self.book.resting())
        match step.message:
            case Place(order) if order.order_id not in self._open:
                self._place(order, before)
            case Cancel(order_id):
                self._cancel(order_id, before)
            case Lower(order_id, percent):
                self._lower(order_id, percent)
            case Succeed(order_id, successor_id, percent):
                before = self._succeed(order_id, successor_id, percent, before)
            case Quote() as quote:
                self._quote(quote, before)
            case Print() as print_:
                self._print(print_, before)
            case Wait(duration_ns):
                self._now_ns += duration_ns
                assert self.book.resting() == before
            case Restart():
                self.book, self._received_ns = (
                    restarted(self.book),
                    self._now_ns - STREET_TTL_NS - 1,
                )
                assert [row[:5] for row in self.book.resting()] == [row[:5] for row in before]
                before = self.book.resting()
        self._check_standing(before)

    # After each message

    def _check_standing(self, before: list[RestingRow]) -> None:
        if isinstance(self.book, FastBook):
            check_upkeep(self.book.book)
        resting = self.book.resting()
        assert {row[0]: row[4] for row in resting} == self._open
        bid, ask = (self.book.best(side, self._now_ns) for side in SIDES)
        assert bid is None or ask is None or bid < ask
        for side in SIDES:
            street = self._street(side)
            assert all(quantity >= 0 for quantity in street.values())
            rows = [row for row in resting if row[2] == side]
            prices = [row[3] for row in rows]
            assert prices == sorted(prices, reverse=side == "BUY")
            if self._now_ns - self._received_ns <= STREET_TTL_NS:
                assert all(row[5] <= street[row[3]] for row in rows)
        self._check_order_kept(before, resting)

    def _check_order_kept(self, before: list[RestingRow], after: list[RestingRow]) -> None:
        """Who rested before still rests in the same order, with no more ahead than before."""
        earlier = {row[0]: row for row in before}
        stayed = [row for row in after if row[0] in earlier]
        still = {row[0] for row in stayed}
        assert [row[0] for row in stayed] == [row[0] for row in before if row[0] in still]
        for row in stayed:
            assert row[:4] == earlier[row[0]][:4]
            assert 0 < row[4] <= earlier[row[0]][4]
            assert 0 <= row[5] <= earlier[row[0]][5]

    def _street(self, side: str) -> Counter[int]:
        """What the depth shows beyond the resting orders."""
        street = Counter(dict(self.book.depth(side, ALL_LEVELS, self._now_ns)))
        for row in self.book.resting():
            if row[2] == side:
                street[row[3]] -= row[4]
        return street

    # Messages

    def _place(self, order: Incoming, before: list[RestingRow]) -> None:
        order = replace(order, stp_mode="REJECT")  # the walk of the others is compared elsewhere
        maker_side = "SELL" if order.side == "BUY" else "BUY"
        own_street, street = self._street(order.side), self._street(maker_side)
        terms = (order.side, order.limit_price, order.quantity, self._now_ns)
        takeable = self.book.takeable(*terms)

        outcome = place(self.book, order, self._now_ns)

        traded = sum(fill[3] for fill in outcome.fills)
        if outcome.reason in ("SELF_TRADE", "FOK_UNFILLABLE"):
            assert traded == 0
            assert (self.book.resting(), self._street(maker_side)) == (before, street)
            return
        assert takeable == (traded, sum(fill[2] * fill[3] for fill in outcome.fills))
        assert traded + outcome.resting <= order.quantity
        assert self._street(order.side) == own_street
        self._check_taker_prices(order, maker_side, outcome)
        self._check_makers(order, maker_side, outcome, before)
        for fill in outcome.fills:
            street[fill[2]] -= fill[3] if fill[0] is None else 0
        assert +self._street(maker_side) == +street
        self._check_remainder(order, traded, outcome)

    def _check_taker_prices(self, order: Incoming, maker_side: str, outcome: Outcome) -> None:
        """Better prices first, none beyond the limit."""
        value = [SIGN[maker_side] * fill[2] for fill in outcome.fills]
        assert value == sorted(value, reverse=True)
        if order.limit_price is not None:
            assert all(each >= SIGN[maker_side] * order.limit_price for each in value)

    def _check_makers(
        self, order: Incoming, maker_side: str, outcome: Outcome, before: list[RestingRow]
    ) -> None:
        """The makers are the front of the queue; all but the last are filled completely."""
        fills = [fill for fill in outcome.fills if fill[0] is not None]
        queue = [row for row in before if row[2] == maker_side]
        for fill, row in zip(fills, queue, strict=False):
            assert fill[:3] == (row[0], row[1], row[3])
            assert fill[1] != order.owner_id
            assert fill[3] + fill[4] == row[4]
        assert len(fills) <= len(queue)
        assert all(fill[4] == 0 for fill in fills[:-1])
        self._apply([(fill[0], fill[3]) for fill in fills])

    def _check_remainder(self, order: Incoming, traded: int, outcome: Outcome) -> None:
        """Nothing is lost: quantity = filled + resting + canceled."""
        leaves = order.quantity - traded
        rests = order.limit_price is not None and order.time_in_force in ("GTC", "DAY")
        assert outcome.resting == (leaves if rests else 0)
        assert (outcome.reason is None) == (leaves == 0 or rests)
        if outcome.resting:
            self._open[order.order_id] = outcome.resting

    def _apply(self, filled: list[tuple[UUID | None, int]]) -> None:
        for order_id, quantity in filled:
            assert order_id is not None
            self._open[order_id] -= quantity
            if self._open[order_id] == 0:
                del self._open[order_id]

    def _cancel(self, order_id: UUID, before: list[RestingRow]) -> None:
        streets = [self._street(side) for side in SIDES]

        leaves = self.book.cancel(order_id)

        assert leaves == self._open.pop(order_id, None)
        assert self.book.resting() == [row for row in before if row[0] != order_id]
        assert [+self._street(side) for side in SIDES] == [+street for street in streets]

    def _lower(self, order_id: UUID, percent: int) -> None:
        leaves = self._open.get(order_id, 0)
        left = leaves * percent // 100
        if left:
            self.book.lower(order_id, leaves - left)
            self._open[order_id] = left

    def _succeed(
        self, order_id: UUID, successor_id: UUID, percent: int, before: list[RestingRow]
    ) -> list[RestingRow]:
        """What rested before, with the successor in the old order's place."""
        left = self._open.get(order_id, 0) * percent // 100
        if not left:
            return before
        self.book.succeed(order_id, successor_id, left)
        del self._open[order_id]
        self._open[successor_id] = left
        return [(successor_id, *row[1:]) if row[0] == order_id else row for row in before]

    def _quote(self, quote: Quote, before: list[RestingRow]) -> None:
        bids, asks = list(quote.bids), list(quote.asks)
        received_ns = self._now_ns - quote.age_ns
        fills = self.book.set_street(bids, asks, received_ns, self._now_ns)

        self._check_street_fills(fills, before)
        shown = sum(sum(self._street(side).values()) for side in SIDES)
        filled = sum(fill[2] for fill in fills)
        if not is_sound_quote(bids, asks):
            assert filled == shown == 0
            assert self.book.resting() == before  # what stands ahead, too
            self._received_ns = self._now_ns - STREET_TTL_NS - 1  # nothing is known of the street
            return
        self._received_ns = received_ns
        is_fresh = quote.age_ns <= STREET_TTL_NS
        bids, asks = without_lock(bids, asks)
        quoted = sum(quantity for _, quantity in bids + asks) if is_fresh else 0
        assert shown + filled == quoted

    def _print(self, message: Print, before: list[RestingRow]) -> None:
        streets = [+self._street(side) for side in SIDES]

        fills = self.book.street_trade(
            message.price, message.quantity, message.aggressor, self._now_ns
        )

        self._check_street_fills(fills, before)
        assert sum(fill[2] for fill in fills) <= message.quantity
        assert [+self._street(side) for side in SIDES] == streets
        side = "SELL" if message.aggressor == "BUY" else "BUY"
        assert all(SIGN[side] * fill[1] >= SIGN[side] * message.price for fill in fills)
        rows = {row[0]: row for row in before}
        assert all(rows[fill[0]][2] == side for fill in fills)

    def _check_street_fills(self, fills: list[StreetFill], before: list[RestingRow]) -> None:
        """One fill an order, at its own price, from the front of one side's queue."""
        rows = {row[0]: row for row in before}
        sides = {rows[fill[0]][2] for fill in fills}
        assert len(sides) <= 1
        queue = [row for row in before if row[2] in sides]
        for fill, row in zip(fills, queue, strict=False):
            assert (fill[0], fill[1], fill[2] + fill[3]) == (row[0], row[3], row[4])
            assert fill[2] > 0
        assert all(fill[3] == 0 for fill in fills[:-1])
        self._apply([(fill[0], fill[2]) for fill in fills])


class UnfairBook(ReferenceBook):
    """Tells its fills from the back of the queue: the watch must see it."""

    def take(
        self, side: str, limit_price: int | None, quantity: int, now_ns: int
    ) -> list[TakerFill]:
        return super().take(side, limit_price, quantity, now_ns)[::-1]


def test_fill_out_of_turn_is_seen() -> None:
    watch = Watch(UnfairBook())

    with pytest.raises(AssertionError):
        for step in Swarm(SEEDS[0]).steps(STEPS):
            watch.step(step)
