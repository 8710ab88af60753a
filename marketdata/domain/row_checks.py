"""One block of a file under examination: which rows are refused, for what, and what is counted."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from marketdata.domain.e8_arrays import Bools, E8Column, Ints, e8_column
from marketdata.domain.file_tables import Block, ColumnMapping
from marketdata.domain.file_times import moments_of
from marketdata.domain.row_refusals import Refusals, RowRefusal


@dataclass(slots=True)
class Tally:
    """What was read of a file so far: rows, those refused by reason, quotes that were crossed."""

    rows: int = 0
    crossed: int = 0
    refused: Refusals = field(default_factory=Counter)


class RowCheck:
    """One block under examination: each row's first reason to be refused."""

    def __init__(self, block: Block, mapping: ColumnMapping, day: date | None) -> None:
        self._block = block
        self._refused = np.zeros(block.rows, dtype=np.bool_)
        self._counts: Refusals = Counter()
        if block.malformed:
            self._counts[RowRefusal.MALFORMED] += block.malformed
        self.number: Ints = np.arange(block.first, block.first + block.rows, dtype=np.int64)
        if "suspicious" in block.columns:
            words = pc.cast(block.columns["suspicious"], pa.string())
            marks = pc.is_in(words, pa.array(["1", "true", "True"]))
            self.refuse(_marks(marks), RowRefusal.SUSPICIOUS)
        moments = moments_of(block.columns["time"], mapping.time, day)
        self.at_us = moments.us
        self.refuse(moments.unreadable, RowRefusal.TIME_UNREADABLE)

    def numbers(self, name: str, shift: int) -> Ints:
        """The column in 10^-8; one that the file does not have is all 0."""
        if name not in self._block.columns:
            return np.zeros(self._block.rows, dtype=np.int64)
        column: E8Column = e8_column(self._block.columns[name], shift)
        for row, reason in column.refused.items():
            if not self._refused[row]:
                self._refused[row] = True
                self._counts[reason] += 1
        return column.units

    def refuse(self, rows: Bools, reason: RowRefusal) -> None:
        fresh = rows & ~self._refused
        count = int(fresh.sum())
        if count:
            self._refused |= fresh
            self._counts[reason] += count

    def kept(self, tally: Tally) -> slice | Bools:
        """Which rows are left, after this block went into `tally`."""
        tally.rows += self._block.rows + self._block.malformed
        tally.refused.update(self._counts)
        return ~self._refused if self._refused.any() else slice(None)


def whole_array(array: Any) -> Any:  # Any: Arrow arrays
    """An Arrow array of one piece."""
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _marks(array: Any) -> Bools:  # Any: an Arrow array
    return np.asarray(whole_array(array).fill_null(False).to_numpy(zero_copy_only=False))
