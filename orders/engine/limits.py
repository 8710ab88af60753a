"""Whether the limits on an order's path let it pass: docs/risk.md M3 to M8. Changes nothing."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final

from core.domain.units import UNITS_PER_ONE, units_to_wire
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.values import OrderType, Side
from orders.engine.margin import twice_the_mark, value_of
from orders.engine.restrictions import closable_lots, words_of
from orders.engine.state import Account, EngineState, Instrument, OrderState
from risk.domain.limit_tree import (
    KINDS,
    MAX_LIMIT_UNITS,
    REDUCING,
    Bound,
    Broken,
    LimitKey,
    LimitKind,
    first_broken,
)
from risk.domain.reasons import Denial, DenialReason
from risk.domain.scopes import ScopeKind
from risk.domain.usage import ALL, Usage

BASIS_POINTS: Final = 10_000
_ALLOWED: Final = {
    0: "and may not be traded",
    REDUCING: "and only what lessens a position may be ordered",
}


def check_limits(
    state: EngineState, order: OrderState, notional: int, now_ns: int
) -> Denial | None:
    """No limit of a scope on the order's path would be broken by it; `notional` is its worth."""
    bounds = tuple(bounds_for(state, order))
    if not bounds:
        return None
    collars = [bound for bound in bounds if bound.key.kind is LimitKind.PRICE_COLLAR]
    reference = None if not collars or order.is_waiting else reference_of(order.instrument, now_ns)
    would_be = WouldBe(state, order, notional, now_ns)
    would_be.reference = reference if isinstance(reference, int) else None
    broken = first_broken(bounds, would_be)
    if broken is not None:
        return _denial(state, order, broken, would_be.reference)
    if isinstance(reference, DenialReason):
        scope = words_of(state, collars[0].key.scope)
        return Denial(reference, {"scope": scope, "symbol": order.instrument.symbol})
    return None


def bounds_for(state: EngineState, order: OrderState) -> Iterator[Bound]:
    """The limits in force on the order's path that hold for its symbol, widest scope first."""
    limits, account, instrument = state.limits, order.account, order.instrument
    desk = limits.desks.get(account.desk_id, ()) if account.desk_id is not None else ()
    named = (
        () if order.strategy is None else limits.strategies.get((account.id, order.strategy), ())
    )
    for bound in chain(limits.firm, desk, account.bounds, named, instrument.bounds):
        if not bound.key.instrument_id or bound.key.instrument_id == instrument.id:
            yield bound


def reference_of(instrument: Instrument, now_ns: int) -> int | DenialReason:
    """Twice the price in ticks that prices are checked against (M8), or why there is none."""
    middle, last = instrument.book.twice_the_middle(now_ns), instrument.last_trade
    if middle is not None:
        bid, ask = (instrument.book.best(side, now_ns) for side in (Side.BUY, Side.SELL))
        is_crossed = bid is not None and ask is not None and bid >= ask
        return DenialReason.REFERENCE_CROSSED if is_crossed else middle
    if last is None:
        return DenialReason.REFERENCE_MISSING
    if now_ns - last.at_ns > STREET_TTL_NS:
        return DenialReason.REFERENCE_STALE
    return 2 * last.price


