"""LEAN's sale conditions as our flags.

The rule was found by comparing the ticks of AIG (2013-10-07) and SPY (2013-10-07 and -08) with the
minute bars of the same folder: docs/market-data-store.md has the numbers.
"""

from enum import IntFlag
from typing import Final

from marketdata.domain.trade_conditions import TradeFlag


class LeanCondition(IntFlag):
    """The bits of LEAN's TradeConditionFlags that change what a print may move."""

    INTERMARKET_SWEEP = 0x20
    OPENING_PRINTS = 0x40
    CLOSING_PRINTS = 0x80
    DERIVATIVELY_PRICED = 0x200
    EXTENDED_HOURS = 0x2000
    AVERAGE_PRICE = 0x100000
    OFFICIAL_CLOSE = 0x1000000
    OFFICIAL_OPEN = 0x4000000


OFFICIAL: Final = (
    LeanCondition.OPENING_PRINTS | LeanCondition.OFFICIAL_OPEN | LeanCondition.OFFICIAL_CLOSE
)
"""Told by a market center beside the trades that made it: neither draws nor counts."""
WITHOUT_PRICE: Final = (
    LeanCondition.INTERMARKET_SWEEP
    | LeanCondition.DERIVATIVELY_PRICED
    | LeanCondition.AVERAGE_PRICE
    | OFFICIAL
)
"""Prints of the regular session that draw no price; in extended hours every print draws."""


def lean_flags(conditions: str) -> TradeFlag:
    """The flags of a print whose conditions LEAN writes in hexadecimal; what is no hexadecimal
    number says nothing.
    """
    try:
        bits = int(conditions, 16)
    except ValueError:
        return TradeFlag.NONE
    if bits & LeanCondition.EXTENDED_HOURS:
        return TradeFlag.EXTENDED
    flags = TradeFlag.NONE
    if bits & WITHOUT_PRICE:
        flags |= TradeFlag.NO_PRICE
    if bits & OFFICIAL:
        flags |= TradeFlag.NO_VOLUME
    if bits & LeanCondition.CLOSING_PRINTS:
        flags |= TradeFlag.CLOSING
    return flags
