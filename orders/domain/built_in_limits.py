"""The limits that every order has before anybody sets one: shown beside the tree of set ones
(docs/risk.md M16).
"""

from decimal import Decimal
from typing import Final, NamedTuple

from core.domain.units import units_to_decimal
from orders.domain.matching.collar import MARKET_BAND_BPS
from risk.domain.limit_words import LimitUnit
from risk.domain.limits import (
    MAX_NOTIONAL_UNITS,
    MAX_OPEN_ORDERS_PER_ACCOUNT,
    MAX_PRICE,
    MAX_QUANTITY,
)


class BuiltIn(NamedTuple):
    """A limit that cannot be set, with what tells that it was reached."""

    label: str
    unit: LimitUnit
    value: Decimal
    meaning: str
    reason: str


BUILT_IN: Final = (
    BuiltIn(
        "Order quantity",
        LimitUnit.QUANTITY,
        MAX_QUANTITY,
        "The largest quantity of an order.",
        "QUANTITY_OUT_OF_RANGE",
    ),
    BuiltIn(
        "Price",
        LimitUnit.MONEY,
        MAX_PRICE,
        "The highest limit or stop price.",
        "PRICE_OUT_OF_RANGE",
    ),
    BuiltIn(
        "Order value",
        LimitUnit.MONEY,
        units_to_decimal(MAX_NOTIONAL_UNITS),
        "The largest value of an order.",
        "NOTIONAL_ABOVE_MAXIMUM",
    ),
    BuiltIn(
        "Open orders",
        LimitUnit.ORDERS,
        Decimal(MAX_OPEN_ORDERS_PER_ACCOUNT),
        "How many orders an account may have open.",
        "OPEN_ORDERS_EXCEEDED",
    ),
    BuiltIn(
        "Market-order collar",
        LimitUnit.BASIS_POINTS,
        Decimal(MARKET_BAND_BPS),
        "How far from the best price a market order trades, where the instrument names no other.",
        "BAND_REACHED",
    ),
)
