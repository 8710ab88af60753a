"""Bytes that are no command of ours: what a broken or hostile client could write to the socket."""

import struct

import msgspec

from orders.engine.protocol import MAX_FRAME_BYTES

ID = "00000000-0000-0000-0000-000000000001"


def framed(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def packed(*message: object) -> bytes:
    """A frame of request 1 with any array for its command."""
    return framed(msgspec.msgpack.encode([1, list(message)]))


def submit(**different: object) -> bytes:
    """A frame that submits an order, with some fields unlike any that our clients send."""
    fields: dict[str, object] = {
        "order_id": ID,
        "account_id": 1,
        "symbol": "AAPL",
        "client_order_id": "",
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "quantity": "1",
        "limit_price": "100",
        "submitted_by_id": 1,
        "request_id": "r",
    }
    return packed("submit", *(fields | different).values())


BROKEN = {
    "no msgpack": framed(b"\xc1"),
    "nothing": framed(b""),
    "not an array": framed(b"\x01"),
    "unknown command": packed("transfer_everything", 1),
    "too few fields": packed("cancel", ID),
    "larger than any command": struct.pack(">I", MAX_FRAME_BYTES + 1),
    "the largest length there is": b"\xff\xff\xff\xff",
    "words of another protocol": b"GET / HTTP/1.1\r\nHost: engine\r\n\r\n",
    "text for a number": packed("cancel_all", "1", "r"),
    "request number that is text": framed(msgspec.msgpack.encode(["1", ["expire"]])),
    "not a number": submit(quantity="NaN"),
    "signalling": submit(quantity="sNaN"),
    "infinite": submit(quantity="Infinity"),
    "price that is no number": submit(limit_price="NaN"),
    "vast exponent": submit(quantity="1E999999"),
    "vast negative exponent": submit(limit_price="1E-999999"),
    "side that does not exist": submit(side="HOLD"),
    "NUL in a text": submit(client_order_id="a\x00b"),
    "NUL in a request id": submit(request_id="\x00"),
    "client order id that is too long": submit(client_order_id="x" * 129),
    "request id that is too long": submit(request_id="x" * 65),
    "account beyond the numbers": submit(account_id=2**63),
    "user beyond the numbers": submit(submitted_by_id=2**63),
    "cash of no kind": packed("move_cash", 1, "1", "GIFT", "a reason", "r"),
    "cash that is no number": packed("move_cash", 1, "NaN", "DEPOSIT", "a reason", "r"),
    "cash with a vast exponent": packed("move_cash", 1, "1E999999", "DEPOSIT", "r", "r"),
    "reason that is too long": packed("move_cash", 1, "1", "DEPOSIT", "x" * 501, "r"),
    "status of no kind": packed("instrument_status", "AAPL", "BROKEN", "r"),
    "account of no kind": packed("open_account", 99, ID, "MARGIN", "USD"),
    "quote that is no number": packed("street_quote", "AAPL", [["NaN", "1"]], []),
    "quote with a vast exponent": packed("street_quote", "AAPL", [], [["1E999999", "1"]]),
    "endless quote": packed("street_quote", "AAPL", [["1", "1"]] * 200, []),
    "trade that is infinite": packed("street_trade", "AAPL", "Infinity", "1", "BUY"),
}
