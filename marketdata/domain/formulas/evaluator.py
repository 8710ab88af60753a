"""Works a formula out over bars, all of them at once, and says beforehand what that takes.

A missing value (NaN: before enough bars are there, after a division by zero) makes whatever reads
it missing; `nz` alone fills it.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from marketdata.domain.chart_reasons import ChartReason, FormulaError
from marketdata.domain.formulas.functions import FUNCTIONS
from marketdata.domain.formulas.tree import (
    Binary,
    Call,
    Choice,
    Node,
    Number,
    Source,
    Unary,
    children,
)
from marketdata.domain.indicators.columns import Columns, Floats
from marketdata.domain.indicators.computing import MAX_WARM_UP, run, warm_up_of

MAX_WORK: Final = 20_000_000
"""Bars times nodes, a window counted as often as it is long: 50 ms or so of one core."""

_PRICE_SOURCES: Final = frozenset({"open", "high", "low", "close", "hl2", "hlc3", "ohlc4"})
_KEEPS_SCALE: Final = frozenset({"ref", "highest", "lowest", "avg", "min", "max", "nz"})


def evaluate(node: Node, columns: Columns) -> Floats:
    """The value of each bar; NaN where there is none. FormulaError when it is too much work."""
    if work_of(node, columns.length) > MAX_WORK:
        raise FormulaError(
            ChartReason.FORMULA_LIMIT,
            "It is too much work for this many bars; shorten its windows or ask for fewer bars.",
            0,
        )
    with np.errstate(all="ignore"):
        return _value(node, columns)


def work_of(node: Node, bars: int) -> int:
    """What `evaluate` costs, in bars looked at."""
    return bars * (_span(node) + sum(work_of(child, 1) for child in children(node)))


def needed_before(node: Node) -> int:
    """Bars to read before the first shown one, so that its value is right."""
    below = max((needed_before(child) for child in children(node)), default=0)
    return min(below + _own_need(node), MAX_WARM_UP)


def is_price(node: Node) -> bool:
    """Whether its values lie beside the price, and are drawn over it."""
    match node:
        case Source(name):
            return name in _PRICE_SOURCES
        case Binary("+" | "-", left, right):
            return is_price(left) != is_price(right) or (node.sign == "+" and is_price(left))
        case Binary("*", left, right):
            return is_price(left) != is_price(right)
        case Binary("/", left, right):
            return is_price(left) and not is_price(right)
        case Choice(_, yes, no):
            return is_price(yes) and is_price(no)
        case Call(name, series, _):
            function = FUNCTIONS[name]
            if function.output is not None:
                return function.output.is_overlay and all(map(is_price, series))
            return name in _KEEPS_SCALE and is_price(series[0])
        case _:
            return False


def is_cumulative(node: Node) -> bool:
    """Whether a running total is in it, whose level depends on the first bar there is."""
    if isinstance(node, Call):
        indicator = FUNCTIONS[node.name].indicator
        if indicator is not None and indicator.is_cumulative:
            return True
    return any(map(is_cumulative, children(node)))


def _span(node: Node) -> int:
    """Bars that one value of the node itself looks at."""
    if not isinstance(node, Call):
        return 1
    function = FUNCTIONS[node.name]
    if function.indicator is not None:
        return function.indicator.longest(function.keywords(node.numbers))
    if node.name in {"ref", "change"} or not function.numbers:
        return 1
    return int(node.numbers[0])


def _own_need(node: Node) -> int:
    if not isinstance(node, Call):
        return 0
    function = FUNCTIONS[node.name]
    if function.indicator is not None:
        return warm_up_of(function.indicator, function.keywords(node.numbers))
    if node.name.startswith("cross_"):
        return 1
    return int(function.settled(node.numbers)[0]) if function.numbers else 0


def _value(node: Node, columns: Columns) -> Floats:
    match node:
        case Number(number):
            return np.full(columns.length, number)
        case Source(name):
            return columns[name]
        case Unary("-", operand):
            return -_value(operand, columns)
        case Unary(_, operand):
            value = _value(operand, columns)
            return _known(value == 0, value)
        case Binary(sign, left, right):
            return _BINARY[sign](_value(left, columns), _value(right, columns))
        case Choice(condition, yes, no):
            asked, then, other = (_value(part, columns) for part in (condition, yes, no))
            chosen = np.where(asked != 0, then, other)
            return np.where(np.isnan(asked), np.nan, chosen)
        case Call(name, series, numbers):
            function = FUNCTIONS[name]
            values = [_value(each, columns) for each in series]
            if function.indicator is None:
                return _finite(_OWN[name](values, [int(n) for n in function.settled(numbers)]))
            assert function.output is not None  # whoever names an indicator names its output
            read = iter(values)
            inputs = [
                next(read) if each.is_choice else columns[each.source]
                for each in function.indicator.inputs
            ]
            return run(function.indicator, inputs, function.keywords(numbers))[function.output.name]


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _known(truth: "np.typing.NDArray[np.bool_]", *operands: Floats) -> Floats:
    """1 or 0, missing where an operand is."""
    missing = np.logical_or.reduce([np.isnan(operand) for operand in operands])
    return np.where(missing, np.nan, truth.astype(np.float64))


_BINARY: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": lambda a, b: _finite(a + b),
    "-": lambda a, b: _finite(a - b),
    "*": lambda a, b: _finite(a * b),
    "/": lambda a, b: _finite(a / b),
    "%": lambda a, b: _finite(np.mod(a, b)),
    "^": lambda a, b: _finite(np.power(a, b)),
    "<": lambda a, b: _known(a < b, a, b),
    "<=": lambda a, b: _known(a <= b, a, b),
    ">": lambda a, b: _known(a > b, a, b),
    ">=": lambda a, b: _known(a >= b, a, b),
    "==": lambda a, b: _known(a == b, a, b),
    "!=": lambda a, b: _known(a != b, a, b),
    "and": lambda a, b: _known((a != 0) & (b != 0), a, b),
    "or": lambda a, b: _known((a != 0) | (b != 0), a, b),
}


def _shifted(values: Floats, bars: int) -> Floats:
    before = np.full(len(values), np.nan)
    if bars < len(values):
        before[bars:] = values[: len(values) - bars]
    return before


def _rolling(
    work: "Callable[[Floats], Floats]",
) -> Callable[[list[Floats], list[int]], Floats]:
    """A function over windows: `work` gets one row a bar and gives one number a row."""

    def over(series: list[Floats], numbers: list[int]) -> Floats:
        values, window = series[0], numbers[0]
        result = np.full(len(values), np.nan)
        if window <= len(values):
            result[window - 1 :] = work(np.lib.stride_tricks.sliding_window_view(values, window))
        return result

    return over


def _crossed(above: Floats, below: Floats) -> Floats:
    earlier_above, earlier_below = _shifted(above, 1), _shifted(below, 1)
    crossed = (above > below) & (earlier_above <= earlier_below)
    return _known(crossed, above, below, earlier_above, earlier_below)


def _filled(series: list[Floats]) -> Floats:
    values = series[0]
    return np.where(np.isnan(values), series[1] if len(series) > 1 else 0.0, values)


_OWN: Final[dict[str, Callable[[list[Floats], list[int]], Floats]]] = {
    "ref": lambda series, numbers: _shifted(series[0], numbers[0]),
    "change": lambda series, numbers: series[0] - _shifted(series[0], numbers[0]),
    "highest": _rolling(lambda rows: np.max(rows, axis=1)),
    "lowest": _rolling(lambda rows: np.min(rows, axis=1)),
    "sum": _rolling(lambda rows: np.sum(rows, axis=1)),
    "avg": _rolling(lambda rows: np.mean(rows, axis=1)),
    "stdev": _rolling(lambda rows: np.std(rows, axis=1)),
    "cross_over": lambda series, _: _crossed(series[0], series[1]),
    "cross_under": lambda series, _: _crossed(series[1], series[0]),
    "abs": lambda series, _: np.abs(series[0]),
    "min": lambda series, _: np.minimum.reduce(series),
    "max": lambda series, _: np.maximum.reduce(series),
    "nz": lambda series, _: _filled(series),
}
