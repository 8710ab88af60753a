"""The feed's quotes and trades as they enter the books: replace the street, fill what it reached.

Nothing is guessed at: a symbol we do not know and a halted instrument are left out, and so is what
is too old (S3); of a quote the levels off the grid are, and no price is rounded (S1).
"""

from collections.abc import Sequence
from decimal import Decimal

from core.domain.units import decimal_to_units
from marketdata.domain.market_states import MarketState
from orders.domain.commands import PrintStreetTrade, QuoteStreet
from orders.domain.matching.street import STREET_TTL_NS, StreetQuote
from orders.engine.lifecycle import fill_makers
from orders.engine.queueing import COLLECTING
from orders.engine.state import Instrument, LastTrade
from orders.engine.step import Step
from orders.engine.volatility import check_print, check_quote
from orders.engine.windows import note_trade


def quote(step: Step, command: QuoteStreet) -> None:
    """Take a quote into the instrument's book and settle the resting orders it went through."""
    instrument = step.state.instrument(command.symbol)
    t_ns = _held_ns(command, step)
    if instrument is None or instrument.state is MarketState.HALTED or _is_old(t_ns, step):
        return
    shown = StreetQuote(_levels(command.bids, instrument), _levels(command.asks, instrument), t_ns)
    if instrument.volatility_bps and instrument.market_state(step.now_ns) not in COLLECTING:
        check_quote(step, instrument, shown)
        if instrument.market_state(step.now_ns) is MarketState.HALTED:
            return
    step.changes.books[instrument.id] = instrument
    if not instrument.is_always_open and instrument.market_state(step.now_ns) in COLLECTING:
        instrument.book.show_street(shown, step.now_ns)
        return
    fill_makers(step, instrument.book.set_street(shown, step.now_ns))


def print_trade(step: Step, command: PrintStreetTrade) -> None:
    """Let a street trade elect stops, if it is one that counts (E2), and fill the resting orders
    that it went through or reached.
    """
    instrument = step.state.instrument(command.symbol)
    if instrument is None or instrument.state is MarketState.HALTED:
        return
    t_ns = _held_ns(command, step)
    if _is_old(t_ns, step):
        return
    if instrument.market_state(step.now_ns) in COLLECTING:
        return
    price = _steps(command.price, instrument.tick_units)
    quantity = _steps(command.quantity, instrument.lot_units)
    if price is None or quantity is None or price <= 0 or quantity <= 0:
        return
    if instrument.volatility_bps:
        check_print(step, instrument, price, command.aggressor.opposite)
        if instrument.pause is not None:
            return
    if instrument.book.is_inside_street(price, step.now_ns):
        note_trade(step, instrument, price)
        instrument.last_trade = LastTrade(price, t_ns)  # no younger than it is (S3)
    fills = instrument.book.street_trade(price, quantity, command.aggressor, step.now_ns)
    fill_makers(step, fills)


def _held_ns(command: QuoteStreet | PrintStreetTrade, step: Step) -> int:
    """The time that its age counts from (S3)."""
    return step.now_ns if command.t_ns is None else min(command.t_ns, step.now_ns)


def _is_old(t_ns: int, step: Step) -> bool:
    """Whether what held at `t_ns` is not taken any more (S3)."""
    return step.now_ns - t_ns > STREET_TTL_NS


def _levels(
    levels: Sequence[tuple[Decimal, Decimal]], instrument: Instrument
) -> list[tuple[int, int]]:
    """Those on the grid (S1)."""
    result: list[tuple[int, int]] = []
    for price, quantity in levels:
        ticks = _steps(price, instrument.tick_units)
        lots = _steps(quantity, instrument.lot_units)
        if ticks is not None and lots is not None:
            result.append((ticks, lots))
    return result


def _steps(value: Decimal, step_units: int) -> int | None:
    """`value` in whole steps, or None when it is off the grid."""
    units = decimal_to_units(value)
    if units is None or units % step_units:
        return None
    return units // step_units
