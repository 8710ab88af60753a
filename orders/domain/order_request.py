"""Reads the body of POST /v2/orders: shape and spelling only; the engine judges the rest.

Numbers arrive as strings (ccxt) or JSON numbers (alpaca-py); both are exact decimals by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from core.domain.clock import to_ns
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import ErrorReason, Refusal
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from risk.domain.scopes import is_strategy_tag

CODE_FIELD = 40010001
MAX_CLIENT_ORDER_ID_LENGTH = 128
MAX_SYMBOL_LENGTH = 32
FIRST_YEAR = 1971
"""Times before it have no place in nanoseconds since 1970 in every zone."""
Choice = TypeVar("Choice", Side, OrderType, TimeInForce, StpMode)
REQUIRED = ("symbol", "qty", "side", "type", "time_in_force")
CONDITIONS = ("stp_mode", "post_only", "reduce_only", "deadline")
KNOWN = frozenset(
    {
        *REQUIRED,
        *CONDITIONS,
        "limit_price",
        "stop_price",
        "trail_price",
        "trail_percent",
        "client_order_id",
        "strategy",
        "expires_at",
    }
)
# What stock clients may send besides, and the values that change nothing here.
INERT: Mapping[str, tuple[object, ...]] = {
    "extended_hours": (False, None),
    "order_class": ("simple", "", None),
    "position_intent": ("buy_to_open", "sell_to_close", None),
    "notional": (None,),
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
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    strategy: str | None = None
    stp_mode: StpMode | None = None
    post_only: bool = False
    reduce_only: bool = False
    deadline_ns: int | None = None
    expires_at: datetime | None = None


def read_order_request(body: Mapping[str, object]) -> OrderSpec:
    """The order that the body asks for; a Refusal (422) names the first field it cannot take."""
    _check_names(body)
    return OrderSpec(
        symbol=read_text(body, "symbol", MAX_SYMBOL_LENGTH),
        side=read_choice(body, "side", Side),
        type=read_choice(body, "type", OrderType),
        time_in_force=read_choice(body, "time_in_force", TimeInForce),
        quantity=read_decimal(body["qty"], "qty"),
        limit_price=read_price(body, "limit_price"),
        stop_price=read_price(body, "stop_price"),
        trail_price=read_price(body, "trail_price"),
        trail_percent=read_price(body, "trail_percent"),
        expires_at=read_moment(body, "expires_at"),
        client_order_id=read_client_order_id(body),
        strategy=_strategy(body.get("strategy")),
        post_only=_flag(body, "post_only"),
        reduce_only=_flag(body, "reduce_only"),
        deadline_ns=_moment(body, "deadline"),
        stp_mode=None if body.get("stp_mode") is None else read_choice(body, "stp_mode", StpMode),
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


def read_client_order_id(body: Mapping[str, object]) -> str:
    """Empty when the body names none."""
    if body.get("client_order_id") is None:
        return ""
    return read_text(body, "client_order_id", MAX_CLIENT_ORDER_ID_LENGTH)


def read_text(body: Mapping[str, object], field: str, longest: int) -> str:
    value = body[field]
    if not isinstance(value, str) or not value or len(value) > longest or not value.isprintable():
        raise field_refusal(field, f"must be 1 to {longest} printable characters.")
    return value


def _strategy(value: object) -> str | None:
    if value is None or (isinstance(value, str) and is_strategy_tag(value)):
        return value
    raise field_refusal("strategy", "must be 1 to 32 of a-z, 0-9 and -.")


def read_choice(body: Mapping[str, object], field: str, choices: type[Choice]) -> Choice:
    value = body[field]
    if isinstance(value, str) and value.islower() and value.upper() in choices.__members__:
        return choices[value.upper()]
    offered = ", ".join(choice.value.lower() for choice in choices)
    raise field_refusal(field, f"must be one of: {offered}.")


def read_moment(body: Mapping[str, object], field: str) -> datetime | None:
    """A time with its offset, such as 2026-01-31T15:30:00Z, between the years 1970 and 2200."""
    value = body.get(field)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 < moment.year < 2200:
        raise field_refusal(field, "must be a time such as 2026-01-31T15:30:00Z.")
    return moment


def read_price(body: Mapping[str, object], field: str) -> Decimal | None:
    """A decimal that may be left out."""
    value = body.get(field)
    return None if value is None else read_decimal(value, field)


def read_decimal(value: object, field: str) -> Decimal:
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


def _flag(body: Mapping[str, object], field: str) -> bool:
    value = body.get(field)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise field_refusal(field, "must be true or false.")


def _moment(body: Mapping[str, object], field: str) -> int | None:
    """A time in nanoseconds."""
    value = body.get(field)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.year < FIRST_YEAR:
        raise field_refusal(field, "must be a time with its zone, such as 2026-01-31T12:00:00Z.")
    return to_ns(moment)
