"""The rows of the tick store as values: what feeds hand to it and imports make.

Prices and sizes are whole numbers of 10^-8 (marketdata.domain.e8.to_e8). Times are nanoseconds
since 1970; the store cuts them to the microsecond.
"""

from typing import NamedTuple

from marketdata.domain.bars import Bar
from marketdata.domain.e8 import E8, checked_e8, to_e8


class TradeRow(NamedTuple):
    """One print. `number` orders those of one microsecond of an instrument and is used once within
    them: the same trade told again must have the same one. `side`: 1 buy, -1 sell, 0 unknown;
    `flags` are TradeFlag.
    """

    instrument_id: int
    t_ns: int
    number: int
    price_e8: int
    size_e8: int
    side: int
    feed_id: int
    flags: int = 0
    exchange: str = ""


class QuoteRow(NamedTuple):
    """The best bid and ask at one moment; a side whose price is 0 is empty."""

    instrument_id: int
    t_ns: int
    number: int
    bid_e8: int
    bid_size_e8: int
    ask_e8: int
    ask_size_e8: int
    feed_id: int


class SecondRow(NamedTuple):
    """One second's bar. `turnover_e8` is the sum of price times size in 10^-8, rounded half even
    once a bar; divided by `volume_e8` it is the volume-weighted price.
    """

    instrument_id: int
    start_ns: int
    open_e8: int
    high_e8: int
    low_e8: int
    close_e8: int
    volume_e8: int
    trade_count: int
    turnover_e8: int
    feed_id: int


def is_fuller(later: SecondRow, known: SecondRow) -> bool:
    """Whether `later` takes the place of `known`, the same second as it was told before.

    It does with more trades: a late one has come, or the first was told by a process that started
    within the second. It does with the same trades and other prices that enclose those of before:
    a late print that counts in no volume (TradeFlag.NO_VOLUME) has moved it. The halves that two
    processes saw are not added up: a feed tells the trades of its last two seconds again, so they
    may have trades in common.
    """
    if later.trade_count != known.trade_count:
        return later.trade_count > known.trade_count
    if (later.volume_e8, later.turnover_e8) != (known.volume_e8, known.turnover_e8):
        return False
    return later.high_e8 >= known.high_e8 and later.low_e8 <= known.low_e8


def second_row(instrument_id: int, feed_id: int, bar: Bar) -> SecondRow:
    """The row of a bar of one second. Raises NotStorableError for a number that does not fit."""
    turnover = (bar.vwap if bar.vwap is not None else bar.close) * bar.volume
    return SecondRow(
        instrument_id,
        bar.start_ns,
        to_e8(bar.open),
        to_e8(bar.high),
        to_e8(bar.low),
        to_e8(bar.close),
        to_e8(bar.volume),
        bar.trade_count,
        checked_e8(round(turnover * E8)),
        feed_id,
    )
