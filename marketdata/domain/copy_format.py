"""Columns of ticks as what PostgreSQL's binary COPY reads: a block of bytes made by numpy.

Every row is as wide as the next, so a million rows are a few array operations. The layout is in
PostgreSQL's manual under COPY, "Binary Format".
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from marketdata.domain.e8_arrays import Ints
from marketdata.domain.tick_columns import EXCHANGE_BYTES, QuoteColumns, TradeColumns

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
POSTGRES_EPOCH_US: Final = 946_684_800_000_000
"""2000-01-01: what a timestamptz counts from."""
BLOCK_ROWS: Final = 16_384
"""Rows made at a time: about a megabyte, so that the server reads while the next are made."""

TRADE_NAMES: Final = (
    *("instrument_id", "at", "number", "price_e8", "size_e8", "side", "feed_id", "flags"),
    "exchange",
)
QUOTE_NAMES: Final = (
    *("instrument_id", "at", "number", "bid_e8", "bid_size_e8", "ask_e8", "ask_size_e8"),
    "feed_id",
)
_TYPES: Final = {"instrument_id": ">i4", "side": ">i2", "feed_id": ">i2", "flags": ">i4"}
"""Of the columns that are not bigint or timestamptz."""


def quote_rows(instrument_id: int, feed_id: int, quotes: QuoteColumns) -> Iterator[bytes]:
    """The rows of `quotes` in blocks; QUOTE_NAMES are their columns."""
    fixed = {"instrument_id": instrument_id, "feed_id": feed_id}
    columns = dict(quotes._asdict())
    columns["at"] = columns.pop("at_us") - POSTGRES_EPOCH_US
    return _blocks(QUOTE_NAMES, fixed, columns, len(quotes.at_us), 0)


def trade_rows(instrument_id: int, feed_id: int, trades: TradeColumns) -> Iterator[bytes]:
    """The rows of `trades` in blocks, those whose exchange's code is of one length together;
    TRADE_NAMES are their columns.
    """
    fixed = {"instrument_id": instrument_id, "feed_id": feed_id}
    lengths = np.char.str_len(trades.exchange)
    for length in range(EXCHANGE_BYTES + 1):
        rows = lengths == length
        if not rows.any():
            continue
        alike = TradeColumns(*(column[rows] for column in trades))
        columns = dict(alike._asdict())
        columns["at"] = columns.pop("at_us") - POSTGRES_EPOCH_US
        yield from _blocks(TRADE_NAMES, fixed, columns, len(alike.at_us), length)


def _blocks(
    names: tuple[str, ...],
    fixed: Mapping[str, int],
    columns: Mapping[str, Ints | NDArray[np.bytes_]],
    count: int,
    exchange_length: int,
) -> Iterator[bytes]:
    """Each row: the number of its columns, then each column's length and value."""
    rows = np.zeros(min(count, BLOCK_ROWS), dtype=_layout(names, exchange_length))
    rows["columns"] = len(names)
    for name in names:
        rows[f"{name} length"] = exchange_length if name == "exchange" else rows[name].itemsize
    for name, value in fixed.items():
        rows[name] = value
    for begin in range(0, count, BLOCK_ROWS):
        end = min(begin + BLOCK_ROWS, count)
        for name, values in columns.items():
            if name != "exchange" or exchange_length:
                rows[name][: end - begin] = values[begin:end]
        yield rows[: end - begin].tobytes()


def _layout(names: tuple[str, ...], exchange_length: int) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("columns", ">i2")]
    for name in names:
        fields.append((f"{name} length", ">i4"))
        if name != "exchange":
            fields.append((name, _TYPES.get(name, ">i8")))
        elif exchange_length:
            fields.append((name, f"S{exchange_length}"))
    return np.dtype(fields)
