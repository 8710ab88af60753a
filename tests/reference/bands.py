"""Volatility bands by the rules V1 to V9 of docs/market-states.md. Part of the slow engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from orders.domain.market_commands import SetBands
from tests.reference.auction import reference as auction_reference
from tests.reference.book import OPPOSITE, is_sound_quote, limit_reaches, without_lock
from tests.reference.plans import Plans, follow
from tests.reference.state import ReferenceState, Refused

if TYPE_CHECKING:
    from tests.reference.book import Level

SECOND_NS = 10**9


@dataclass
class Band:
    """Of one instrument. `window` is a reference price and when it began."""

    bps: int = 0
    window_seconds: int = 300
    pause_state: str = "AUCTION"
    pause_seconds: int = 120
    window: tuple[int, int] | None = None


@dataclass
class Bands:
    by_symbol: dict[str, Band] = field(default_factory=dict)

    def of(self, symbol: str) -> Band:
        return self.by_symbol.setdefault(symbol, Band())


def set_bands(state: ReferenceState, bands: Bands, command: SetBands) -> str:
    """V1."""
    terms = state.find(command.symbol)
    if terms is None:
        raise Refused("INSTRUMENT_UNKNOWN")
    band = bands.of(terms.symbol)
    if command.market_band_bps is not None:
        terms.band_bps = command.market_band_bps
    if command.volatility_bps is not None:
        band.bps = command.volatility_bps
    for name in ("window_seconds", "pause_state", "pause_seconds"):
        if getattr(command, name) is not None:
            setattr(band, name, getattr(command, name))
    return "DONE"


def _runs(state: ReferenceState, band: Band) -> bool:
    if band.window is None:
        return False
    return state.now_ns < band.window[1] + band.window_seconds * SECOND_NS


def reference(state: ReferenceState, bands: Bands, symbol: str) -> int | None:
    """V2."""
    band = bands.of(symbol)
    if band.window is not None and _runs(state, band):
        return band.window[0]
    return state.elections.last[symbol][0] if symbol in state.elections.last else None


def limits(state: ReferenceState, bands: Bands, symbol: str) -> tuple[int, int] | None:
    """V3: the lowest and the highest price inside."""
    band, price = bands.of(symbol), reference(state, bands, symbol)
    if not band.bps or price is None:
        return None
    lowest = ceil(price * Fraction(10_000 - band.bps, 10_000))
    return lowest, floor(price * Fraction(10_000 + band.bps, 10_000))


def traded(
    state: ReferenceState, bands: Bands, symbol: str, price: int, *, is_auction: bool
) -> None:
    """V2: what a trade does to the window, before it is the last trade."""
    band = bands.of(symbol)
    if not band.bps:
        return
    if is_auction:
        band.window = (price, state.now_ns)
    elif not _runs(state, band):
        last = reference(state, bands, symbol)
        band.window = (price if last is None else last, state.now_ns)


def quote_leaves(
    state: ReferenceState, bands: Bands, symbol: str, bids: list[Level], asks: list[Level]
) -> bool:
    """V5: whether it reaches an order outside."""
    if not is_sound_quote(bids, asks):
        return False
    bids, asks = without_lock(bids, asks)
    touched = ("BUY", asks), ("SELL", bids)
    return any(_reaches_outside(state, bands, symbol, side, other) for side, other in touched)


def print_leaves(
    state: ReferenceState, bands: Bands, symbol: str, price: int, aggressor: str
) -> bool:
    """V5: whether it is outside itself, or reaches an order outside."""
    inside = limits(state, bands, symbol)
    if inside is None:
        return False
    if state.books[symbol].is_inside_street(price, state.now_ns) and not _holds(inside, price):
        return True
    return _reaches_outside(state, bands, symbol, OPPOSITE[aggressor], [(price, 1)])


def _reaches_outside(
    state: ReferenceState, bands: Bands, symbol: str, side: str, others: list[Level]
) -> bool:
    inside = limits(state, bands, symbol)
    if inside is None or not others:
        return False
    best = others[0][0]
    return any(
        limit_reaches(side, price, best) and not _holds(inside, price)
        for _, _, resting_side, price, _, _ in state.books[symbol].resting()
        if resting_side == side
    )


def _holds(inside: tuple[int, int], price: int) -> bool:
    return inside[0] <= price <= inside[1]


def interrupt(state: ReferenceState, bands: Bands, plans: Plans, symbol: str) -> None:
    """V6."""
    if symbol in plans.pauses:
        return
    band = bands.of(symbol)
    plans.pauses[symbol] = (band.pause_state, state.now_ns + band.pause_seconds * SECOND_NS)
    follow(state, plans, symbol)


def let_pauses_end(state: ReferenceState, bands: Bands, plans: Plans) -> None:
    """V6: in the order of the instruments."""
    for terms in state.terms:
        if terms.symbol not in plans.pauses:
            continue
        kind, until_ns = plans.pauses[terms.symbol]
        if until_ns > state.now_ns:
            continue
        if kind == "HALTED":
            plans.pauses[terms.symbol] = ("AUCTION", state.now_ns + 10 * SECOND_NS)
        else:
            end_pause(state, bands, plans, terms.symbol)
        follow(state, plans, terms.symbol)


def end_pause(state: ReferenceState, bands: Bands, plans: Plans, symbol: str) -> None:
    if symbol not in plans.pauses:
        return
    del plans.pauses[symbol]
    book = state.books[symbol]
    bids, asks = (book.street(side, state.now_ns) for side in ("BUY", "SELL"))
    if bids and asks:
        bands.of(symbol).window = (floor(Fraction(max(bids) + min(asks), 2)), state.now_ns)
        return
    (terms,) = [terms for terms in state.terms if terms.symbol == symbol]
    last = auction_reference(state, terms)
    if last is not None:
        bands.of(symbol).window = (last, state.now_ns)
