"""What the scopes' open orders and positions come to, kept up to date order by order: the numbers
that limits on open orders, positions and exposure are judged by (docs/risk.md M4 to M6).

Counted only while such a limit is in force; whoever sets the first one counts once.
"""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from risk.domain.scopes import FIRM, Scope, ScopeKind

ALL: int = 0
"""In the place of an instrument: all of them."""


class Place(NamedTuple):
    """Where an order counts."""

    desk_id: int | None
    account_id: int
    strategy: str | None
    instrument_id: int


class Working(NamedTuple):
    """An order as it counts: the lots that may still fill. None open counts as no order."""

    order_id: UUID
    place: Place
    is_buy: bool
    is_open: bool
    lots: int


@dataclass(slots=True)
class Total:
    """Of one scope in one instrument: open orders, and lots held if the worse side of every
    account filled.
    """

    orders: int = 0
    lots: int = 0


@dataclass(slots=True)
class Pair:
    """One account in one instrument, in lots."""

    position: int = 0
    buys: int = 0
    sells: int = 0

    @property
    def worst(self) -> int:
        return max(self.position + self.buys, self.sells - self.position)

    def with_order(self, lots: int, *, is_buy: bool) -> int:
        """What is held in the order's direction once its side is filled, it included; 0 when that
        only lessens a position.
        """
        end = self.position + self.buys if is_buy else self.sells - self.position
        return max(end + lots, 0)


@dataclass(slots=True)
class Usage:
    """`totals`: by scope and instrument. A symbol's scope is the firm's in that instrument."""

    pairs: dict[tuple[int, int], Pair] = field(default_factory=dict)
    totals: dict[Scope, dict[int, Total]] = field(default_factory=dict)
    _known: dict[UUID, Working] = field(default_factory=dict)

    def note(self, order: Working, position: int) -> None:
        """The order is like this now, and the account's position is. Repeating it is harmless."""
        before = self._known.pop(order.order_id, None)
        pair = self._pair(order.place)
        worst = pair.worst
        if before is not None:
            _add(pair, before, -before.lots)
        if order.is_open:
            self._known[order.order_id] = order
            _add(pair, order, order.lots)
        pair.position = position
        self._spread(order.place, order.is_open - (before is not None), pair.worst - worst)

    def hold(self, place: Place, position: int) -> None:
        """A position that no order tells of."""
        pair = self._pair(place)
        worst = pair.worst
        pair.position = position
        self._spread(place, 0, pair.worst - worst)

    def total(self, scope: Scope, instrument_id: int) -> Total:
        """What the scope has there."""
        if scope.kind is ScopeKind.SYMBOL:
            scope, instrument_id = FIRM, scope.number
        return self.totals.get(scope, {}).get(instrument_id) or Total()

    def held(self, scope: Scope) -> dict[int, Total]:
        """What the scope has in every instrument."""
        if scope.kind is ScopeKind.SYMBOL:
            return {scope.number: self.total(scope, scope.number)}
        return {key: total for key, total in self.totals.get(scope, {}).items() if key != ALL}

    def pair(self, account_id: int, instrument_id: int) -> Pair:
        return self.pairs.get((account_id, instrument_id)) or Pair()

    def _pair(self, place: Place) -> Pair:
        return self.pairs.setdefault((place.account_id, place.instrument_id), Pair())

    def _spread(self, place: Place, orders: int, lots: int) -> None:
        if not (orders or lots):
            return
        for scope in _holders(place):
            self._total(scope, place.instrument_id).lots += lots
        for scope in (*_holders(place), *_strategy(place)):
            self._total(scope, place.instrument_id).orders += orders
            self._total(scope, ALL).orders += orders

    def _total(self, scope: Scope, instrument_id: int) -> Total:
        return self.totals.setdefault(scope, {}).setdefault(instrument_id, Total())


def _add(pair: Pair, order: Working, lots: int) -> None:
    if order.is_buy:
        pair.buys += lots
    else:
        pair.sells += lots


def _holders(place: Place) -> tuple[Scope, ...]:
    account = Scope(ScopeKind.ACCOUNT, place.account_id)
    if place.desk_id is None:
        return FIRM, account
    return FIRM, Scope(ScopeKind.DESK, place.desk_id), account


def _strategy(place: Place) -> tuple[Scope, ...]:
    if place.strategy is None:
        return ()
    return (Scope(ScopeKind.STRATEGY, place.account_id, place.strategy),)
