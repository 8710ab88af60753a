"""Which prints move price and volume: proven against the minute bars of the same real folder."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core.domain.clock import to_ns
from marketdata.domain.bar_columns import BarColumns, BarPlace, bars_of
from marketdata.domain.lean import lean_bars, lean_ticks
from marketdata.domain.lean_conditions import lean_flags
from marketdata.domain.row_checks import Tally
from marketdata.domain.tick_bars import joined, minutes_of
from marketdata.domain.tick_columns import TradeColumns, trades_of
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.services.importing.contents import blocks_of
from tests.marketdata.lean_files import real_folder

Ohlcv = tuple[int, int, int, int, int]


def test_conditions_say_what_a_print_moves() -> None:
    official = TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME
    expected = {
        "1": TradeFlag.NONE,
        "20": TradeFlag.NO_PRICE,
        "200": TradeFlag.NO_PRICE,
        "100000": TradeFlag.NO_PRICE,
        "40": official,
        "4000": TradeFlag.NONE,
        "80": TradeFlag.CLOSING,
        "1000000": official,
        "4000000": official,
        "2000": TradeFlag.EXTENDED,
        "20002020": TradeFlag.EXTENDED,
        "": TradeFlag.NONE,
        "@": TradeFlag.NONE,
    }

    assert {word: lean_flags(word) for word in expected} == expected


def drawn_minutes(folder: Path, symbol: str, day: int) -> dict[int, Ohlcv]:
    """The minute bars that the ticks draw."""
    (file,) = (
        file
        for file in lean_ticks(folder, symbol)
        if file.kind == "trade" and file.day == datetime(2013, 10, day, tzinfo=UTC).date()
    )
    trades = joined([*trades_of(blocks_of(file), file.mapping, file.day, Tally())])
    return rows_of(minutes_of(trades, [to_ns(datetime(2013, 10, day, 20, tzinfo=UTC)) // 1000]))


def rows_of(bars: BarColumns) -> dict[int, Ohlcv]:
    rows = np.stack(bars[:6]).T.tolist()
    return {row[0]: (row[1], row[2], row[3], row[4], row[5]) for row in rows}


def told_minutes(folder: Path, symbol: str, day: int) -> dict[int, Ohlcv]:
    (file,) = (
        file
        for file in lean_bars(folder, symbol, "1Min")
        if file.day == datetime(2013, 10, day, tzinfo=UTC).date()
    )
    place = BarPlace("1Min", "America/New_York")
    (bars,) = bars_of(blocks_of(file), file.mapping, place, file.day, Tally())
    return rows_of(bars)


@pytest.mark.parametrize(
    ("symbol", "day", "minutes", "prices", "volumes"),
    [
        ("AIG", 7, 433, 433, 432),
        ("SPY", 7, 828, 827, 826),
        ("SPY", 8, 828, 826, 826),
    ],
)
def test_flags_draw_the_folders_own_minutes(
    symbol: str, day: int, minutes: int, prices: int, volumes: int
) -> None:
    folder = real_folder()

    drawn_bars = drawn_minutes(folder, symbol, day)
    told = told_minutes(folder, symbol, day)

    assert len(told) == minutes
    assert drawn_bars.keys() == told.keys()
    assert sum(drawn_bars[start][:4] == bar[:4] for start, bar in told.items()) == prices
    assert sum(drawn_bars[start][4] == bar[4] for start, bar in told.items()) == volumes


def columns(*prints: tuple[int, int, int, TradeFlag]) -> TradeColumns:
    """Prints of second, price, size and flags; prices and sizes in whole units."""
    seconds, prices, sizes, flags = (
        np.array(values, dtype=np.int64) for values in zip(*prints, strict=True)
    )
    return TradeColumns(
        at_us=seconds * 1_000_000,
        number=np.arange(len(prints)),
        price_e8=prices * 10**8,
        size_e8=sizes * 10**8,
        side=np.zeros(len(prints), dtype=np.int64),
        flags=flags,
        exchange=np.zeros(len(prints), dtype="S4"),
    )


def test_prints_draw_by_their_flags_and_the_closing_one_ends_its_session() -> None:
    none, closing = TradeFlag.NONE, TradeFlag.CLOSING
    official = TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME
    trades = columns(
        (60, 10, 1, none),
        (61, 99, 2, TradeFlag.NO_PRICE),
        (70, 12, 3, none),
        (119, 11, 1, none),
        (121, 50, 7, official),  # a minute in which nothing draws
        (130, 13, 5, closing),
    )

    bars = minutes_of(trades, [120_000_000])

    whole = 10**8
    assert rows_of(bars) == {
        60_000_000: (10 * whole, 13 * whole, 10 * whole, 13 * whole, 12 * whole)
    }
    assert (bars.trade_count.tolist(), bars.vwap_e8.tolist()) == ([5], [26_66666667])
    assert [*rows_of(minutes_of(trades, []))] == [60_000_000, 120_000_000]


def test_trades_that_draw_nothing_make_no_bar() -> None:
    trades = columns((60, 10, 1, TradeFlag.NO_PRICE))

    assert len(minutes_of(trades, []).start_us) == 0
