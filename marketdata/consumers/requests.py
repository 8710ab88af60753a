"""What a program says on a data socket of the dialect, read strictly."""

from collections.abc import Container, Mapping
from typing import Any, Final

import msgspec

from core.domain import strict_json

Channels = dict[str, set[str]]
"""The symbols of each channel."""

DIALECT_CHANNELS: Final = frozenset(
    {
        "trades",
        "quotes",
        "bars",
        "updatedBars",
        "dailyBars",
        "statuses",
        "lulds",
        "corrections",
        "cancelErrors",
        "orderbooks",
        "imbalances",
        "news",
    }
)
"""Every channel that the dialect has, on whichever socket."""

UNREADABLE: Final = (
    strict_json.StrictJsonError,
    msgspec.DecodeError,
    UnicodeDecodeError,
    RecursionError,  # lists in lists
)
"""What decoders say of a frame that is no request."""


def read_frame(frame: str | bytes) -> Any:  # Any: JSON or msgpack of whatever shape
    """The request that a frame carries: text is JSON, binary is msgpack; None when it is
    neither.
    """
    try:
        if isinstance(frame, str):
            return strict_json.loads(frame.encode())
        return msgspec.msgpack.decode(frame)
    except UNREADABLE:
        return None


def read_channels(request: Mapping[str, object], offered: Container[str]) -> Channels | int:
    """The symbols that a request names for each channel; or the code of what is wrong with it."""
    asked: Channels = {}
    for name, symbols in request.items():
        if name == "action":
            continue
        if name not in offered:
            return 410 if name in DIALECT_CHANNELS else 400
        if not isinstance(symbols, list) or not all(isinstance(one, str) for one in symbols):
            return 400
        asked[name] = set(symbols)
    return asked
