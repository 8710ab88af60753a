"""What an order may ask of its own entry: to be maker only, to reduce only, to come in time; and
what is asked of one that names no price.

Rules P1, U1 and D1 of docs/matching.md, asked only of orders that name them, and M17 of
docs/risk.md.
"""

from typing import Final

from core.domain.decimals import to_wire
from core.domain.units import decimal_to_units, units_to_wire
from orders.domain.commands import SubmitOrder
from orders.domain.silence import denial_of_silence
from orders.domain.values import OrderType, TimeInForce
from orders.engine.restrictions import closable_lots
from orders.engine.state import Instrument, OrderState
from risk.domain.checks import InstrumentTerms
from risk.domain.reasons import Denial, DenialReason

MAX_SLICES: Final = 20
"""As many parts an order may show itself in: bounds the trades that one order can make of another.
"""

RESTING: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTD})


def check_deadline(command: SubmitOrder, now_ns: int) -> Denial | None:
    """The order has come in time (D1)."""
    if command.deadline_ns is None or now_ns <= command.deadline_ns:
        return None
    return Denial(DenialReason.DEADLINE_PASSED, {})


def check_post_only_terms(command: SubmitOrder) -> Denial | None:
    """A post-only order is one that can rest (P1)."""
    rests = command.time_in_force in {TimeInForce.DAY, TimeInForce.GTC}
    if command.type is OrderType.LIMIT and rests:
        return None
    return Denial(DenialReason.POST_ONLY_NOT_ALLOWED, {})


def check_display(command: SubmitOrder, terms: InstrumentTerms) -> Denial | None:
    """An order that hides a part can rest, and shows enough of it at a time (I1)."""
    display = command.display_quantity
    assert display is not None
    is_plain = command.type is OrderType.LIMIT and command.group is None
    if not is_plain or command.time_in_force not in RESTING:
        return Denial(DenialReason.DISPLAY_NOT_ALLOWED, {})
    units = decimal_to_units(display)
    is_whole = units is not None and not units % terms.lot_units
    if is_whole and command.quantity <= display * MAX_SLICES and display <= command.quantity:
        return None
    return Denial(
        DenialReason.DISPLAY_OUT_OF_RANGE,
        {
            "quantity": to_wire(command.quantity),
            "slices": str(MAX_SLICES),
            "lot_size": units_to_wire(terms.lot_units),
        },
    )


def check_post_only(order: OrderState, now_ns: int) -> Denial | None:
    """A post-only order would meet nobody (P1)."""
    instrument = order.instrument
    taken, best = instrument.book.takeable(order.side, order.limit_price, 1, now_ns)
    if not taken:
        return None
    return Denial(
        DenialReason.POST_ONLY_WOULD_TAKE,
        {
            "symbol": instrument.symbol,
            "best_price": units_to_wire(best * instrument.tick_units),
        },
    )


def is_blind(instrument: Instrument, now_ns: int) -> bool:
    """Whether it follows a feed that has fallen silent, or has told nothing yet (docs/risk.md
    M17).
    """
    return instrument.follows_feed and now_ns > instrument.book.street_ends_ns


def check_seen(order: OrderState, now_ns: int) -> Denial | None:
    """A market order that trades now does so where the feed tells a price (docs/risk.md M17). Of a
    forced one orders/engine/margin_calls.py decides.
    """
    instrument = order.instrument
    if order.limit_price is not None or order.forced or not is_blind(instrument, now_ns):
        return None
    return denial_of_silence(instrument.symbol, instrument.book.street_ends_ns)


def check_reduce_only(order: OrderState) -> Denial | None:
    """A reduce-only order asks for no more than is left of the position to close (U1)."""
    instrument = order.instrument
    old = order.account.open_orders.get(order.replaces) if order.replaces else None
    available = closable_lots(order, old)
    if order.quantity <= available:
        return None
    return Denial(
        DenialReason.REDUCE_ONLY_EXCEEDS,
        {
            "symbol": instrument.symbol,
            "requested": units_to_wire(order.quantity * instrument.lot_units),
            "available": units_to_wire(available * instrument.lot_units),
        },
    )