class WouldBe:
    """What each limit's number would be with the order let in, and the one it replaces gone."""

    def __init__(self, state: EngineState, order: OrderState, notional: int, now_ns: int) -> None:
        self._state = state
        self._order = order
        self._notional = notional
        self._now_ns = now_ns
        self.reference: int | None = None
        self._numbers: Mapping[LimitKind, Callable[[LimitKey], int | None]] = {
            LimitKind.RESTRICTED: self._dealing,
            LimitKind.ORDER_QUANTITY: lambda key: order.quantity * order.instrument.lot_units,
            LimitKind.ORDER_VALUE: lambda key: notional,
            LimitKind.OPEN_ORDERS: self._open_orders,
            LimitKind.POSITION: self._position,
            LimitKind.EXPOSURE: self._exposure,
            LimitKind.LEVERAGE: self._leverage,
            LimitKind.PRICE_COLLAR: self._distance,
        }

    def __call__(self, key: LimitKey) -> int | None:
        number = self._numbers.get(key.kind)
        return None if number is None else number(key)

    @property
    def _usage(self) -> Usage:
        usage = self._state.limits.usage
        assert usage is not None, "a limit in force that counts has its usage counted"
        return usage

    def _dealing(self, key: LimitKey) -> int:
        """REDUCING for an order that only lessens a position (W4), more for another."""
        order = self._order
        old = order.account.open_orders.get(order.replaces) if order.replaces else None
        return REDUCING if order.quantity <= closable_lots(order, old) else REDUCING + 1

    def _open_orders(self, key: LimitKey) -> int:
        held = self._usage.total(key.scope, key.instrument_id or ALL).orders
        return (held + (self._order.replaces is None)) * UNITS_PER_ONE

    def _position(self, key: LimitKey) -> int | None:
        lots = self._lots(key)
        return None if lots is None else lots * self._order.instrument.lot_units

    def _lots(self, key: LimitKey) -> int | None:
        """Lots of the order's instrument in the scope; None for an order that only lessens."""
        order = self._order
        pair = self._usage.pair(order.account.id, order.instrument.id)
        old = order.account.open_orders.get(order.replaces) if order.replaces else None
        left = order.quantity - (old.leaves if old is not None else 0)
        own = pair.with_order(left, is_buy=order.side is Side.BUY)
        if not own:
            return None
        return self._usage.total(key.scope, order.instrument.id).lots - pair.worst + own

    def _exposure(self, key: LimitKey) -> int | None:
        order = self._order
        lots = self._lots(key)
        if lots is None:
            return None
        own = order.instrument
        mark = twice_the_mark(own, self._now_ns)
        worth = (
            -(-lots * self._notional // order.quantity)
            if mark is None
            else _up_half(lots * mark * own.value_units)
        )
        if key.instrument_id or key.scope.kind is ScopeKind.SYMBOL:
            return worth
        return worth + sum(
            value_at_mark(self._state, instrument_id, total.lots, self._now_ns)
            for instrument_id, total in self._usage.held(key.scope).items()
            if instrument_id != own.id
        )

    def _leverage(self, key: LimitKey) -> int | None:
        """How many times its equity the order's account would be exposed to."""
        account = self._order.account
        scope = key.scope._replace(kind=ScopeKind.ACCOUNT, number=account.id)
        exposure = self._exposure(LimitKey(scope, LimitKind.EXPOSURE))
        if exposure is None:
            return None
        equity = equity_of(self._state, account, self._now_ns)
        if equity <= 0:
            return NO_EQUITY
        return min(-(-exposure * UNITS_PER_ONE // equity), NO_EQUITY)

    def _distance(self, key: LimitKey) -> int | None:
        """How much worse than the reference the price is, in basis points (M8)."""
        price, reference = self._order.limit_price, self.reference
        if reference is None or price is None or self._order.type is OrderType.MARKET:
            return None
        worse = 2 * price - reference if self._order.side is Side.BUY else reference - 2 * price
        return -(-worse * BASIS_POINTS * UNITS_PER_ONE // reference) if worse > 0 else None


NO_EQUITY: Final = MAX_LIMIT_UNITS + 1
"""More than every limit allows."""


def equity_of(state: EngineState, account: Account, now_ns: int) -> int:
    """What the account is worth: its cash and its positions at their marks (L2)."""
    return account.balance.total + sum(
        value_of(state.instruments_by_id[instrument_id], position, now_ns)
        for instrument_id, position in account.positions.items()
        if position.quantity
    )


def value_at_mark(state: EngineState, instrument_id: int, lots: int, now_ns: int) -> int:
    """So many lots at the mark; what nobody has priced yet is worth nothing yet (M6)."""
    instrument = state.instruments_by_id[instrument_id]
    mark = twice_the_mark(instrument, now_ns) if lots else None
    return 0 if mark is None else _up_half(lots * mark * instrument.value_units)


def _up_half(twice: int) -> int:
    return (twice + 1) // 2


def _denial(state: EngineState, order: OrderState, broken: Broken, reference: int | None) -> Denial:
    key, value = broken.bound.key, broken.bound.value
    facts = {
        "scope": words_of(state, key.scope),
        "limit": units_to_wire(value),
        "would_be": units_to_wire(broken.would_be),
        "symbol": order.instrument.symbol,
        "currency": order.instrument.currency,
    }
    if key.kind is LimitKind.RESTRICTED:
        del facts["would_be"]
        facts["allowed"] = _ALLOWED[value]
    if reference is not None and key.kind is LimitKind.PRICE_COLLAR:
        facts["reference"] = units_to_wire(reference * order.instrument.tick_units // 2)
    return Denial(KINDS[key.kind].reason, facts)
