"""Live messages as text: serialised once by the publisher and forwarded byte for byte to every
socket.

The shapes are the protocol of `/ws/v1/` (docs/live-protocol.md): decimal strings, RFC 3339 times
with `Z`.
"""

from collections.abc import Sequence

import msgspec

from core.domain.clock import wire_time
from core.domain.decimals import to_wire
from marketdata.domain.bars import Bar
from marketdata.domain.values import Level, Quote, Trade

FRAME_WRITER = "tradeportal.frame_writer"
"""The ASGI extension by which our gateway lets a socket write a finished WebSocket frame at once
(tradeportal/frame_sockets.py): a function that takes the frame and says False when it cannot.
"""

_encoder = msgspec.json.Encoder()


class Envelope(msgspec.Struct):
    """What every reader of an event frame needs; `data` stays as the bytes it came in."""

    topic: str
    epoch: str
    seq: int
    data: msgspec.Raw


envelope_decoder = msgspec.json.Decoder(Envelope)


def event_frame(topic: str, *, epoch: str, seq: int, data: object) -> bytes:
    """The event frame of `topic`, ready for Redis and for browsers."""
    return _encoder.encode(
        {"op": "event", "topic": topic, "epoch": epoch, "seq": seq, "data": data}
    )


def snapshot_frame(topic: str, *, epoch: str, seq: int, data: object) -> bytes:
    """The frame that starts a subscription, and repairs one after a gap."""
    return _encoder.encode(
        {"op": "snapshot", "topic": topic, "epoch": epoch, "seq": seq, "data": data}
    )


def quote_data(quote: Quote) -> dict[str, str]:
    """The best level of each side; the depth goes to the engine, which publishes it as the book."""
    bid, ask = quote.bids[0], quote.asks[0]
    return {
        "bid": to_wire(bid.price),
        "bid_size": to_wire(bid.size),
        "ask": to_wire(ask.price),
        "ask_size": to_wire(ask.size),
        "t": wire_time(quote.t_ns),
    }


def trade_data(trade: Trade) -> dict[str, str | int | None]:
    return {
        "id": trade.trade_id,
        "price": to_wire(trade.price),
        "size": to_wire(trade.size),
        "side": None if trade.side is None else trade.side.value,
        "t": wire_time(trade.t_ns),
    }


def bar_data(bar: Bar) -> dict[str, str | int | bool | None]:
    return {
        "t": wire_time(bar.start_ns),
        "o": to_wire(bar.open),
        "h": to_wire(bar.high),
        "l": to_wire(bar.low),
        "c": to_wire(bar.close),
        "v": to_wire(bar.volume),
        "n": bar.trade_count,
        "vw": None if bar.vwap is None else to_wire(bar.vwap),
        "closed": bar.is_closed,
    }


def book_data(bids: Sequence[Level], asks: Sequence[Level], t_ns: int) -> dict[str, object]:
    """A depth ladder; the engine publishes this one."""
    return {
        "bids": [[to_wire(level.price), to_wire(level.size)] for level in bids],
        "asks": [[to_wire(level.price), to_wire(level.size)] for level in asks],
        "t": wire_time(t_ns),
    }
