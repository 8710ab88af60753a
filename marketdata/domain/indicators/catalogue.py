"""What indicators there are: TA-Lib's own list, with the ranges that it does not tell.

Names, groups, inputs, parameters, defaults and outputs are asked of the library; which numbers a
parameter takes, where an output is drawn and how far back it remembers is decided here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from marketdata.domain.indicators.talib_info import function_info, function_names, lookback

MAX_PERIOD: Final = 1_000
"""Bars that one window may span: as much as a chart shows, and what a chart may cost."""

MAX_FACTOR: Final = 1_000.0
"""Multipliers and steps beyond it draw nothing that anybody could look at."""

MA_TYPES: Final[Mapping[int, str]] = {
    0: "SMA", 1: "EMA", 2: "WMA", 3: "DEMA", 4: "TEMA", 5: "TRIMA", 6: "KAMA", 7: "MAMA", 8: "T3",
    9: "HMA", 12: "ZLEMA", 13: "RMA",
}  # fmt: skip
"""TA-Lib's numbers of moving averages; 10 and 11 are none."""

FLOAT_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "fastlimit": (0.01, 0.99),
    "slowlimit": (0.01, 0.99),
    "vfactor": (0.0, 1.0),
    "percentile": (0.0, 100.0),
    "acceleration": (0.0, 10.0),
    "maximum": (0.0, 10.0),
    "startvalue": (-1e12, 1e12),
    "penetration": (0.0, 100.0),
}
"""Where it is not 0 to MAX_FACTOR. A start value of SAREXT is a price, short when negative."""

_FLAG_SCALE = "Output scale same as input"
_FLAG_UNSTABLE = "Function has an unstable period"
_FLAG_PATH = "Output is path-dependent"
_FLAG_CANDLE = "Output is a candlestick"

_NOT_A_PRICE: Final = frozenset({("AVGDEV", "real"), ("SUPERTREND", "trend")})
"""Flagged as of the input's scale, though they do not lie beside it."""

INDEX_FUNCTIONS: Final = frozenset({"MAXINDEX", "MININDEX", "MINMAXINDEX"})
"""Their numbers are places in an array, which nobody sees: told as how many bars ago it was."""

SMOOTHED: Final = frozenset(
    {
        "AC", "ADOSC", "APO", "CVI", "DEMA", "EFI", "ERI", "KC", "KDJ", "MA", "MACD", "MACDEXT",
        "MACDFIX", "MASSI", "MAVP", "PPO", "PVO", "SMI", "STOCH", "STOCHF", "STOCHRSI", "TEMA",
        "TRIX", "TSI", "ZLEMA", "ADXR", "BBANDS", "ACCBANDS",
    }
)  # fmt: skip
"""Made of exponential averages without being flagged for it: they need bars to settle too."""


HIDDEN_LENGTH: Final = 25
"""Of what settles without telling a length: Hilbert's transforms and what is made of them."""
HIDDEN_LENGTHS: Final[Mapping[str, int]] = {"MACDFIX": 26}

Number = int | float


class Kind(StrEnum):
    """What a parameter is."""

    INTEGER = "integer"
    NUMBER = "number"
    AVERAGE = "average"
    """One of MA_TYPES by its number."""


class Style(StrEnum):
    """How an output is drawn."""

    LINE = "line"
    DASHED = "dashed"
    HISTOGRAM = "histogram"
    POINTS = "points"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number that an indicator takes, and the values it may have."""

    name: str
    kind: Kind
    default: Number
    lowest: Number
    highest: Number

    def takes(self, value: Number) -> bool:
        if self.kind is Kind.AVERAGE:
            return value in MA_TYPES
        return self.lowest <= value <= self.highest


@dataclass(frozen=True, slots=True)
class Input:
    """One column of the bars that an indicator reads; a choice may be any source."""

    name: str
    source: str
    is_choice: bool


@dataclass(frozen=True, slots=True)
class Output:
    """One line that an indicator draws; `is_integer` ones have no value for what is missing."""

    name: str
    style: Style
    is_overlay: bool
    is_integer: bool


@dataclass(frozen=True, slots=True)
class Indicator:
    """One function of TA-Lib."""

    name: str
    title: str
    group: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    settles: bool
    """Its values depend a little on all bars before: it gets bars to settle."""
    is_cumulative: bool
    """Its values run on from the first bar there is, and depend on where that lies."""

    @property
    def is_overlay(self) -> bool:
        """Drawn over the price, as long as it reads prices."""
        return self.outputs[0].is_overlay

    def longest(self, keywords: Mapping[str, Number]) -> int:
        """The most bars that one of its parameters spans; of one that tells no length its own."""
        spans = [keywords[each.name] for each in self.parameters if each.kind is Kind.INTEGER]
        hidden = HIDDEN_LENGTHS.get(self.name, 1 if spans or not self.settles else HIDDEN_LENGTH)
        return int(max([*spans, hidden]))


def _catalogue() -> dict[str, Indicator]:
    return {name: _indicator(name) for name in function_names()}


def _indicator(name: str) -> Indicator:
    info = function_info(name)
    flags = frozenset(info["function_flags"] or ())
    inputs = tuple(_inputs(info["input_names"]))
    outputs = tuple(
        _output(name, output, frozenset(info["output_flags"][output]), flags)
        for output in info["output_names"]
    )
    return Indicator(
        name=name,
        title=str(info["display_name"]),
        group=str(info["group"]),
        inputs=inputs,
        parameters=tuple(
            _parameter(name, parameter, default)
            for parameter, default in info["parameters"].items()
        ),
        outputs=outputs,
        settles=_FLAG_UNSTABLE in flags or name in SMOOTHED,
        is_cumulative=_FLAG_PATH in flags,
    )


def _inputs(names: Mapping[str, Any]) -> list[Input]:  # Any: a name, or a list of names
    found: list[Input] = []
    for name, source in names.items():
        if isinstance(source, str):
            # MAVP's own default names nothing that a bar has.
            known = "close" if source == "periods" else source
            found.append(Input(name, known, is_choice=True))
        else:
            found.extend(Input(each, each, is_choice=False) for each in source)
    return found


def _output(function: str, name: str, drawn: frozenset[str], flags: frozenset[str]) -> Output:
    is_integer = _FLAG_CANDLE in flags or name in {"integer", "minidx", "maxidx", "trend"}
    is_integer = is_integer or function == "FRACTAL"
    style = Style.LINE
    if "Histogram" in drawn or _FLAG_CANDLE in flags or function == "FRACTAL":
        style = Style.HISTOGRAM
    elif function in {"SAR", "SAREXT"}:
        style = Style.POINTS
    elif "Dashed Line" in drawn:
        style = Style.DASHED
    is_overlay = _FLAG_SCALE in flags and (function, name) not in _NOT_A_PRICE
    return Output(name, style, is_overlay, is_integer)


def _parameter(function: str, name: str, default: Number) -> Parameter:
    if name.endswith("matype"):
        return Parameter(name, Kind.AVERAGE, default, min(MA_TYPES), max(MA_TYPES))
    if isinstance(default, int):
        takes_one = lookback(function, {name: 1}) >= 0
        return Parameter(name, Kind.INTEGER, default, 1 if takes_one else 2, MAX_PERIOD)
    lowest, highest = FLOAT_RANGES.get(name, (0.0, MAX_FACTOR))
    return Parameter(name, Kind.NUMBER, default, lowest, highest)


CATALOGUE: Final[Mapping[str, Indicator]] = _catalogue()
"""Every indicator by its name."""
