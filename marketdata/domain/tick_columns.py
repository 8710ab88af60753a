"""Blocks of a file into columns of trades and quotes, checked row by row by stated rules.

Refused and counted: rows that are malformed, marked suspicious by their source, without a readable
time, with a price that is not positive or a number that does not fit. Counted but kept: crossed
quotes. They are facts of the tape.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from marketdata.domain.e8_arrays import Ints
from marketdata.domain.file_tables import Block, ColumnMapping
from marketdata.domain.lean_conditions import lean_flags
from marketdata.domain.row_checks import RowCheck, Tally, whole_array
from marketdata.domain.row_refusals import RowRefusal

EXCHANGE_BYTES: Final = 4
"""As many as the store holds of an exchange's code; a longer one is cut, and what is no visible
ASCII is left out.
"""
SIDES: Final = {"buy": 1, "b": 1, "1": 1, "sell": -1, "s": -1, "-1": -1}


class TradeColumns(NamedTuple):
    """Trades as columns of one length: `at_us` in microseconds since 1970, numbers in 10^-8."""

    at_us: Ints
    number: Ints
    price_e8: Ints
    size_e8: Ints
    side: Ints
    flags: Ints
    exchange: NDArray[np.bytes_]


class QuoteColumns(NamedTuple):
    """Quotes as columns of one length; a side whose price is 0 is empty."""

    at_us: Ints
    number: Ints
    bid_e8: Ints
    bid_size_e8: Ints
    ask_e8: Ints
    ask_size_e8: Ints


def trades_of(
    blocks: Iterable[Block], mapping: ColumnMapping, day: date | None, tally: Tally
) -> Iterator[TradeColumns]:
    """The trades of each block that are to be stored; `tally` grows as they are read."""
    for block in blocks:
        check = RowCheck(block, mapping, day)
        price = check.numbers("price", mapping.price_shift)
        size = check.numbers("size", mapping.size_shift)
        check.refuse(price <= 0, RowRefusal.PRICE_NOT_POSITIVE)
        check.refuse(size < 0, RowRefusal.SIZE_NEGATIVE)
        kept = check.kept(tally)
        yield TradeColumns(
            check.at_us[kept],
            check.number[kept],
            price[kept],
            size[kept],
            _sides(block)[kept],
            _flags(block, mapping)[kept],
            _exchanges(block)[kept],
        )


def quotes_of(
    blocks: Iterable[Block], mapping: ColumnMapping, day: date | None, tally: Tally
) -> Iterator[QuoteColumns]:
    """The quotes of each block that are to be stored. Where the mapping says so, a side that is 0
    is the one before it in the file.
    """
    last = (0, 0, 0, 0)
    for block in blocks:
        check = RowCheck(block, mapping, day)
        bid = check.numbers("bid", mapping.price_shift)
        ask = check.numbers("ask", mapping.price_shift)
        bid_size = check.numbers("bid_size", mapping.size_shift)
        ask_size = check.numbers("ask_size", mapping.size_shift)
        check.refuse((bid < 0) | (ask < 0), RowRefusal.PRICE_NOT_POSITIVE)
        check.refuse((bid == 0) & (ask == 0), RowRefusal.PRICE_NOT_POSITIVE)
        check.refuse((bid_size < 0) | (ask_size < 0), RowRefusal.SIZE_NEGATIVE)
        kept = check.kept(tally)
        sides = [column[kept] for column in (bid, bid_size, ask, ask_size)]
        if mapping.is_carried and len(sides[0]):
            sides[:2] = _carried(sides[0], sides[1], last[0], last[1])
            sides[2:] = _carried(sides[2], sides[3], last[2], last[3])
            last = tuple(int(column[-1]) for column in sides)  # type: ignore[assignment]
        tally.crossed += int(((sides[0] > sides[2]) & (sides[2] > 0)).sum())
        yield QuoteColumns(check.at_us[kept], check.number[kept], *sides)


def _carried(prices: Ints, sizes: Ints, price: int, size: int) -> list[Ints]:
    """Both columns with each 0 price, and its size, replaced by what stands before it."""
    rows = np.where(prices != 0, np.arange(1, len(prices) + 1), 0)
    np.maximum.accumulate(rows, out=rows)
    return [np.concatenate(([price], prices))[rows], np.concatenate(([size], sizes))[rows]]


def _sides(block: Block) -> Ints:
    if "side" not in block.columns:
        return np.zeros(block.rows, dtype=np.int64)
    words = block.columns["side"].to_pylist()
    return np.array([SIDES.get(str(word).lower(), 0) for word in words], dtype=np.int64)


def _flags(block: Block, mapping: ColumnMapping) -> Ints:
    """Each distinct condition is looked at once: a day has a few dozen."""
    if "conditions" not in block.columns or not mapping.lean_conditions:
        return np.zeros(block.rows, dtype=np.int64)
    coded = whole_array(pc.dictionary_encode(block.columns["conditions"]))
    flags = [int(lean_flags(word or "0")) for word in coded.dictionary.to_pylist()]
    found: Ints = np.array(flags or [0], dtype=np.int64)[_indices(coded)]
    return found


def _exchanges(block: Block) -> NDArray[np.bytes_]:
    if "exchange" not in block.columns:
        return np.zeros(block.rows, dtype=f"S{EXCHANGE_BYTES}")
    coded = whole_array(pc.dictionary_encode(block.columns["exchange"]))
    words = [
        "".join(filter(str.isprintable, word or "")).encode("ascii", "ignore")[:EXCHANGE_BYTES]
        for word in coded.dictionary.to_pylist()
    ]
    found: NDArray[np.bytes_] = np.array(words or [b""], dtype=f"S{EXCHANGE_BYTES}")[
        _indices(coded)
    ]
    return found


def _indices(coded: Any) -> Any:  # Any: an Arrow array of words and their numbers
    return coded.indices.fill_null(0).to_numpy(zero_copy_only=False)
