"""Reads the body of POST /v2/orders: shape and spelling only; the engine judges the rest.

Numbers arrive as strings (ccxt) or JSON numbers (alpaca-py); both are exact decimals by then.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from core.domain.clock import to_ns
from core.domain.decimals import DecimalSyntaxError, parse_decimal
from core.domain.errors import ErrorReason, Refusal
from orders.domain.order_class import GroupTerms, OrderClass
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from risk.domain.scopes import is_strategy_tag

CODE_FIELD = 40010001
MAX_CLIENT_ORDER_ID_LENGTH = 128
MAX_SYMBOL_LENGTH = 32
FIRST_YEAR = 1971
"""Times before it have no place in nanoseconds since 1970 in every zone."""
Choice = TypeVar("Choice", Side, OrderType, TimeInForce, StpMode, OrderClass)
REQUIRED = ("symbol", "side", "type", "time_in_force")
CONDITIONS = ("stp_mode", "post_only", "reduce_only", "deadline", "display_qty")
KNOWN = frozenset(
    {
        *REQUIRED,
        *CONDITIONS,
        "qty",
        "notional",
        "limit_price",
        "stop_price",
        "trail_price",
        "trail_percent",
        "order_class",
        "take_profit",
        "stop_loss",
        "client_order_id",
        "strategy",
        "expires_at",
    }
)
_GROUP_FIELDS = frozenset({"order_class", "take_profit", "stop_loss"})
# What stock clients may send besides, and the values that change nothing here.
INERT: Mapping[str, tuple[object, ...]] = {
    "extended_hours": (False, None),
    "position_intent": ("buy_to_open", "sell_to_close", None),
    "legs": (None,),
}


class OrderSpec(msgspec.Struct, frozen=True, kw_only=True):
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
    display_quantity: Decimal | None = None
    notional: Decimal | None = None
    strategy: str | None = None
    stp_mode: StpMode | None = None
    post_only: bool = False
    reduce_only: bool = False
    deadline_ns: int | None = None
    expires_at: datetime | None = None
    group: GroupTerms | None = None


def read_order_request(body: Mapping[str, object]) -> OrderSpec:
    """The order that the body asks for; a Refusal (422) names the first field it cannot take."""
    _check_names(body)
    group = None if _GROUP_FIELDS.isdisjoint(body) else _group(body)
    fields: dict[str, Any] = {  # Any: each as its reader gives it
        "symbol": read_text(body, "symbol", MAX_SYMBOL_LENGTH),
        "side": read_choice(body, "side", Side),
        "type": read_choice(body, "type", OrderType),
        "time_in_force": read_choice(body, "time_in_force", TimeInForce),
        "quantity": Decimal(0) if body.get("qty") is None else read_decimal(body["qty"], "qty"),
        "group": group,
    }
    if group is not None and group.order_class is OrderClass.OCO:
        fields["limit_price"] = _oco_limit_price(body)
    # Most orders name few of these: to look first halves what reading an order costs.
    for name, attribute, read in _OPTIONAL:
        if name in body:
            fields.setdefault(attribute, read(body, name))
    return OrderSpec(**fields)


def _group(body: Mapping[str, object]) -> GroupTerms | None:
    """What goes with the order, None for a simple one; which legs a class needs is judged later."""
    profit = _leg(body, "take_profit", ("limit_price",))
    loss = _leg(body, "stop_loss", ("stop_price", "limit_price"))
    if body.get("order_class") in (None, "", "simple"):
        for name in ("take_profit", "stop_loss"):
            if body.get(name) is not None:
                raise field_refusal(name, "goes with order_class bracket, oco or oto.")
        return None
    order_class = read_choice(body, "order_class", OrderClass)
    is_oco = order_class is OrderClass.OCO
    if is_oco and "limit_price" not in profit:
        raise field_refusal("take_profit", "is required with oco.", ErrorReason.FIELD_MISSING)
    return GroupTerms(
        order_class,
        take_profit=None if is_oco else profit.get("limit_price"),
        stop_price=loss.get("stop_price"),
        stop_limit_price=loss.get("limit_price"),
    )


def _leg(body: Mapping[str, object], name: str, known: tuple[str, ...]) -> dict[str, Decimal]:
    """The prices of a leg, the first of which it must name; empty when there is no such leg."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not known[0] in value.keys() <= set(known):
        raise field_refusal(name, f"must be an object with {' and maybe '.join(known)}.")
    prices = {key: read_price(value, key) for key in known}
    if prices[known[0]] is None:
        raise field_refusal(f"{name}.{known[0]}", "is required.", ErrorReason.FIELD_MISSING)
    return {key: price for key, price in prices.items() if price is not None}


def _oco_limit_price(body: Mapping[str, object]) -> Decimal:
    """An oco order is its own take profit, so it need not name its limit twice."""
    named = read_price(body, "limit_price")
    goal = _leg(body, "take_profit", ("limit_price",))["limit_price"]
    if named is not None and named != goal:
        raise field_refusal("limit_price", "of an oco order must be that of take_profit.")
    return goal


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
    for name, value in () if body.keys() <= KNOWN else body.items():
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
    if body.get("notional") is None and body.get("qty") is None:
        raise field_refusal("qty", "or notional is required.", ErrorReason.FIELD_MISSING)
    if body.get("notional") is not None and body.get("qty") is not None:
        raise field_refusal("notional", "and qty exclude each other.")


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


def _strategy(body: Mapping[str, object], field: str) -> str | None:
    value = body[field]
    if value is None or (isinstance(value, str) and is_strategy_tag(value)):
        return value
    raise field_refusal(field, "must be 1 to 32 of a-z, 0-9 and -.")


def read_choice(body: Mapping[str, object], field: str, choices: type[Choice]) -> Choice:
    value = body[field]
    choice: Choice | None = _spellings(choices).get(value) if isinstance(value, str) else None
    if choice is not None:
        return choice
    offered = ", ".join(choice.value.lower() for choice in choices)
    raise field_refusal(field, f"must be one of: {offered}.")


def _stp_mode(body: Mapping[str, object], field: str) -> StpMode | None:
    return None if body[field] is None else read_choice(body, field, StpMode)


@cache
def _spellings(choices: type[StrEnum]) -> dict[str, Any]:  # Any: a member of `choices`
    return {name.lower(): choice for name, choice in choices.__members__.items()}


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


_OPTIONAL: Final[tuple[tuple[str, str, Callable[[Mapping[str, object], str], object]], ...]] = (
    ("notional", "notional", read_price),
    ("limit_price", "limit_price", read_price),
    ("stop_price", "stop_price", read_price),
    ("trail_price", "trail_price", read_price),
    ("trail_percent", "trail_percent", read_price),
    ("display_qty", "display_quantity", read_price),
    ("expires_at", "expires_at", read_moment),
    ("client_order_id", "client_order_id", lambda body, _: read_client_order_id(body)),
    ("strategy", "strategy", _strategy),
    ("post_only", "post_only", _flag),
    ("reduce_only", "reduce_only", _flag),
    ("deadline", "deadline_ns", _moment),
    ("stp_mode", "stp_mode", _stp_mode),
)
"""Fields that may be left out, in the order in which the first wrong one is named: each with its
place in OrderSpec and what reads it.
"""
