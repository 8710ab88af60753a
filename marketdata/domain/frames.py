"""Live messages as text: serialised once by the publisher and forwarded byte for byte to every
socket.

The shapes are the protocol of `/ws/v1/` (docs/live-protocol.md): decimal strings, RFC 3339 times
with `Z`.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from core.domain.clock import to_ns, wire_time
from core.domain.decimals import to_wire
from marketdata.domain.bars import Bar
from marketdata.domain.dialect import QuoteWire
from marketdata.domain.values import Level, Quote, Trade

FRAME_WRITER = "tradeportal.frame_writer"
"""The ASGI extension by which our gateway lets a socket write a finished WebSocket frame at once
(tradeportal/frame_sockets.py): a function that takes the frame and says False when it cannot.
"""

_encoder = msgspec.json.Encoder()
EMPTY = Level(Decimal(0), Decimal(0))
"""How an empty side of a quote is shown."""


class Envelope(msgspec.Struct):
    """What every reader of an event frame needs; `data` stays as the bytes it came in.

    `at` is the instant at which the source's message was received, in microseconds since 1970.
    """

    topic: str
    epoch: str
    seq: int
    data: msgspec.Raw
    at: int | None = None


envelope_decoder = msgspec.json.Decoder(Envelope)


class _QuoteFrame(msgspec.Struct):
    data: QuoteWire


_left = msgspec.json.Decoder(_QuoteFrame)


def event_frame(topic: str, *, epoch: str, seq: int, data: object, at: int | None = None) -> bytes:
    """The event frame of `topic`, ready for Redis and for browsers. `at` says when the source's
    message came (microseconds since 1970): from it readers know how old the price is.
    """
    return _with_data("event", topic, epoch, seq, at, data)


def snapshot_frame(
    topic: str, *, epoch: str, seq: int, data: object, at: int | None = None
) -> bytes:
    """The frame that starts a subscription, and repairs one after a gap."""
    return _with_data("snapshot", topic, epoch, seq, at, data)


def resumed_frame(topic: str, *, epoch: str, seq: int, missed: int) -> bytes:
    """The frame that goes on from (epoch, seq): `missed` events follow it, and nothing is lost."""
    frame = {"op": "resumed", "topic": topic, "epoch": epoch, "seq": seq, "missed": missed}
    return _encoder.encode(frame)


def events_frame(topic: str, *, epoch: str, first: int, seq: int, data: Sequence[object]) -> bytes:
    """The facts numbered `first` to `seq` in one frame, for who does not want each at once."""
    return _encoder.encode(
        {"op": "events", "topic": topic, "epoch": epoch, "first": first, "seq": seq, "data": data}
    )


def _with_data(op: str, topic: str, epoch: str, seq: int, at: int | None, data: object) -> bytes:
    frame: dict[str, object] = {"op": op, "topic": topic, "epoch": epoch, "seq": seq}
    if at is not None:
        frame["at"] = at
    frame["data"] = data
    return _encoder.encode(frame)


def quote_data(quote: Quote, *, is_stale: bool = False) -> dict[str, str | bool]:
    """The best level of each side (zeros for an empty one) and the feed that told it; the depth
    goes to the engine, which publishes it as the book. `stale` says that no feed has told anything
    newer for too long: nobody knows whether this still holds.
    """
    bid = quote.bids[0] if quote.bids else EMPTY
    ask = quote.asks[0] if quote.asks else EMPTY
    data: dict[str, str | bool] = {
        "bid": to_wire(bid.price),
        "bid_size": to_wire(bid.size),
        "ask": to_wire(ask.price),
        "ask_size": to_wire(ask.size),
        "t": wire_time(quote.t_ns),
        "feed": quote.feed,
    }
    if is_stale:
        data["stale"] = True
    return data


def read_quote(symbol: str, frame: bytes) -> Quote | None:
    """The quote of a frame that `quote_data` went into, with its best levels; None when the frame
    is of another shape.
    """
    try:
        data = _left.decode(frame).data
    except msgspec.DecodeError:
        return None
    bid, ask = Level(data.bid, data.bid_size), Level(data.ask, data.ask_size)
    return Quote(
        symbol,
        () if bid == EMPTY else (bid,),
        () if ask == EMPTY else (ask,),
        to_ns(data.t),
        data.feed,
    )


def trade_data(trade: Trade) -> dict[str, str | int | None]:
    """One print. `exchange` and `flags` (TradeFlag) are told where there are any."""
    data: dict[str, str | int | None] = {
        "id": trade.trade_id,
        "price": to_wire(trade.price),
        "size": to_wire(trade.size),
        "side": None if trade.side is None else trade.side.value,
        "t": wire_time(trade.t_ns),
        "feed": trade.feed,
    }
    if trade.exchange:
        data["exchange"] = trade.exchange
    if trade.flags:
        data["flags"] = int(trade.flags)
    return data


def bar_data(bar: Bar, feed: str = "") -> dict[str, str | int | bool | None]:
    """A bar, by the feed that its newest trade came from. `amended` says that it was closed before
    and that a late trade has changed it.
    """
    data: dict[str, str | int | bool | None] = {
        "t": wire_time(bar.start_ns),
        "o": to_wire(bar.open),
        "h": to_wire(bar.high),
        "l": to_wire(bar.low),
        "c": to_wire(bar.close),
        "v": to_wire(bar.volume),
        "n": bar.trade_count,
        "vw": None if bar.vwap is None else to_wire(bar.vwap),
        "closed": bar.is_closed,
        "feed": feed,
    }
    if bar.is_amended:
        data["amended"] = True
    return data


def book_data(bids: Sequence[Level], asks: Sequence[Level], t_ns: int) -> dict[str, object]:
    """A depth ladder; the engine publishes this one."""
    return {
        "bids": [[to_wire(level.price), to_wire(level.size)] for level in bids],
        "asks": [[to_wire(level.price), to_wire(level.size)] for level in asks],
        "t": wire_time(t_ns),
    }
