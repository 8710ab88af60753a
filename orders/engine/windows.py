"""Where trades may happen: the window of a volatility band, its reference price and its edges.

Rules V2 and V3 of docs/market-states.md; orders/engine/volatility.py does what follows from them.
"""

from typing import Final

import msgspec

from orders.domain.matching.volatility import Edges, edges_around
from orders.engine import trailing
from orders.engine.state import Instrument, LastTrade, OrderState
from orders.engine.step import Step

SECOND_NS: Final = 10**9


def reference(instrument: Instrument, now_ns: int) -> int | None:
    """The band's reference price in ticks (V2)."""
    if instrument.window is not None and _is_running(instrument, now_ns):
        return instrument.window.price
    return None if instrument.last_trade is None else instrument.last_trade.price


def _is_running(instrument: Instrument, now_ns: int) -> bool:
    window = instrument.window
    length_ns = instrument.window_seconds * SECOND_NS
    return window is not None and now_ns - window.at_ns < length_ns


def edges(instrument: Instrument, now_ns: int) -> Edges | None:
    """Where a trade may happen now; None: anywhere."""
    if not instrument.volatility_bps:
        return None
    price = reference(instrument, now_ns)
    return None if price is None else edges_around(price, instrument.volatility_bps)


def note_trade(step: Step, instrument: Instrument, price: int, *, is_auction: bool = False) -> None:
    """A trade happened: a window may begin with it (V2), and what it elects queues up (E2)."""
    if instrument.volatility_bps and (is_auction or not _is_running(instrument, step.now_ns)):
        before = reference(instrument, step.now_ns)
        begin_window(step, instrument, price if is_auction or before is None else before)
    trailing.note_trade(step, instrument, price)


def begin_window(step: Step, instrument: Instrument, price: int) -> None:
    """From now on the band lies around this price."""
    instrument.window = LastTrade(price, step.now_ns)
    step.changes.instruments[instrument.id] = instrument
    step.changes.window_moves += 1


class Reach(msgspec.Struct, frozen=True, gc=False):
    """How far an order may walk; `wished` is how far it would without the band (`within`)."""

    limit: int | None
    wished: int | None
    within: Edges | None


def reach_of(step: Step, order: OrderState) -> Reach:
    """To its limit, or a market order's collar (B2), and inside the band (V4)."""
    instrument, wished = order.instrument, order.limit_price
    if wished is None:
        wished = instrument.collar(order.side, step.now_ns)
    within = edges(instrument, step.now_ns)
    limit = wished if within is None else within.bound(order.side, wished)
    return Reach(limit, wished, within)
