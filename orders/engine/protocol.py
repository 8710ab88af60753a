"""Frames on the engine's socket: four bytes of length, then a msgpack array [request id, message].

Request id 0 asks for no reply (the feed's quotes). Both ends bound what they accept, and a command
that the database could not store is refused here: it would end the engine for everybody.
"""

import struct
from collections.abc import Iterator

import msgspec

from orders.domain.commands import AnyCommand
from orders.domain.replies import AnyReply

MAX_FRAME_BYTES = 262_144
"""Far above the largest command."""

MAX_REPLY_BYTES = 128 * 1_048_576
"""Above the largest reply: all open orders that an account may have, canceled at once."""

NO_REPLY = 0
_LENGTH = struct.Struct(">I")


class FrameError(Exception):
    """The other side sent something that is not a frame of ours; the connection is closed."""


class FrameBuffer:
    """Bytes in, whole frames out; FrameError for a frame of more than `max_bytes`."""

    __slots__ = ("_data", "_max_bytes")

    def __init__(self, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._data = bytearray()
        self._max_bytes = max_bytes

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that `data` completes."""
        self._data += data
        start = 0
        while len(self._data) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._data, start)
            if size > self._max_bytes:
                raise FrameError(f"a frame of {size} bytes")
            end = start + _LENGTH.size + size
            if len(self._data) < end:
                break
            yield bytes(memoryview(self._data)[start + _LENGTH.size : end])
            start = end
        del self._data[:start]


_encoder = msgspec.msgpack.Encoder()
_command_decoder = msgspec.msgpack.Decoder(tuple[int, AnyCommand])
_reply_decoder = msgspec.msgpack.Decoder(tuple[int, AnyReply])


def encode(request_id: int, message: AnyCommand | AnyReply) -> bytes:
    body = encode_frame(request_id, message)
    return _LENGTH.pack(len(body)) + body


def encode_frame(request_id: int, message: AnyCommand | AnyReply) -> bytes:
    """A frame without its length, as FrameBuffer gives it."""
    return _encoder.encode((request_id, message))


def decode_command(frame: bytes) -> tuple[int, AnyCommand]:
    try:
        return _command_decoder.decode(frame)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error


def decode_reply(frame: bytes) -> tuple[int, AnyReply]:
    try:
        return _reply_decoder.decode(frame)
    except msgspec.MsgspecError as error:
        raise FrameError(str(error)) from error
