"""Orders that wait for an auction: which do, at what price a market order waits, and until when the
opening and the closing take orders.

Rules K3, K4 and X4 of docs/market-states.md; orders/engine/auctions.py holds the auctions.
"""

from typing import Final

from core.domain.clock import wire_time
from marketdata.domain.market_states import MarketState
from orders.domain.commands import SubmitOrder
from orders.domain.matching.collar import collar_price
from orders.domain.values import OrderType, Side, TimeInForce
from orders.engine.state import Instrument, OrderState
from risk.domain.reasons import Denial, DenialReason

SECOND_NS: Final = 10**9
OPENING_CUTOFF_NS: Final = 120 * SECOND_NS
"""OPG orders are taken until two minutes before the opening."""

CLOSING_CUTOFF_NS: Final = 600 * SECOND_NS
"""CLS orders are taken until ten minutes before the close."""

COLLECTING: Final = frozenset({MarketState.CLOSED, MarketState.AUCTION})
AUCTION_ONLY: Final = frozenset({TimeInForce.OPG, TimeInForce.CLS})


def check_auction_time(command: SubmitOrder, instrument: Instrument, now_ns: int) -> Denial | None:
    """Whether an OPG or CLS order comes in time for an auction that there is (K4)."""
    calendar = instrument.calendar
    if calendar is None:
        return Denial(DenialReason.AUCTION_NOT_HELD, {"symbol": instrument.symbol})
    session = calendar.coming(now_ns)
    assert session is not None  # asked before: the calendar is known
    if command.time_in_force is TimeInForce.OPG:
        until_ns = session.opens_ns - OPENING_CUTOFF_NS
    else:
        until_ns = session.closes_ns - CLOSING_CUTOFF_NS
    if now_ns < until_ns:
        return None
    return Denial(
        DenialReason.AUCTION_TOO_LATE,
        {"symbol": instrument.symbol, "until": wire_time(until_ns)},
    )


def joins_queue(order: OrderState, now_ns: int) -> bool:
    """Whether the order waits for an auction instead of entering the market (X4)."""
    if order.time_in_force in AUCTION_ONLY:
        return True
    instrument = order.instrument
    if instrument.is_always_open or order.type.is_stop:
        return False
    return instrument.market_state(now_ns) in COLLECTING


def reference_price(instrument: Instrument, now_ns: int) -> int | None:
    """The last trade, else the middle of what the street shows, rounded down (X5)."""
    if instrument.last_trade is not None:
        return instrument.last_trade.price
    book = instrument.book
    bid = next(iter(book.street_levels(Side.BUY, now_ns)), None)
    ask = next(iter(book.street_levels(Side.SELL, now_ns)), None)
    return None if bid is None or ask is None else (bid + ask) // 2


def price_market_order(order: OrderState, now_ns: int) -> Denial | None:
    """Give a market order that waits the worst price at which it may trade: what it holds for."""
    if order.type is not OrderType.MARKET:
        return None
    instrument = order.instrument
    reference = reference_price(instrument, now_ns)
    if reference is None:
        return Denial(DenialReason.LIQUIDITY_NONE, {"symbol": instrument.symbol})
    order.limit_price = collar_price(order.side, reference, instrument.market_band_bps)
    return None
