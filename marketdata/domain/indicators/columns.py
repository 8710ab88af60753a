"""Bars as columns of floats: what indicators and formulas compute on. Statistics, never money."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STORED: Final = ("open", "high", "low", "close", "volume")
DERIVED: Final = ("hl2", "hlc3", "ohlc4")
SOURCES: Final = (*STORED, *DERIVED)
"""What an indicator's input can be, and the names that stand for numbers in a formula."""


class BarRow(Protocol):
    """A bar as rows come from the store."""

    @property
    def open(self) -> Decimal: ...
    @property
    def high(self) -> Decimal: ...
    @property
    def low(self) -> Decimal: ...
    @property
    def close(self) -> Decimal: ...
    @property
    def volume(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Columns:
    """One array of each source, all of one length, oldest bar first; nobody may write to them."""

    values: Mapping[str, Floats]

    @property
    def length(self) -> int:
        return len(self.values["close"])

    def __getitem__(self, source: str) -> Floats:
        return self.values[source]

    def last(self, count: int) -> "Columns":
        """The last `count` bars; a view of the same numbers."""
        first = max(0, self.length - count)
        return Columns({name: column[first:] for name, column in self.values.items()})

    def then(self, later: "Columns") -> "Columns":
        """These bars and `later` ones."""
        return _locked(
            {name: np.concatenate([self.values[name], later.values[name]]) for name in SOURCES}
        )


def columns_of(bars: Sequence[BarRow]) -> Columns:
    """The bars as arrays, with what is derived from their prices."""
    values = {
        "open": np.array([bar.open for bar in bars], dtype=np.float64),
        "high": np.array([bar.high for bar in bars], dtype=np.float64),
        "low": np.array([bar.low for bar in bars], dtype=np.float64),
        "close": np.array([bar.close for bar in bars], dtype=np.float64),
        "volume": np.array([bar.volume for bar in bars], dtype=np.float64),
    }
    range_sum = values["high"] + values["low"]
    values["hl2"] = range_sum / 2
    values["hlc3"] = (range_sum + values["close"]) / 3
    values["ohlc4"] = (values["open"] + range_sum + values["close"]) / 4
    return _locked(values)


def _locked(values: dict[str, Floats]) -> Columns:
    for column in values.values():
        column.flags.writeable = False
    return Columns(values)
