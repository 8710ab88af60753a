"""Minute bars out of whole columns of trades, by the trades' flags: for imports of ticks."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from marketdata.domain.bar_columns import BarColumns
from marketdata.domain.e8_arrays import Ints
from marketdata.domain.tick_columns import TradeColumns
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.trading_days import CLOSING_PATIENCE_NS

MINUTE_US: Final = 60_000_000
CLOSING_WITHIN_US: Final = CLOSING_PATIENCE_NS // 1_000
"""How long after a session's end its closing print may come, as in a running feed."""


def minutes_of(trades: TradeColumns, closes_us: Sequence[int]) -> BarColumns:
    """The minutes that the trades draw. A closing print belongs to the last minute of the session
    that has just ended (`closes_us`: when sessions end, rising), as its last print.

    Prints without a price draw none, those without volume count in none; a minute without any price
    is no bar. The average price is that of the prints that count as volume, to 10^-8, rounded half
    to even. So a running feed draws them too (docs/bars.md).
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
    turnover = np.zeros(len(minutes), dtype=object)  # of any length: 64 bits are too few
    places = np.searchsorted(minutes, starts[within])
    np.add.at(volume, places, size[within])
    np.add.at(number, places, 1)
    np.add.at(turnover, places, price[within].astype(object) * size[within].astype(object))
    return BarColumns(
        start_us=minutes,
        open_e8=drawn[first],
        high_e8=np.maximum.reduceat(drawn, first),
        low_e8=np.minimum.reduceat(drawn, first),
        close_e8=drawn[last],
        volume_e8=volume,
        trade_count=number,
        vwap_e8=_averages(turnover.tolist(), volume.tolist()),
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
        is_late &= trades.at_us - close <= CLOSING_WITHIN_US
        starts = np.where(is_late, close - MINUTE_US, starts)
    return starts, is_late


def _averages(turnovers: Sequence[int], volumes: Sequence[int]) -> Ints:
    """Turnover by volume of each minute; 0 where nothing was traded."""
    averages = [
        _divided(turnover, volume) if volume else 0
        for turnover, volume in zip(turnovers, volumes, strict=True)
    ]
    return np.array(averages, dtype=np.int64)


def _divided(turnover: int, volume: int) -> int:
    quotient, rest = divmod(turnover, volume)
    return quotient + (2 * rest > volume or (2 * rest == volume and quotient % 2 == 1))
