"""The trailing stops of one instrument that wait, and which of them a trade elects.

Pure and integer. The rules, G1 to G6, stand in docs/matching.md. Orders with one mark are a group
that moves as one, so that a new best price costs a step for each group that it lifts, not one for
each order; a group that was lifted onto another stays with it, so that each order is moved at most
log n times besides. What a mark came to is not kept by order but as *peaks*: the best prices, each
with the number of the newest order that saw it.

Heights: a price for a sell, the negated price for a buy, so that up is always good for the order.
"""

from bisect import bisect_left, insort
from collections.abc import Collection
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple
from uuid import UUID

from orders.domain.matching.stops import Waiting
from orders.domain.values import Side

PPM: Final = 1_000_000
"""A trail in percent is a whole number of millionths of the mark."""

UNITS_PER_PPM: Final = 10_000
"""A percentage in units of 10^-8, in millionths of a whole."""

STALE_MAX: Final = 32
"""Entries that a list may hold for nothing besides as many as it has use for."""


class Distance(NamedTuple):
    """How far the stop price keeps from the mark: so many ticks, or else millionths of the mark."""

    ticks: int
    ppm: int

    def at(self, mark: int) -> int:
        """In ticks, when the mark stands there; a part of a tick counts as a whole one (G2)."""
        return self.ticks or -(-mark * self.ppm // PPM)


def stop_at(side: Side, mark: int, distance: Distance) -> int:
    """The stop price of an order whose mark stands there (G2)."""
    return mark - distance.at(mark) * _sign(side)


def _sign(side: Side) -> int:
    return -1 if side is Side.BUY else 1


class Peak(NamedTuple):
    """`price` was reached when the newest of the orders had the number `after`."""

    after: int
    price: int


class _Group:
    """The orders of one mark, those with the smallest distance last in their list."""

    __slots__ = ("by_percent", "by_ticks", "mark")

    def __init__(self, mark: int) -> None:
        self.mark = mark
        self.by_ticks: list[tuple[int, int, UUID]] = []
        self.by_percent: list[tuple[int, int, UUID]] = []

    def entries(self, distance: Distance) -> list[tuple[int, int, UUID]]:
        return self.by_ticks if distance.ticks else self.by_percent

    def nearest(self) -> int | None:
        """The smallest distance of all, in ticks; None for an empty group."""
        found = []
        if self.by_ticks:
            found.append(-self.by_ticks[-1][0])
        if self.by_percent:
            found.append(Distance(0, -self.by_percent[-1][0]).at(self.mark))
        return min(found, default=None)

    def take(self, distance: int) -> list[tuple[int, int, UUID]]:
        """Those that keep at most this distance: (distance, negated number, order)."""
        taken = []
        while self.by_ticks and -self.by_ticks[-1][0] <= distance:
            ticks, newness, order_id = self.by_ticks.pop()
            taken.append((-ticks, newness, order_id))
        while self.by_percent:
            ppm, newness, order_id = self.by_percent[-1]
            ticks = Distance(0, -ppm).at(self.mark)
            if ticks > distance:
                break
            self.by_percent.pop()
            taken.append((ticks, newness, order_id))
        return taken


class _Order(NamedTuple):
    distance: Distance
    sequence: int
    start: int


class TrailSide:
    """One side's trailing stops, those in the queue of the elected included."""

    def __init__(self, side: Side) -> None:
        self._sign = _sign(side)
        self._orders: dict[UUID, _Order] = {}
        self._queued: set[UUID] = set()
        self._groups: dict[int, _Group] = {}  # by height
        self._lowest: list[int] = []  # the groups' heights negated, ascending: the lowest is last
        self._nearest: list[tuple[int, int]] = []  # heap: negated height of a stop, of its group
        self._afters: list[int] = []
        self._peaks: list[int] = []  # heights; they fall as `_afters` rise
        self._newest = 0
        self.changed: dict[int, int | None] = {}
        """Peaks by their number since somebody took note: their price, None for one that went."""

    @property
    def is_empty(self) -> bool:
        return not self._orders

    def order_ids(self) -> list[UUID]:
        return list(self._orders)

    def peaks(self) -> list[Peak]:
        return [
            Peak(after, height * self._sign)
            for after, height in zip(self._afters, self._peaks, strict=True)
        ]

    def restore_peak(self, peak: Peak) -> None:
        """Put a peak back; they come in the order of their numbers."""
        self._afters.append(peak.after)
        self._peaks.append(peak.price * self._sign)
        self._newest = peak.after

    def mark(self, sequence: int, start: int) -> int:
        """The best of `start` and every trade since the order of this number (G1)."""
        place = bisect_left(self._afters, sequence)
        height = start * self._sign
        if place < len(self._peaks):
            height = max(height, self._peaks[place])
        return height * self._sign

    def add(self, order_id: UUID, distance: Distance, sequence: int, start: int) -> None:
        """Let an order wait, for the first time or again after it was elected."""
        self._orders[order_id] = _Order(distance, sequence, start)
        self._queued.discard(order_id)
        self._newest = max(self._newest, sequence)
        height = self.mark(sequence, start) * self._sign
        group = self._groups.get(height)
        if group is None:
            group = self._groups[height] = _Group(height * self._sign)
            insort(self._lowest, -height)
        insort(group.entries(distance), _entry(order_id, distance, sequence))
        self._note_nearest(height, group)

    def remove(self, order_id: UUID) -> None:
        """Forget an order that has ended or entered, if it is here."""
        found = self._orders.pop(order_id, None)
        if found is None:
            return
        distance, sequence, start = found
        if order_id in self._queued:
            self._queued.discard(order_id)
        else:
            height = self.mark(sequence, start) * self._sign
            group = self._groups[height]
            entries = group.entries(distance)
            del entries[bisect_left(entries, _entry(order_id, distance, sequence))]
            self._keep_or_drop(height, group)
        if not self._orders:
            self._drop_peaks(range(len(self._afters)))

    def traded(self, price: int) -> list[Waiting]:
        """Lift the marks that a trade lifts, and take out what it elects (G1, G3)."""
        height = price * self._sign
        self._lift(height)
        elected: list[Waiting] = []
        while self._nearest and -self._nearest[0][0] >= height:
            stop, group_height = heappop(self._nearest)
            group = self._groups.get(group_height)
            if group is None or self._stop_of(group_height, group) != -stop:
                continue  # of a group that has moved or another nearest stop by now
            for distance, newness, order_id in group.take(group_height - height):
                elected.append(Waiting(group_height - distance, newness, order_id))
                self._queued.add(order_id)
            self._keep_or_drop(group_height, group)
        return elected

    def _lift(self, height: int) -> None:
        """Every lower group joins the one at this height."""
        is_lifting = bool(self._lowest) and -self._lowest[-1] < height
        if not is_lifting and not (self._queued and self._is_new(height)):
            return
        merged = self._groups.get(height)
        while self._lowest and -self._lowest[-1] < height:
            group = self._groups.pop(-self._lowest.pop())
            merged = group if merged is None else _merge(merged, group)
        if merged is not None and height not in self._groups:
            insort(self._lowest, -height)
        if merged is not None:
            merged.mark = height * self._sign
            self._groups[height] = merged
            self._note_nearest(height, merged)
        self._note_peak(height)

    def _is_new(self, height: int) -> bool:
        """Whether the peaks do not say already that every order has seen this height."""
        if not self._peaks:
            return True
        return self._peaks[-1] < height or self._afters[-1] < self._newest

    def _note_peak(self, height: int) -> None:
        while self._peaks and self._peaks[-1] <= height:
            self._peaks.pop()
            self.changed[self._afters.pop()] = None
        self._afters.append(self._newest)
        self._peaks.append(height)
        self.changed[self._newest] = height * self._sign
        if len(self._peaks) > 2 * len(self._orders) + STALE_MAX:
            sequences = (order.sequence for order in self._orders.values())
            used = {bisect_left(self._afters, sequence) for sequence in sequences}
            self._drop_peaks([n for n in range(len(self._afters)) if n not in used])

    def _drop_peaks(self, numbers: Collection[int]) -> None:
        dropped = set(numbers)
        self.changed.update({self._afters[number]: None for number in dropped})
        kept = [number for number in range(len(self._afters)) if number not in dropped]
        self._peaks = [self._peaks[number] for number in kept]
        self._afters = [self._afters[number] for number in kept]

    def _stop_of(self, height: int, group: _Group) -> int | None:
        """The height of the group's nearest stop."""
        distance = group.nearest()
        return None if distance is None else height - distance

    def _note_nearest(self, height: int, group: _Group) -> None:
        stop = self._stop_of(height, group)
        assert stop is not None
        heappush(self._nearest, (-stop, height))
        if len(self._nearest) > 2 * len(self._groups) + STALE_MAX:
            found = [(self._stop_of(*pair), pair[0]) for pair in self._groups.items()]
            self._nearest = [(-stop, height) for stop, height in found if stop is not None]
            heapify(self._nearest)

    def _keep_or_drop(self, height: int, group: _Group) -> None:
        if group.nearest() is not None:
            self._note_nearest(height, group)
            return
        del self._groups[height]
        del self._lowest[bisect_left(self._lowest, -height)]

    def waiting(self) -> list[Waiting]:
        """Every order that waits, the next to be elected first."""
        found = []
        for order_id, (distance, sequence, start) in self._orders.items():
            if order_id not in self._queued:
                mark = self.mark(sequence, start)
                reach = mark * self._sign - distance.at(mark)
                found.append(Waiting(reach, -sequence, order_id))
        return sorted(found, reverse=True)


def _entry(order_id: UUID, distance: Distance, sequence: int) -> tuple[int, int, UUID]:
    return -(distance.ticks or distance.ppm), -sequence, order_id


def _merge(one: _Group, other: _Group) -> _Group:
    """Both in one; the smaller is put into the larger."""
    if len(one.by_ticks) + len(one.by_percent) < len(other.by_ticks) + len(other.by_percent):
        one, other = other, one
    for entry in other.by_ticks:
        insort(one.by_ticks, entry)
    for entry in other.by_percent:
        insort(one.by_percent, entry)
    return one


class TrailBook:
    """All trailing stops of one instrument."""

    def __init__(self) -> None:
        self.sides = {side: TrailSide(side) for side in Side}

    def traded(self, price: int) -> dict[Side, list[Waiting]]:
        """What a trade at this price elects, when it has lifted the marks."""
        return {
            side: [] if trails.is_empty else trails.traded(price)
            for side, trails in self.sides.items()
        }

    def order_ids(self) -> list[UUID]:
        """Every order that is here, in no order."""
        return [order_id for trails in self.sides.values() for order_id in trails.order_ids()]

    def waiting(self) -> list[UUID]:
        """Every waiting order: buys as they would be elected, then sells."""
        return [entry.order_id for side in Side for entry in self.sides[side].waiting()]
