"""Market data in the Alpaca dialect: the short keys that stock clients read, for REST and sockets.

Numbers go out as JSON numbers, exactly as the decimals write them; `t` is a datetime, which JSON
writes as RFC 3339 and msgpack as its timestamp extension.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from marketdata.domain.values import Level

Fields = dict[str, Any]  # Any: JSON of the dialect

VENUE = "V"
CONDITIONS = ["@"]
TAPE = "C"


class QuoteWire(msgspec.Struct):
    """`data` of a quote event."""

    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    t: datetime


class TradeWire(msgspec.Struct):
    """`data` of a trade event."""

    id: int
    price: Decimal
    size: Decimal
    side: str | None
    t: datetime


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


class BookWire(msgspec.Struct):
    """`data` of a book event."""

    bids: list[Level]
    asks: list[Level]
    t: datetime


def quote_fields(quote: QuoteWire, *, is_crypto: bool) -> Fields:
    fields: Fields = {
        "t": quote.t,
        "bp": quote.bid,
        "bs": quote.bid_size,
        "ap": quote.ask,
        "as": quote.ask_size,
    }
    if not is_crypto:
        fields |= {"bx": VENUE, "ax": VENUE, "c": ["R"], "z": TAPE}
    return fields


def trade_fields(trade: TradeWire, *, is_crypto: bool) -> Fields:
    fields: Fields = {"t": trade.t, "p": trade.price, "s": trade.size, "i": trade.id}
    if is_crypto:
        return fields | {"tks": (trade.side or "")[:1]}
    return fields | {"x": VENUE, "c": CONDITIONS, "z": TAPE}


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
    }


def book_fields(book: BookWire) -> Fields:
    return {
        "t": book.t,
        "b": [{"p": level.price, "s": level.size} for level in book.bids],
        "a": [{"p": level.price, "s": level.size} for level in book.asks],
    }
