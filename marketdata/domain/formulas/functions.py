"""The functions of the formula language: a closed list of its own few and TA-Lib's many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from marketdata.domain.indicators.catalogue import (
    CATALOGUE,
    MAX_PERIOD,
    Indicator,
    Kind,
    Output,
    Parameter,
)

MAX_WINDOW: Final = MAX_PERIOD
MOST_OPERANDS: Final = 8
"""Of min and max: as many as one looks at."""

KEYWORDS: Final = frozenset({"and", "or", "not", "if"})


@dataclass(frozen=True, slots=True)
class Function:
    """What a call is made of: first `least` to `most` series, then its numbers, of which those at
    the end that have a default may be left out.
    """

    name: str
    least: int
    most: int
    numbers: tuple[Parameter, ...]
    needed_numbers: int
    meaning: str
    indicator: Indicator | None = None
    output: Output | None = None

    def settled(self, numbers: tuple[float, ...]) -> tuple[float, ...]:
        """All numbers, the defaults where none were written."""
        return numbers + tuple(float(each.default) for each in self.numbers[len(numbers) :])

    def keywords(self, numbers: tuple[float, ...]) -> dict[str, int | float]:
        """All numbers by name, whole ones as such."""
        return {
            each.name: value if each.kind is Kind.NUMBER else int(value)
            for each, value in zip(self.numbers, self.settled(numbers), strict=True)
        }


def _own(
    name: str, series: tuple[int, int], meaning: str, *, window: int | None = 0, least: int = 1
) -> Function:
    """One of the language's own. `window` is 0 for none, None for one that must be written, else
    the default.
    """
    if window == 0:
        return Function(name, *series, (), 0, meaning)
    number = Parameter("n", Kind.INTEGER, window or 1, least, MAX_WINDOW)
    return Function(name, *series, (number,), 1 if window is None else 0, meaning)


OWN: Final[tuple[Function, ...]] = (
    _own("ref", (1, 1), "x as it was n bars ago", window=None),
    _own("highest", (1, 1), "the largest x of the last n bars", window=None),
    _own("lowest", (1, 1), "the smallest x of the last n bars", window=None),
    _own("sum", (1, 1), "the sum of x over the last n bars", window=None),
    _own("avg", (1, 1), "the mean of x over the last n bars", window=None),
    _own("stdev", (1, 1), "the standard deviation of x over the last n bars", window=None),
    _own("change", (1, 1), "x less what it was n bars ago; n is 1 when left out", window=1),
    _own("cross_over", (2, 2), "1 where x has just risen above y"),
    _own("cross_under", (2, 2), "1 where x has just fallen below y"),
    _own("abs", (1, 1), "x without its sign"),
    _own("min", (2, MOST_OPERANDS), "the smallest of its values, bar by bar"),
    _own("max", (2, MOST_OPERANDS), "the largest of its values, bar by bar"),
    _own("nz", (1, 2), "x, or where it is missing y (0 when left out)"),
)


def _of_talib(indicator: Indicator) -> list[Function]:
    """One function for the first output, and one for each when there are several."""
    reads = sum(read.is_choice for read in indicator.inputs)
    base = indicator.name.lower()
    outputs = indicator.outputs
    names = [(base, outputs[0])]
    if len(outputs) > 1:
        names += [(f"{base}_{output.name}", output) for output in outputs]
    return [
        Function(name, reads, reads, indicator.parameters, 0, indicator.title, indicator, output)
        for name, output in names
    ]


FUNCTIONS: Final[Mapping[str, Function]] = {
    **{each.name: each for known in CATALOGUE.values() for each in _of_talib(known)},
    **{each.name: each for each in OWN},
}
"""Every function by its name. Where both have one (sum, min, max) it is the language's."""
