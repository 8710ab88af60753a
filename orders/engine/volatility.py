"""Volatility bands: no trade outside of them, and the market that would have left one pauses.

Rules V1 to V9 of docs/market-states.md. An instrument without a band pays one question of whether
it has one.
"""

from typing import Final

from core.domain.clock import wire_time
from core.domain.units import units_to_wire
from core.services.audit_log import AuditRow
from marketdata.domain.market_states import MarketState, Pause
from orders.domain.market_commands import SetBands
from orders.domain.matching.street import StreetQuote, displayed
from orders.domain.matching.volatility import Edges
from orders.domain.reasons import CloseReason
from orders.domain.values import Side, TimeInForce
from orders.engine import lifecycle
from orders.engine.market_layers import change_state
from orders.engine.state import Instrument, OrderState
from orders.engine.step import Step
from orders.engine.windows import SECOND_NS, Reach, begin_window, edges, reference
from risk.domain.reasons import Denial, DenialReason

REOPENING_NS: Final = 10 * SECOND_NS
"""How long a market collects that was halted (V6)."""

_TERMS: Final = (
    "market_band_bps",
    "volatility_bps",
    "window_seconds",
    "pause_state",
    "pause_seconds",
)


# --- what would trade outside


def stop_at_edge(step: Step, order: OrderState, reach: Reach) -> bool:
    """If the next trade of an order that took what it could would be outside the band, end it and
    begin the pause (V4); whether it was so.
    """
    best = order.instrument.book.best(order.side.opposite, step.now_ns)
    if best is None or order.time_in_force is TimeInForce.FOK:
        return False
    assert reach.within is not None
    is_reached = reach.wished is None or (
        best <= reach.wished if order.side is Side.BUY else best >= reach.wished
    )
    if reach.within.holds(best) or not is_reached:
        return False
    lifecycle.close(step, order, CloseReason.VOLATILITY_BAND)
    interrupt(step, order.instrument, best)
    return True


def check_quote(step: Step, instrument: Instrument, quote: StreetQuote) -> None:
    """A quote that reaches an order outside the band begins the pause (V5)."""
    within, shown = edges(instrument, step.now_ns), displayed(quote)
    if within is None or shown is None:
        return
    for side, levels in ((Side.BUY, shown.asks), (Side.SELL, shown.bids)):
        if levels:
            _pause_at_orders(step, instrument, side, levels[0][0], within)


def check_print(step: Step, instrument: Instrument, price: int, passive: Side) -> None:
    """So does a print that counts outside it, or that reaches an order outside it (V5)."""
    within = edges(instrument, step.now_ns)
    if within is None:
        return
    if not within.holds(price) and instrument.book.is_inside_street(price, step.now_ns):
        interrupt(step, instrument, price)
    else:
        _pause_at_orders(step, instrument, passive, price, within)


def _pause_at_orders(
    step: Step, instrument: Instrument, side: Side, price: int, within: Edges
) -> None:
    for reached in instrument.book.reached(side, price):
        if not within.holds(reached):
            interrupt(step, instrument, reached)
            return


# --- the pause


def interrupt(step: Step, instrument: Instrument, price: int) -> None:
    """Begin the pause, unless it has begun (V4, V9)."""
    if instrument.pause is not None:
        return
    until_ns = step.now_ns + instrument.pause_seconds * SECOND_NS
    instrument.pause = Pause(instrument.pause_state, until_ns)
    step.changes.instruments[instrument.id] = instrument
    step.state.note_market_time()
    before = reference(instrument, step.now_ns)
    assert before is not None
    tick = instrument.tick_units
    facts = {
        "price": units_to_wire(price * tick),
        "reference": units_to_wire(before * tick),
        "band_bps": str(instrument.volatility_bps),
        "until": wire_time(until_ns),
    }
    reason = (
        f"the next trade would have been at {facts['price']}, more than"
        f" {instrument.volatility_bps} basis points from {facts['reference']}"
    )
    step.changes.audits.append(
        AuditRow(
            actor_id=None,
            action="MarketInterrupted",
            target=f"instrument:{instrument.symbol}",
            reason=reason,
            facts=facts,
            address=None,
            request_id=_request_id(instrument),
            occurred_ns=step.now_ns,
        )
    )
    change_state(step, instrument, reason, _request_id(instrument))


def end_due(step: Step) -> None:
    """Let every pause whose time is over go on to its auction, or end (V6)."""
    for instrument in step.state.paused:
        pause = instrument.pause
        assert pause is not None
        if pause.until_ns > step.now_ns:
            continue
        if pause.state is MarketState.HALTED:
            instrument.pause = Pause(MarketState.AUCTION, step.now_ns + REOPENING_NS)
        else:
            end_pause(step, instrument)
        step.changes.instruments[instrument.id] = instrument
        change_state(step, instrument, "the pause is over", _request_id(instrument))
    step.state.note_market_time()


def end_pause(step: Step, instrument: Instrument) -> None:
    """The market may trade again, around the price of this moment (V6)."""
    if instrument.pause is None:
        return
    instrument.pause = None
    middle = instrument.book.twice_the_middle(step.now_ns)
    if middle is not None:
        begin_window(step, instrument, middle // 2)
    elif instrument.last_trade is not None:
        begin_window(step, instrument, instrument.last_trade.price)
    step.state.note_market_time()


def _request_id(instrument: Instrument) -> str:
    return f"volatility-{instrument.id}"


# --- the operator's command


def set_bands(step: Step, command: SetBands) -> Denial | None:
    """Give the instrument its collar and its band (V1)."""
    instrument = step.state.instrument(command.symbol)
    if instrument is None:
        return Denial(DenialReason.INSTRUMENT_UNKNOWN, {"symbol": command.symbol})
    facts: dict[str, str] = {}
    for name in _TERMS:
        wanted = getattr(command, name)
        if wanted is not None:
            facts[f"{name}_before"] = str(getattr(instrument, name))
            facts[name] = str(wanted)
            setattr(instrument, name, MarketState(wanted) if name == "pause_state" else wanted)
    step.changes.instruments[instrument.id] = instrument
    step.changes.audits.append(
        AuditRow(
            actor_id=command.actor_id,
            action="InstrumentBandsSet",
            target=f"instrument:{instrument.symbol}",
            reason=command.reason,
            facts=facts,
            address=command.address,
            request_id=command.request_id,
            occurred_ns=step.now_ns,
        )
    )
    return None
