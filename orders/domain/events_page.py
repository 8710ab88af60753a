"""Writes docs/event-kinds.md from the kinds of events and the shapes of their payloads.

Run `python -m orders.domain.events_page` after a change; a test compares the two.
"""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Final, get_args, get_origin

import msgspec

from core.events import CURRENT_VERSION, EventKind
from orders.domain.views import AccountEvent, OrderView, ToldOrder

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "event-kinds.md"

HEAD: Final = """\
# Kinds of events

This page is made from the code: `python -m orders.domain.events_page`. How events are written, read
and handed on is told in [events.md](events.md).

| kind | version | what has happened |
|---|---|---|"""
MEANINGS: Final[dict[EventKind, str]] = {
    EventKind.ORDER_ACCEPTED: "an order entered the book, or waits as a stop",
    EventKind.ORDER_HELD: "a leg waits for its group's entry",
    EventKind.ORDER_QUEUED: "an order waits for an auction",
    EventKind.ORDER_RELEASED: "what was held or queued entered the market",
    EventKind.ORDER_TRIGGERED: "a trade elected a stop order",
    EventKind.ORDER_PARTIALLY_FILLED: "a part of an order traded",
    EventKind.ORDER_FILLED: "an order traded wholly",
    EventKind.ORDER_CANCELED: "an order was ended; `order.reason` says why",
    EventKind.ORDER_EXPIRED: "an order ended with its day or at its time",
    EventKind.ORDER_REPLACED: "an order gave way to its successor, whose own event comes next",
    EventKind.ORDER_AMENDED: "an order has less quantity and kept its id and place",
    EventKind.ORDER_DECREMENTED: "self-trade prevention took a part of an order",
    EventKind.CASH_DEPOSITED: "cash came in",
    EventKind.CASH_ADJUSTED: "an operator corrected the cash, up or down",
    EventKind.TRADING_HALTED: "a kill switch halted a scope that the account belongs to",
    EventKind.TRADING_RESTRICTED: "such a scope was limited to cancels, or to lessening positions",
    EventKind.TRADING_RESUMED: "such a scope is active again",
    EventKind.MARKET_STATE_CHANGED: "a plan or a volatility band changed the state of a market",
    EventKind.MARGIN_CALLED: "the account fell below its maintenance requirement",
    EventKind.FORCED_CLOSING_STARTED: "a margin call was not met; positions are being closed",
    EventKind.MARGIN_CALL_MET: "the account is above its requirement again",
}
PAYLOAD: Final = """
## Payload

JSON, the same in the log, on the live topics and for handlers. Quantities, prices and money are
decimal strings. Where the table says so, a field that is null is left out; older events write it
as null, and lack fields that came later. Readers pass over fields that they do not know.
"""
WORDS: Final[dict[Any, str]] = {  # Any: a type as annotations write it
    str: "text",
    int: "whole number",
    bool: "true or false",
    NoneType: "null",
}


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    lines += [f"| `{kind}` | {CURRENT_VERSION[kind]} | {MEANINGS[kind]} |" for kind in EventKind]
    lines.append(PAYLOAD)
    for shape in _shapes(AccountEvent, []):
        lines += [f"### `{shape.__name__}`", "", *_first_lines(shape)]
        lines += ["| field | type |", "|---|---|"]
        lines += [f"| `{name}` | {kind} |" for name, kind in _told_fields(shape)]
        lines.append("")
    return "\n".join(lines)


def _shapes(shape: type[msgspec.Struct], seen: list[type]) -> Iterator[type[msgspec.Struct]]:
    """The shape and all that its fields hold, each once, outer before inner."""
    seen.append(shape)
    yield shape
    for field in _fields(shape):
        for inner in _parts(field.type):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct) and inner not in seen:
                yield from _shapes(inner, seen)


def _fields(shape: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(shape)


def _parts(kind: Any) -> Iterator[Any]:  # Any: a type as annotations write it
    """The types that a union, a list or a plain annotation names."""
    inner = get_args(kind)
    if not inner:
        yield kind
    for part in inner:
        yield from _parts(part)


def _told_fields(shape: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    """Each field of the shape as it is written, with what it is. An order of any age is read as an
    OrderView, and written as a ToldOrder.
    """
    written = ToldOrder if shape is OrderView else shape
    for field in _fields(written):
        kind = _type(field.type)
        if written.__struct_config__.omit_defaults and field.default is None:
            kind = kind.removesuffix(" or null") + ", left out when null"
        yield field.name, kind


def _type(kind: Any) -> str:  # Any: a type as annotations write it
    inner = [_type(part) for part in get_args(kind)]
    if get_origin(kind) is list:
        return f"list of {inner[0]}"
    return " or ".join(inner) or WORDS.get(kind) or f"`{kind.__name__}`"


def _first_lines(shape: type[msgspec.Struct]) -> list[str]:
    text = " ".join((shape.__doc__ or "").split())
    return [text, ""] if text else []


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
