"""Reads what shall be different of an order: the bodies of PATCH, and what a cancel of all names.

Shape and spelling only, as orders/domain/order_request.py; the engine judges the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.domain.errors import ErrorReason
from orders.domain.command_parts import MAX_SYMBOLS
from orders.domain.order_request import (
    MAX_SYMBOL_LENGTH,
    field_refusal,
    read_choice,
    read_client_order_id,
    read_decimal,
    read_price,
)
from orders.domain.values import Side, TimeInForce

REPLACE_FIELDS = frozenset(
    {"qty", "limit_price", "stop_price", "time_in_force", "client_order_id", "trail"}
)


@dataclass(frozen=True, slots=True)
class OrderChanges:
    """What a replace names; None and an empty client order id: not named."""

    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str = ""


def read_order_changes(body: Mapping[str, object]) -> OrderChanges:
    """The replace that the body asks for; a Refusal (422) names the first field it cannot take."""
    _refuse_unknown(body, REPLACE_FIELDS)
    return OrderChanges(
        quantity=read_price(body, "qty"),
        limit_price=read_price(body, "limit_price"),
        stop_price=read_price(body, "stop_price"),
        trail=read_price(body, "trail"),
        time_in_force=None
        if body.get("time_in_force") is None
        else read_choice(body, "time_in_force", TimeInForce),
        client_order_id=read_client_order_id(body),
    )


def read_amendment(body: Mapping[str, object]) -> Decimal:
    """The new quantity."""
    _refuse_unknown(body, frozenset({"quantity"}))
    if body.get("quantity") is None:
        raise field_refusal("quantity", "is required.", ErrorReason.FIELD_MISSING)
    return read_decimal(body["quantity"], "quantity")


def read_cancel_filter(query: Mapping[str, str]) -> tuple[tuple[str, ...], Side | None]:
    """The symbols and the side that a cancel of all is limited to; none: not limited."""
    _refuse_unknown(query, frozenset({"symbols", "side"}))
    symbols: tuple[str, ...] = ()
    if "symbols" in query:
        symbols = tuple(query["symbols"].split(","))
        if len(symbols) > MAX_SYMBOLS or not all(map(_is_symbol, symbols)):
            raise field_refusal(
                "symbols", f"must be 1 to {MAX_SYMBOLS} symbols, such as AAPL,MSFT."
            )
    return symbols, read_choice(query, "side", Side) if "side" in query else None


def _is_symbol(text: str) -> bool:
    return 0 < len(text) <= MAX_SYMBOL_LENGTH and text.isprintable()


def _refuse_unknown(names: Mapping[str, object], known: frozenset[str]) -> None:
    for name in names:
        if name not in known:
            raise field_refusal(name[:64], "is not a field here.", ErrorReason.FIELD_UNKNOWN)
