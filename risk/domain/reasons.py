"""Why an order may not pass: the closed list of reason codes with the sentence a trader reads.

Each has the HTTP status and the dialect code that stock clients understand. Filled in by the facts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class DenialReason(StrEnum):
    ACCOUNT_UNKNOWN = "ACCOUNT_UNKNOWN"
    CLIENT_ORDER_ID_DUPLICATE = "CLIENT_ORDER_ID_DUPLICATE"
    CURRENCY_NOT_HELD = "CURRENCY_NOT_HELD"
    FUNDS_INSUFFICIENT = "FUNDS_INSUFFICIENT"
    INSTRUMENT_HALTED = "INSTRUMENT_HALTED"
    INSTRUMENT_UNKNOWN = "INSTRUMENT_UNKNOWN"
    LIQUIDITY_NONE = "LIQUIDITY_NONE"
    NOTIONAL_ABOVE_MAXIMUM = "NOTIONAL_ABOVE_MAXIMUM"
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    OPEN_ORDERS_EXCEEDED = "OPEN_ORDERS_EXCEEDED"
    ORDER_NOT_OPEN = "ORDER_NOT_OPEN"
    POSITION_INSUFFICIENT = "POSITION_INSUFFICIENT"
    PRICE_NOT_ALLOWED = "PRICE_NOT_ALLOWED"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    PRICE_OUT_OF_RANGE = "PRICE_OUT_OF_RANGE"
    PRICE_REQUIRED = "PRICE_REQUIRED"
    QUANTITY_OFF_LOT = "QUANTITY_OFF_LOT"
    QUANTITY_OUT_OF_RANGE = "QUANTITY_OUT_OF_RANGE"
    SELF_TRADE = "SELF_TRADE"
    AMOUNT_INVALID = "AMOUNT_INVALID"


@dataclass(frozen=True, slots=True)
class Wording:
    status: int
    code: int
    sentence: str


UNPROCESSABLE = (422, 42210000)
FORBIDDEN = (403, 40310000)

WORDINGS: Final[dict[DenialReason, Wording]] = {
    DenialReason.ACCOUNT_UNKNOWN: Wording(404, 40410000, "There is no such trading account."),
    DenialReason.CLIENT_ORDER_ID_DUPLICATE: Wording(
        *UNPROCESSABLE, "client_order_id must be unique: order {order_id} already has it."
    ),
    DenialReason.CURRENCY_NOT_HELD: Wording(
        *FORBIDDEN, "{symbol} trades in {currency}, which this account does not hold."
    ),
    DenialReason.FUNDS_INSUFFICIENT: Wording(
        *FORBIDDEN,
        "insufficient balance for {currency} (requested: {required}, available: {available}). "
        "Lower the quantity or the price, or cancel orders that hold cash.",
    ),
    DenialReason.INSTRUMENT_HALTED: Wording(
        *FORBIDDEN, "Trading in {symbol} is halted. Open orders can still be canceled."
    ),
    DenialReason.INSTRUMENT_UNKNOWN: Wording(
        *UNPROCESSABLE, 'asset "{symbol}" not found. See /v2/assets for what trades here.'
    ),
    DenialReason.LIQUIDITY_NONE: Wording(
        *FORBIDDEN, "Nobody offers the other side of {symbol} now. Use a limit order, or wait."
    ),
    DenialReason.NOTIONAL_ABOVE_MAXIMUM: Wording(
        *UNPROCESSABLE, "The order's value {notional} is above the maximum of {maximum}."
    ),
    DenialReason.NOTIONAL_BELOW_MINIMUM: Wording(
        *UNPROCESSABLE, "The order's value {notional} is below the minimum of {minimum}."
    ),
    DenialReason.OPEN_ORDERS_EXCEEDED: Wording(
        *FORBIDDEN,
        "The account has {open_orders} open orders, the most allowed. Cancel some first.",
    ),
    DenialReason.ORDER_NOT_OPEN: Wording(
        *UNPROCESSABLE, "The order is not open, so it cannot be canceled."
    ),
    DenialReason.POSITION_INSUFFICIENT: Wording(
        *FORBIDDEN,
        "insufficient qty available for order (requested: {requested}, available: {available})",
    ),
    DenialReason.PRICE_NOT_ALLOWED: Wording(
        *UNPROCESSABLE, "A market order takes no limit price. Leave it out or send a limit order."
    ),
    DenialReason.PRICE_OFF_TICK: Wording(
        *UNPROCESSABLE,
        "invalid limit_price {limit_price}. It must be a multiple of {tick_size} for {symbol}.",
    ),
    DenialReason.PRICE_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE, "limit_price must be above 0 and at most {maximum}."
    ),
    DenialReason.PRICE_REQUIRED: Wording(*UNPROCESSABLE, "A limit order needs a limit_price."),
    DenialReason.QUANTITY_OFF_LOT: Wording(
        *UNPROCESSABLE, "invalid qty {quantity}. It must be a multiple of {lot_size} for {symbol}."
    ),
    DenialReason.QUANTITY_OUT_OF_RANGE: Wording(
        *UNPROCESSABLE, "qty must be above 0 and at most {maximum}."
    ),
    DenialReason.SELF_TRADE: Wording(
        *FORBIDDEN,
        "potential wash trade detected: an open order of this account stands on the other side. "
        "Cancel it first.",
    ),
    DenialReason.AMOUNT_INVALID: Wording(
        *UNPROCESSABLE,
        "The amount must not be zero, has at most 8 decimals and is at most {maximum}.",
    ),
}


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal by rule: the reason and the facts that caused it, as they go on the wire."""

    reason: DenialReason
    facts: dict[str, str]

    @property
    def sentence(self) -> str:
        return WORDINGS[self.reason].sentence.format_map(self.facts)
