"""Writes docs/asyncapi.json: every form of a frame on the live sockets, with examples.

Run `python -m marketdata.domain.live_page` after a change; one test compares the two, another
plays the examples against a live socket and reads its answers by these forms.
"""

from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from marketdata.domain.ladders import DeltaData
from marketdata.domain.pacing import INTERVALS_MS

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.json"
Json = dict[str, Any]  # Any: a document


class Form(msgspec.Struct, forbid_unknown_fields=True, tag_field="op"):
    """A frame; its `op` says which."""


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A topic, and the last message of it that the reader has."""

    topic: str
    epoch: str
    seq: int


class Subscribe(Form, tag="subscribe"):
    """Follow topics: from a snapshot on, or from a place; each message (0), or at a pace."""

    topics: list[str | Place]
    every_ms: int = 0


class Unsubscribe(Form, tag="unsubscribe"):
    """Follow topics no more."""

    topics: list[str]


class Ping(Form, tag="ping"):
    """Answered by `pong` with the same `t`."""

    t: int


class Welcome(Form, tag="welcome"):
    """The first frame of a page's socket."""

    heartbeat_seconds: int


class Pong(Form, tag="pong"):
    """The answer to `ping`."""

    t: int


class Snapshot(Form, tag="snapshot"):
    """All of a topic up to `seq`: replaces what the reader has."""

    topic: str
    epoch: str
    seq: int
    data: Any  # Any: of the topic's kind
    at: int | None = None


class Event(Form, tag="event"):
    """Something happened. Only the topic `user` has no number."""

    topic: str
    data: Any  # Any: of the topic's kind
    epoch: str | None = None
    seq: int | None = None
    at: int | None = None


class Events(Form, tag="events"):
    """The facts numbered `first` to `seq`, together."""

    topic: str
    epoch: str
    first: int
    seq: int
    data: list[Any]  # Any: of the topic's kind


class Resumed(Form, tag="resumed"):
    """Nothing is lost since this place: so many events follow."""

    topic: str
    epoch: str
    seq: int
    missed: int


class Heartbeat(Form, tag="heartbeat"):
    """Each second."""

    now: str
    engine: Literal["live", "down"]
    feed_age_ms: int | None


class Error(Form, tag="error"):
    """A request was refused; the socket stays."""

    code: str
    message: str
    topic: str | None = None


ClientForm = Subscribe | Unsubscribe | Ping
ServerForm = Welcome | Pong | Snapshot | Event | Events | Resumed | Heartbeat | Error

CLIENT_FORMS: Final = (Subscribe, Unsubscribe, Ping)
SERVER_FORMS: Final = (Welcome, Snapshot, Event, Events, Resumed, Heartbeat, Pong, Error)

EXAMPLES: Final[dict[str, list[Json]]] = {
    "subscribe": [
        {"op": "subscribe", "topics": ["quote:AAPL", "book:AAPL"]},
        {"op": "subscribe", "topics": ["trade:AAPL", "depth:AAPL"], "every_ms": 250},
        {"op": "subscribe", "topics": [{"topic": "trade:AAPL", "epoch": "7f3a", "seq": 41}]},
    ],
    "unsubscribe": [{"op": "unsubscribe", "topics": ["book:AAPL"]}],
    "ping": [{"op": "ping", "t": 123}],
}


def document() -> Json:
    """The AsyncAPI document."""
    forms = (*CLIENT_FORMS, *SERVER_FORMS)
    _, schemas = msgspec.json.schema_components(
        (*forms, DeltaData), ref_template="#/components/schemas/{name}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The portal's live sockets",
            "version": "1",
            "description": (
                "Made from marketdata/domain/live_page.py. docs/live-protocol.md says what the"
                " topics are and when each frame comes; docs/requests.md has orders over a socket"
                " and the key that a program says first. every_ms is 0 or one of"
                f" {', '.join(map(str, INTERVALS_MS))}."
            ),
        },
        "channels": {
            "page": {"address": "/ws/v1/", "messages": _references(forms)},
            "program": {"address": "/api/v1/stream", "messages": _references(forms)},
        },
        "operations": {
            f"{channel}{name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [
                    {"$ref": f"#/channels/{channel}/messages/{form.__name__}"} for form in those
                ],
            }
            for channel in ("page", "program")
            for name, action, those in (
                ("Says", "send", SERVER_FORMS),
                ("Hears", "receive", CLIENT_FORMS),
            )
        },
        "components": {
            "messages": {form.__name__: _message(form) for form in forms},
            "schemas": schemas,
        },
    }


def page() -> str:
    """The whole file."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=1).decode() + "\n"


def _references(forms: tuple[type[Form], ...]) -> Json:
    return {form.__name__: {"$ref": f"#/components/messages/{form.__name__}"} for form in forms}


def _message(form: type[Form]) -> Json:
    op = str(form.__struct_config__.tag)
    message: Json = {
        "name": op,
        "summary": form.__doc__,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{form.__name__}"},
    }
    if op in EXAMPLES:
        message["examples"] = [{"payload": payload} for payload in EXAMPLES[op]]
    return message


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
