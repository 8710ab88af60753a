"""Which prints move price and volume: proven against the minute bars of the same real folder."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from marketdata.domain.bar_columns import BarPlace, bars_of
from marketdata.domain.lean import lean_bars, lean_ticks
from marketdata.domain.lean_conditions import lean_flags
from marketdata.domain.row_checks import Tally
from marketdata.domain.tick_columns import trades_of
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.services.importing.contents import blocks_of
from tests.marketdata.lean_files import real_folder

MINUTE_US = 60_000_000
Ohlcv = tuple[int, int, int, int, int]


def test_conditions_say_what_a_print_moves() -> None:
    official = TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME
    expected = {
        "1": TradeFlag.NONE,
        "20": TradeFlag.NO_PRICE,
        "200": TradeFlag.NO_PRICE,
        "100000": TradeFlag.NO_PRICE,
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
    """Minute bars out of the ticks by their flags; the closing print belongs to the minute that
    ends at 16:00.
    """
    (file,) = (
        file
        for file in lean_ticks(folder, symbol)
        if file.kind == "trade" and file.day == datetime(2013, 10, day, tzinfo=UTC).date()
    )
    minutes: dict[int, list[tuple[int, int, int]]] = {}
    close_us = int(datetime(2013, 10, day, 20, tzinfo=UTC).timestamp()) * 1_000_000
    for trades in trades_of(blocks_of(file), file.mapping, file.day, Tally()):
        starts = trades.at_us // MINUTE_US * MINUTE_US
        starts[(trades.flags & TradeFlag.CLOSING) != 0] = close_us - MINUTE_US
        for start, price, size, flags in zip(
            starts.tolist(), trades.price_e8.tolist(), trades.size_e8.tolist(),
            trades.flags.tolist(), strict=True,
        ):  # fmt: skip
            minutes.setdefault(start, []).append((price, size, flags))
    return {start: bar for start, prints in minutes.items() if (bar := drawn(prints))}


def drawn(prints: list[tuple[int, int, int]]) -> Ohlcv | None:
    prices = [price for price, _, flags in prints if not flags & TradeFlag.NO_PRICE]
    if not prices:
        return None
    volume = sum(size for _, size, flags in prints if not flags & TradeFlag.NO_VOLUME)
    return (prices[0], max(prices), min(prices), prices[-1], volume)


def told_minutes(folder: Path, symbol: str, day: int) -> dict[int, Ohlcv]:
    (file,) = (
        file
        for file in lean_bars(folder, symbol, "1Min")
        if file.day == datetime(2013, 10, day, tzinfo=UTC).date()
    )
    place = BarPlace("1Min", "America/New_York")
    (bars,) = bars_of(blocks_of(file), file.mapping, place, file.day, Tally())
    rows = np.stack(bars[:6]).T.tolist()
    return {
        start: (opened, high, low, close, volume)
        for start, opened, high, low, close, volume in rows
    }


@pytest.mark.parametrize(
    ("symbol", "day", "minutes", "prices", "volumes"),
    [
        ("AIG", 7, 433, 433, 430),
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
