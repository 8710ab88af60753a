"""A live message on its way through the hub, and the forms in which sockets want it.

The work of a form is done once per message, however many sockets share it.
"""

from collections.abc import Hashable, Sequence
from typing import Protocol

import msgspec
from websockets.frames import Frame, Opcode

from marketdata.domain.frames import (
    envelope_decoder,
    event_frame,
    events_frame,
    resumed_frame,
    snapshot_frame,
)
from marketdata.domain.live_requests import Position

AsgiEvent = dict[str, str | bytes]
"""An ASGI `websocket.send` event, shared by the sockets that it is sent to: never changed."""


class Outgoing:
    """What any number of sockets are sent: the ASGI event, and the same as bytes of the WebSocket
    protocol. The bytes are made once: to make them anew cost more than to write them to a socket.
    """

    __slots__ = ("event", "frame")

    def __init__(self, event: AsgiEvent) -> None:
        self.event = event
        text = event.get("text")
        if isinstance(text, str):
            frame = Frame(Opcode.TEXT, text.encode())
        else:
            payload = event["bytes"]
            assert isinstance(payload, bytes)
            frame = Frame(Opcode.BINARY, payload)
        self.frame = frame.serialize(mask=False)


class Message:
    """One event or snapshot of a topic. `text` is the frame, `data` the JSON of its data member.

    `base` is the number of the message before it, and `at` the instant (microseconds since 1970)
    when the source's message came, where it is known.
    """

    __slots__ = (
        "_outgoing", "at", "base", "data", "epoch", "is_fact", "is_snapshot", "key", "seq", "text",
        "topic",
    )  # fmt: skip

    def __init__(
        self, topic: str, epoch: str, seq: int, *, text: str, data: bytes, is_snapshot: bool
    ) -> None:
        self.topic = topic
        self.epoch = epoch
        self.seq = seq
        self.text = text
        self.data = data
        self.is_snapshot = is_snapshot
        self.base = seq - 1
        self.at: int | None = None
        self.is_fact = False
        """Of a state topic: it must reach every reader, as a closed bar."""
        self.key: Hashable = topic
        """Of a state: what a newer one must share to take its place in a line."""
        self._outgoing: dict[str, Outgoing | None] = {}

    def outgoing_for(self, form: "Form") -> Outgoing | None:
        """What a socket of this form is sent; None when the form leaves the message out."""
        try:
            return self._outgoing[form.name]
        except KeyError:
            event = form.event(self)
            outgoing = self._outgoing[form.name] = None if event is None else Outgoing(event)
            return outgoing


class Form(Protocol):
    """How sockets of one kind want messages. `name` keys the shared result."""

    name: str

    def event(self, message: Message) -> AsgiEvent | None: ...


class TextForm:
    """The frame as it is: the browser socket."""

    name = "text"

    def event(self, message: Message) -> AsgiEvent | None:
        return {"type": "websocket.send", "text": message.text}


def read_event(frame: bytes) -> Message:
    """The message that a publisher's frame carries; msgspec.DecodeError when it is none."""
    envelope = envelope_decoder.decode(frame)
    message = Message(
        envelope.topic,
        envelope.epoch,
        envelope.seq,
        text=frame.decode(),
        data=bytes(envelope.data),
        is_snapshot=False,
    )
    message.at = envelope.at
    return message


def event_message(topic: str, epoch: str, seq: int, data: bytes) -> Message:
    """The event of a topic whose data is that JSON."""
    frame = event_frame(topic, epoch=epoch, seq=seq, data=msgspec.Raw(data))
    return Message(topic, epoch, seq, text=frame.decode(), data=data, is_snapshot=False)


def events_message(events: Sequence[Message]) -> Message:
    """Facts that follow each other, as one message."""
    first, last = events[0], events[-1]
    frame = events_frame(
        last.topic,
        epoch=last.epoch,
        first=first.seq,
        seq=last.seq,
        data=[msgspec.Raw(event.data) for event in events],
    )
    return Message(
        last.topic, last.epoch, last.seq, text=frame.decode(), data=b"", is_snapshot=False
    )


def snapshot_message(
    topic: str, epoch: str, seq: int, data: object, at: int | None = None
) -> Message:
    """The snapshot of a topic as a message; `data` is anything that msgspec can write as JSON."""
    raw = msgspec.json.encode(data)
    frame = snapshot_frame(topic, epoch=epoch, seq=seq, data=msgspec.Raw(raw), at=at)
    return Message(topic, epoch, seq, text=frame.decode(), data=raw, is_snapshot=True)


def resumed_message(topic: str, since: Position, missed: int) -> Message:
    """What a reader is told who goes on from where it stood."""
    frame = resumed_frame(topic, epoch=since.epoch, seq=since.seq, missed=missed)
    return Message(topic, since.epoch, since.seq, text=frame.decode(), data=b"", is_snapshot=True)
