"""How far from the best price a market order may trade: rule B2 of docs/market-states.md.

Pure and integer: prices in ticks, the band in basis points of the price.
"""

from typing import Final

from orders.domain.values import Side

BPS: Final = 10_000
MARKET_BAND_BPS: Final = 500
"""The band of an instrument that names none: 5 %."""


def collar_price(side: Side, best: int, band_bps: int) -> int:
    """The worst price in ticks at which a market order of `side` may trade that arrives when the
    other side's best price is `best`: rounded toward the best price, and never below one tick.
    """
    if side is Side.BUY:
        return best * (BPS + band_bps) // BPS
    return max(1, -(best * (band_bps - BPS) // BPS))
