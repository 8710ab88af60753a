"""Market data in the Alpaca dialect: the short keys that stock clients read, for REST and sockets.

Numbers go out as JSON numbers, exactly as the decimals write them; `t` is a datetime, which JSON
writes as RFC 3339 and msgpack as its timestamp extension. `feed` is ours: where a price came from.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Level

Fields = dict[str, Any]  # Any: JSON of the dialect

VENUE = "V"
REGULAR = "@"
TAPE = "C"
MADE_HERE = "engine"
"""The provenance of order books: the engine makes them of the street and of resting orders."""
MILLISECOND = timedelta(milliseconds=1)
STALE_AFTER: Final = timedelta(seconds=5)
"""A price older than this is not the market's, whoever told it: as long as the engine believes a
quote (orders.domain.matching.street.STREET_TTL_NS). A feed that died says so of nothing.
"""

_CONDITIONS = {
    TradeFlag.NO_PRICE: "W",
    TradeFlag.NO_VOLUME: "M",
    TradeFlag.EXTENDED: "T",
    TradeFlag.CLOSING: "6",
    TradeFlag.LATE: "Z",
}
"""The tape's letter for each thing that sets a print apart."""


class QuoteWire(msgspec.Struct):
    """`data` of a quote event."""

    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    t: datetime
    feed: str = ""
    stale: bool = False
    """No feed has told anything newer for too long: nobody knows whether this still holds."""


class TradeWire(msgspec.Struct):
    """`data` of a trade event."""

    id: int
    price: Decimal
    size: Decimal
    side: str | None
    t: datetime
    feed: str = ""
    flags: int = 0
    exchange: str = ""


class BarWire(msgspec.Struct):
    """`data` of a bar event."""

    t: datetime
    o: Decimal
    h: Decimal
    l: Decimal  # noqa: E741 - the wire's name
    c: Decimal
    v: Decimal
    n: int
    vw: Decimal | None
    closed: bool
    amended: bool = False
    """A closed bar told again, because a trade came late."""
    feed: str = ""


class BookWire(msgspec.Struct):
    """`data` of a book event."""

    bids: list[Level]
    asks: list[Level]
    t: datetime


def is_stale(told: QuoteWire | TradeWire, now: datetime) -> bool:
    """Whether nobody knows at `now` if this price still holds: its feed says so, or it is old."""
    is_told_so = isinstance(told, QuoteWire) and told.stale
    return is_told_so or now - told.t > STALE_AFTER


def quote_fields(quote: QuoteWire, *, is_crypto: bool, now: datetime | None = None) -> Fields:
    """With `now` the quote is the newest, and told as stale by its age too."""
    fields: Fields = {
        "t": quote.t,
        "bp": quote.bid,
        "bs": quote.bid_size,
        "ap": quote.ask,
        "as": quote.ask_size,
    }
    if not is_crypto:
        fields |= {"bx": VENUE, "ax": VENUE, "c": ["R"], "z": TAPE}
    if quote.stale or (now is not None and is_stale(quote, now)):
        fields["stale"] = True
    return fields | _from(quote.feed)


def trade_fields(trade: TradeWire, *, is_crypto: bool) -> Fields:
    fields: Fields = {"t": trade.t, "p": trade.price, "s": trade.size, "i": trade.id}
    if is_crypto:
        fields["tks"] = (trade.side or "")[:1]
    else:
        fields |= {"x": trade.exchange or VENUE, "c": conditions(trade.flags), "z": TAPE}
    return fields | _from(trade.feed)


def conditions(flags: int) -> list[str]:
    """The condition letters of a print; one that nothing sets apart is regular."""
    return [letter for flag, letter in _CONDITIONS.items() if flags & flag] or [REGULAR]


def bar_fields(bar: BarWire) -> Fields:
    return {
        "t": bar.t,
        "o": bar.o,
        "h": bar.h,
        "l": bar.l,
        "c": bar.c,
        "v": bar.v,
        "n": bar.n,
        "vw": bar.vw,
    } | _from(bar.feed)


def book_fields(book: BookWire) -> Fields:
    return {
        "t": book.t,
        "b": [{"p": level.price, "s": level.size} for level in book.bids],
        "a": [{"p": level.price, "s": level.size} for level in book.asks],
    }


def aged(fields: Fields, now: datetime) -> Fields:
    """`fields` with `age_ms`: whole milliseconds since its `t`, never below zero. That of a bar is
    its start.
    """
    return fields | {"age_ms": max(0, (now - fields["t"]) // MILLISECOND)}


def _from(feed: str) -> Fields:
    return {"feed": feed} if feed else {}
