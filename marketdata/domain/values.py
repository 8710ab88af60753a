"""The facts a feed tells: quotes with depth and trades, on an instrument's tick and lot grid.

Feeds make them, the feed process numbers and publishes them, the engine takes them as the street's
liquidity.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

DEPTH_LEVELS = 10
"""Levels a side in every quote we publish; the engine's street holds as many (docs/matching.md S1).
"""


class Aggressor(StrEnum):
    """The side that took liquidity in a trade (FIX 54 of the taker)."""

    BUY = "BUY"
    SELL = "SELL"


class Level(NamedTuple):
    """A price and the quantity that stands there."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True)
class Grid:
    """An instrument as feeds see it: its name and the steps its prices and quantities keep to."""

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    is_crypto: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """The whole displayed street of one instrument at one moment, best level first on both
    sides.
    """

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    t_ns: int
    feed: str = ""
    """The name of the feed that told it; the feed process fills it in."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade print; `trade_id` rises within an instrument and is never used twice. `side` is
    None where the source does not tell who took liquidity.
    """

    symbol: str
    trade_id: int
    price: Decimal
    size: Decimal
    side: Aggressor | None
    t_ns: int
    feed: str = ""
    exchange: str = ""
    flags: int = 0
    """TradeFlag (marketdata/domain/trade_conditions.py): what the print may move."""


Tick = Quote | Trade
