"""A live message on its way through the hub, and the forms in which sockets want it.

The work of a form is done once per message, however many sockets share it.
"""

from typing import Protocol

import msgspec
from websockets.frames import Frame, Opcode

from marketdata.domain.frames import envelope_decoder, snapshot_frame

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
    """One event or snapshot of a topic. `text` is the frame, `data` the JSON of its data member."""

    __slots__ = ("_outgoing", "data", "epoch", "is_snapshot", "seq", "text", "topic")

    def __init__(
        self, topic: str, epoch: str, seq: int, *, text: str, data: bytes, is_snapshot: bool
    ) -> None:
        self.topic = topic
        self.epoch = epoch
        self.seq = seq
        self.text = text
        self.data = data
        self.is_snapshot = is_snapshot
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
    return Message(
        envelope.topic,
        envelope.epoch,
        envelope.seq,
        text=frame.decode(),
        data=bytes(envelope.data),
        is_snapshot=False,
    )


def snapshot_message(topic: str, epoch: str, seq: int, data: object) -> Message:
    """The snapshot of a topic as a message; `data` is anything that msgspec can write as JSON."""
    raw = msgspec.json.encode(data)
    frame = snapshot_frame(topic, epoch=epoch, seq=seq, data=msgspec.Raw(raw))
    return Message(topic, epoch, seq, text=frame.decode(), data=raw, is_snapshot=True)
