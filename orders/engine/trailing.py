"""Trailing stops in the engine: where a mark begins, what a trade moves, and when it stands still.

Rules G1 to G6 of docs/matching.md. What trades lift is kept by instrument and side as a few peaks
(orders/domain/matching/trailing.py); an order's row says where its mark began until the order
enters or ends. So a trade writes at most one new row, however many orders follow it.
"""

from decimal import Decimal

from marketdata.domain.market_states import MarketState
from orders.domain.commands import SubmitOrder
from orders.domain.matching.stops import protected_price
from orders.domain.matching.street import STREET_TTL_NS
from orders.domain.matching.trailing import UNITS_PER_PPM, stop_at
from orders.domain.trail_terms import check_stop, read_distance
from orders.domain.values import Side
from orders.engine import settlement
from orders.engine.state import Instrument, LastTrade, OrderState
from orders.engine.step import Step
from risk.domain import checks
from risk.domain.reasons import Denial, DenialReason


def note_trade(step: Step, instrument: Instrument, price: int) -> None:
    """A trade happened: it is the last one, marks follow it, and what it elects queues up (E2, E3,
    E7, G1).
    """
    instrument.last_trade = LastTrade(price, step.now_ns)
    if instrument.market_state(step.now_ns) is not MarketState.OPEN:
        return
    if instrument.trails is None:
        step.state.elections.extend(instrument.stops.elected(price))
        return
    for side, trailing in instrument.trails.traded(price).items():
        fixed = instrument.stops.take(side, price)
        both = sorted([*fixed, *trailing], reverse=True)
        step.state.elections.extend(entry.order_id for entry in both)
    _note_peaks(step, instrument)


def _note_peaks(step: Step, instrument: Instrument) -> None:
    assert instrument.trails is not None
    for side, trails in instrument.trails.sides.items():
        for after, price in trails.changed.items():
            step.changes.trail_peak(instrument, side, after, price)
        trails.changed.clear()


def check_trail_terms(command: SubmitOrder, terms: checks.InstrumentTerms) -> Denial | None:
    """One distance, on the grid, and no price: this one follows the market (G2)."""
    if command.stop_price is not None:
        return Denial(DenialReason.STOP_PRICE_NOT_ALLOWED, {})
    found = read_distance(command.trail_price, command.trail_percent, terms)
    return found if isinstance(found, Denial) else None


def set_distance(order: OrderState, command: SubmitOrder) -> None:
    """Take over how far the order keeps from its mark. The terms are checked."""
    if command.trail_price is None and command.trail_percent is None:
        return
    terms = order.instrument.terms
    distance = read_distance(command.trail_price, command.trail_percent, terms)
    assert not isinstance(distance, Denial)
    order.trail_price, order.trail_ppm = distance.ticks or None, distance.ppm or None


def percent_of(order: OrderState) -> Decimal | None:
    """The distance of a trailing stop that names it in percent."""
    return None if order.trail_ppm is None else Decimal(order.trail_ppm) / UNITS_PER_PPM


def begin_trail(order: OrderState, now_ns: int, mark: int | None = None) -> Denial | None:
    """Let a trailing stop's mark begin, at the market unless it is told (G1, G5)."""
    instrument = order.instrument
    if mark is None:
        mark = _market(instrument, order.side, now_ns)
    if mark is None:
        return Denial(DenialReason.TRAIL_REFERENCE_NONE, {"symbol": instrument.symbol})
    stop_price = stop_at(order.side, mark, order.trail)
    denial = check_stop(stop_price, instrument.terms)
    if denial is not None:
        return denial
    order.hwm = mark
    _stop(order, stop_price)
    return None


def _market(instrument: Instrument, side: Side, now_ns: int) -> int | None:
    """Where the market stands: a fresh last trade, else the middle of the street (rounded away from
    the side's good), else the last trade whatever its age.
    """
    last = instrument.last_trade
    if last is not None and now_ns - last.at_ns <= STREET_TTL_NS:
        return last.price
    twice = instrument.book.twice_the_middle(now_ns)
    if twice is not None:
        return twice // 2 if side is Side.SELL else -(-twice // 2)
    return None if last is None else last.price


def mark_of(order: OrderState) -> int | None:
    """Where the mark of a trailing stop stands now (G1); None for any other order."""
    trails = order.instrument.trails
    if order.hwm is None or trails is None or not order.is_waiting:
        return order.hwm
    return trails.sides[order.side].mark(order.sequence, order.hwm)


def stand_still(step: Step, order: OrderState, *, is_entering: bool) -> None:
    """The order enters or ends: its mark and its stop price are what they are from now on. A buy
    that enters has the protection of that stop price, and gives back what it held beyond it (G4).
    """
    order.hwm = mark_of(order)
    assert order.hwm is not None
    stop_price = stop_at(order.side, order.hwm, order.trail)
    if order.instrument.trails is not None:
        order.instrument.trails.sides[order.side].remove(order.id)
        _note_peaks(step, order.instrument)
    held_limit = order.limit_price
    _stop(order, stop_price)
    if not is_entering:
        order.limit_price = held_limit
    elif order.limit_price != held_limit:
        settlement.lower_hold(step, order)


def _stop(order: OrderState, stop_price: int) -> None:
    order.stop_price = stop_price
    if order.side is Side.BUY:
        order.limit_price = protected_price(stop_price, order.instrument.tick_units)
