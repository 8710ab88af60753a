"""Reads the body of POST /v2/orders: shape and spelling only; the engine judges the rest.

Numbers arrive as strings (ccxt) or JSON numbers (alpaca-py); both are exact decimals by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import ErrorReason, Refusal
from orders.domain.values import OrderType, Side, TimeInForce

CODE_FIELD = 40010001
MAX_CLIENT_ORDER_ID_LENGTH = 128
MAX_SYMBOL_LENGTH = 32
Choice = TypeVar("Choice", Side, OrderType, TimeInForce)
REQUIRED = ("symbol", "qty", "side", "type", "time_in_force")
KNOWN = frozenset({*REQUIRED, "limit_price", "client_order_id"})
# What stock clients may send besides, and the values that change nothing here.
INERT: Mapping[str, tuple[object, ...]] = {
    "extended_hours": (False, None),
    "order_class": ("simple", "", None),
    "position_intent": ("buy_to_open", "sell_to_close", None),
    "notional": (None,),
    "stop_price": (None,),
    "trail_price": (None,),
    "trail_percent": (None,),
    "take_profit": (None,),
    "stop_loss": (None,),
    "legs": (None,),
}


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """What a person or program wants done; exact decimals, shape already checked."""

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None = None
    client_order_id: str = ""


def read_order_request(body: Mapping[str, object]) -> OrderSpec:
    """The order that the body asks for; a Refusal (422) names the first field it cannot take."""
    _check_names(body)
    limit_price = body.get("limit_price")
    return OrderSpec(
        symbol=_text(body, "symbol", MAX_SYMBOL_LENGTH),
        side=_one_of(body, "side", Side),
        type=_one_of(body, "type", OrderType),
        time_in_force=_one_of(body, "time_in_force", TimeInForce),
        quantity=_decimal(body["qty"], "qty"),
        limit_price=None if limit_price is None else _decimal(limit_price, "limit_price"),
        client_order_id=_text(body, "client_order_id", MAX_CLIENT_ORDER_ID_LENGTH)
        if body.get("client_order_id") is not None
        else "",
    )


def field_refusal(
    field: str, problem: str, reason: ErrorReason = ErrorReason.FIELD_INVALID
) -> Refusal:
    return Refusal(
        status=422,
        code=CODE_FIELD,
        reason=reason,
        message=f"{field} {problem}",
        facts={"field": field},
    )


def _check_names(body: Mapping[str, object]) -> None:
    for name, value in body.items():
        if name in KNOWN:
            continue
        if name not in INERT:
            shown = name[:64]
            raise field_refusal(shown, "is not a field of an order.", ErrorReason.FIELD_UNKNOWN)
        if not any(value is allowed or value == allowed for allowed in INERT[name]):
            raise field_refusal(name, "is not offered by this portal with that value.")
    for name in REQUIRED:
        if body.get(name) is None:
            raise field_refusal(name, "is required.", ErrorReason.FIELD_MISSING)


def _text(body: Mapping[str, object], field: str, longest: int) -> str:
    value = body[field]
    if not isinstance(value, str) or not value or len(value) > longest or not value.isprintable():
        raise field_refusal(field, f"must be 1 to {longest} printable characters.")
    return value


def _one_of(body: Mapping[str, object], field: str, choices: type[Choice]) -> Choice:
    value = body[field]
    if isinstance(value, str) and value.islower() and value.upper() in choices.__members__:
        return choices[value.upper()]
    offered = ", ".join(choice.value.lower() for choice in choices)
    raise field_refusal(field, f"must be one of: {offered}.")


def _decimal(value: object, field: str) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except DecimalSyntaxError as error:
            raise field_refusal(field, f"{error}.") from error
    raise field_refusal(field, "must be a plain decimal number such as 12.50.")
