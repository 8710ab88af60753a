"""Minute bars out of whole columns of trades, by the trades' flags: for imports of ticks."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from marketdata.domain.bar_columns import BarColumns
from marketdata.domain.e8_arrays import Ints
from marketdata.domain.tick_columns import TradeColumns
from marketdata.domain.trade_conditions import TradeFlag

MINUTE_US: Final = 60_000_000
CLOSING_WITHIN_US: Final = 15 * MINUTE_US
"""How long after a session's end its closing print may come; the auction takes minutes at most."""


def minutes_of(trades: TradeColumns, closes_us: Sequence[int]) -> BarColumns:
    """The minutes that the trades draw. A closing print belongs to the last minute of the session
    that has just ended (`closes_us`: when sessions end, rising), as its last print.

    Prints without a price draw none, those without volume count in none; a minute without any price
    is no bar. The average price is that of the prints that draw, rounded half up to 10^-8.
    """
    starts, is_late = _starts(trades, np.array(closes_us, dtype=np.int64))
    order = np.lexsort((trades.number, trades.at_us, is_late, starts))
    starts, flags = starts[order], trades.flags[order]
    price, size = trades.price_e8[order], trades.size_e8[order]
    draws = (flags & TradeFlag.NO_PRICE) == 0
    counts = (flags & TradeFlag.NO_VOLUME) == 0
    if not draws.any():
        return BarColumns(*np.zeros((len(BarColumns._fields), 0), dtype=np.int64))
    minutes, first = np.unique(starts[draws], return_index=True)
    last = np.append(first[1:], draws.sum()) - 1
    drawn = price[draws]
    within = counts & np.isin(starts, minutes)
    volume, number = np.zeros_like(minutes), np.zeros_like(minutes)
    places = np.searchsorted(minutes, starts[within])
    np.add.at(volume, places, size[within])
    np.add.at(number, places, 1)
    return BarColumns(
        start_us=minutes,
        open_e8=drawn[first],
        high_e8=np.maximum.reduceat(drawn, first),
        low_e8=np.minimum.reduceat(drawn, first),
        close_e8=drawn[last],
        volume_e8=volume,
        trade_count=number,
        vwap_e8=_average(drawn, size[draws], first),
    )


def joined(parts: Sequence[TradeColumns]) -> TradeColumns:
    """The columns one after the other."""
    return TradeColumns(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _starts(trades: TradeColumns, closes_us: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Each print's minute, and which of them came after its end."""
    starts = trades.at_us // MINUTE_US * MINUTE_US
    is_late = np.zeros(len(starts), dtype=np.bool_)
    if len(closes_us):
        before = np.searchsorted(closes_us, trades.at_us, side="right") - 1
        close = closes_us[np.maximum(before, 0)]
        is_late = ((trades.flags & TradeFlag.CLOSING) != 0) & (before >= 0)
        is_late &= trades.at_us - close < CLOSING_WITHIN_US
        starts = np.where(is_late, close - MINUTE_US, starts)
    return starts, is_late


def _average(price: Ints, size: Ints, first: Any) -> Ints:  # Any: numpy's indices
    """Price weighted by size in each group; 0 where nothing was traded. In whole numbers of any
    length: the products do not fit into 64 bits.
    """
    turnover = np.add.reduceat(price.astype(object) * size.astype(object), first)
    volume = np.add.reduceat(size.astype(object), first)
    averages = [
        (2 * total + sizes) // (2 * sizes) if sizes else 0
        for total, sizes in zip(turnover.tolist(), volume.tolist(), strict=True)
    ]
    return np.array(averages, dtype=np.int64)
