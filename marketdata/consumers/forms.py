"""Live messages in the dialect's socket form, once as JSON and once as msgpack for all sockets."""

from typing import Any, Protocol

import msgspec

from marketdata.domain.dialect import (
    BarWire,
    BookWire,
    Fields,
    QuoteWire,
    TradeWire,
    bar_fields,
    book_fields,
    quote_fields,
    trade_fields,
)
from marketdata.domain.topics import Topic, parse_topic
from marketdata.hub import AsgiEvent, Message

NOTHING = (b"", b"null")
"""The data of a snapshot that knows nothing, and of a message that only says to go on."""

_json = msgspec.json.Encoder(decimal_format="number")
_msgpack = msgspec.msgpack.Encoder(decimal_format="number")
_quote = msgspec.json.Decoder(QuoteWire)
_trade = msgspec.json.Decoder(TradeWire)
_bar = msgspec.json.Decoder(BarWire)
_book = msgspec.json.Decoder(BookWire)


class Codec(Protocol):
    """A wire format of the dialect's sockets."""

    name: str

    def pack(self, messages: list[Fields]) -> str | bytes: ...


class JsonCodec:
    name = "dialect-json"

    def pack(self, messages: list[Fields]) -> str | bytes:
        return _json.encode(messages).decode()


class MsgpackCodec:
    """What alpaca-py asks for: binary frames, times as msgpack timestamps."""

    name = "dialect-msgpack"

    def pack(self, messages: list[Fields]) -> str | bytes:
        return _msgpack.encode(messages)


class DialectForm:
    """A hub form: events as arrays of one message. Heartbeats are not in the dialect, and
    snapshots of order books only.
    """

    def __init__(self, codec: Codec) -> None:
        self.name = codec.name
        self.codec = codec

    def event(self, message: Message) -> AsgiEvent | None:
        topic = parse_topic(message.topic)
        if topic is None or (message.is_snapshot and not _starts_with_snapshot(topic, message)):
            return None
        fields = _fields(topic, message.data)
        if fields is None:
            return None
        packed = self.codec.pack([fields])
        kind = "text" if isinstance(packed, str) else "bytes"
        return {"type": "websocket.send", kind: packed}


def _fields(topic: Topic, data: bytes) -> dict[str, Any] | None:  # Any: JSON of the dialect
    is_crypto = "/" in topic.key
    symbol = {"S": topic.key}
    if topic.kind == "quote":
        return {"T": "q"} | symbol | quote_fields(_quote.decode(data), is_crypto=is_crypto)
    if topic.kind == "trade":
        return {"T": "t"} | symbol | trade_fields(_trade.decode(data), is_crypto=is_crypto)
    if topic.kind == "book":
        return {"T": "o"} | symbol | book_fields(_book.decode(data)) | {"r": True}
    if topic.kind == "bar":
        bar = _bar.decode(data)
        is_first = bar.closed and not bar.amended
        return {"T": "b"} | symbol | bar_fields(bar) if is_first else None
    return None


def _starts_with_snapshot(topic: Topic, message: Message) -> bool:
    return topic.kind == "book" and message.data not in NOTHING
