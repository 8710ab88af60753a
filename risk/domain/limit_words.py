"""The words of every kind of limit: what people call it, in what it counts and what it means.

The one place of them: the page of limits, the console, the API's description and the table of
docs/risk.md (orders/domain/limits_page.py) all read them here.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from risk.domain.limit_tree import LimitKind


class LimitUnit(StrEnum):
    """In what a limit's value counts, as the API names it."""

    SWITCH = "switch"
    QUANTITY = "quantity"
    MONEY = "money"
    ORDERS = "orders"
    TIMES = "times equity"
    BASIS_POINTS = "basis points"


class LimitWords(NamedTuple):
    """`meaning` is one sentence that reads on from "The limit:"; `rule` the rules of docs/risk.md
    that say it exactly.
    """

    label: str
    unit: LimitUnit
    meaning: str
    rule: str = ""


WORDS: Final = {
    LimitKind.RESTRICTED: LimitWords(
        "Restricted symbol",
        LimitUnit.SWITCH,
        "0: the symbol may not be traded; 1: only what lessens a position may be ordered. It must "
        "name a symbol or be of one.",
        "W4",
    ),
    LimitKind.ORDER_QUANTITY: LimitWords(
        "Order quantity",
        LimitUnit.QUANTITY,
        "The largest quantity that one order may ask for.",
    ),
    LimitKind.ORDER_VALUE: LimitWords(
        "Order value",
        LimitUnit.MONEY,
        "The largest value that one order may have, in the symbol's quote currency.",
    ),
    LimitKind.OPEN_ORDERS: LimitWords(
        "Open orders", LimitUnit.ORDERS, "How many orders may be open at once.", "M4"
    ),
    LimitKind.POSITION: LimitWords(
        "Position",
        LimitUnit.QUANTITY,
        "The largest position in each symbol, long or short, with all open orders filled.",
        "M5",
    ),
    LimitKind.EXPOSURE: LimitWords(
        "Exposure",
        LimitUnit.MONEY,
        "The largest value of positions and open orders together.",
        "M6",
    ),
    LimitKind.LEVERAGE: LimitWords(
        "Leverage",
        LimitUnit.TIMES,
        "How many times its equity each account may be exposed to.",
        "M7",
    ),
    LimitKind.PRICE_COLLAR: LimitWords(
        "Price collar",
        LimitUnit.BASIS_POINTS,
        "How much worse than the market the price of an order may be; without a fresh market price "
        "nothing passes.",
        "M8",
    ),
    LimitKind.ORDER_RATE: LimitWords(
        "Order rate",
        LimitUnit.ORDERS,
        "How many orders may come within its window of 1 to 3,600 seconds.",
        "M9",
    ),
    LimitKind.REPEATED_ORDERS: LimitWords(
        "Repeated orders",
        LimitUnit.ORDERS,
        "How many orders that are the same may be let in within its window; one more stops who "
        "sends it.",
        "M10",
    ),
    LimitKind.DAILY_LOSS: LimitWords(
        "Daily loss: reduce only",
        LimitUnit.MONEY,
        "How much each account may lose in a day; then it may only lessen positions.",
        "M12",
    ),
    LimitKind.DAILY_LOSS_HALT: LimitWords(
        "Daily loss: halt",
        LimitUnit.MONEY,
        "How much each account may lose in a day; then it is halted and its orders are canceled.",
        "M12",
    ),
    LimitKind.DRAWDOWN: LimitWords(
        "Drawdown: reduce only",
        LimitUnit.MONEY,
        "How far each account may fall from its highest worth; then it may only lessen positions.",
        "M12",
    ),
    LimitKind.DRAWDOWN_HALT: LimitWords(
        "Drawdown: halt",
        LimitUnit.MONEY,
        "How far each account may fall from its highest worth; then it is halted and its orders are"
        " canceled.",
        "M12",
    ),
}
