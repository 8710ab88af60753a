"""Indicators worked out over bars, with as many bars before the first shown as they need."""

from typing import Final

import numpy as np

from marketdata.domain.indicators.catalogue import INDEX_FUNCTIONS, Indicator, Number
from marketdata.domain.indicators.columns import Columns, Floats
from marketdata.domain.indicators.spec import IndicatorSpec
from marketdata.domain.indicators.talib_info import call, lookback

SETTLING: Final = 20
"""Lengths of its own after which an average has forgotten where it began: what is left of that is
below e⁻²⁰, two billionths, also for Wilder's, which are the slowest.
"""
CUMULATIVE: Final = 250
"""Bars that a running total counts before the first that is shown; its level means nothing."""

MAX_WARM_UP: Final = 2_000
"""Bars read for a chart beyond those it shows: what an answer may cost. An average longer than a
hundred bars has not quite forgotten where it began.
"""


def warm_up(spec: IndicatorSpec) -> int:
    """Bars to read before the first shown one, so that its value is right."""
    return warm_up_of(spec.indicator, spec.keywords)


def warm_up_of(indicator: Indicator, keywords: dict[str, Number]) -> int:
    """The same for an indicator whose parameters are known, whatever it reads."""
    needed = lookback(indicator.name, keywords)
    if indicator.settles:
        needed += SETTLING * indicator.longest(keywords)
    if indicator.is_cumulative:
        needed += CUMULATIVE
    return min(needed, MAX_WARM_UP)


def compute(spec: IndicatorSpec, columns: Columns) -> dict[str, Floats]:
    """The values of each output, as long as the bars; NaN where there is none."""
    inputs = [columns[source] for source in spec.sources]
    return run(spec.indicator, inputs, spec.keywords)


def run(
    indicator: Indicator, inputs: list[Floats], keywords: dict[str, Number]
) -> dict[str, Floats]:
    """`indicator` over `inputs` of one length; what is not finite is NaN."""
    length = len(inputs[0])
    if length == 0:
        return {output.name: np.empty(0) for output in indicator.outputs}
    found = call(indicator.name, inputs, keywords)
    known_from = min(lookback(indicator.name, keywords), length)
    values: dict[str, Floats] = {}
    for output, column in zip(indicator.outputs, found, strict=True):
        drawn = np.array(column, dtype=np.float64)
        if indicator.name in INDEX_FUNCTIONS:
            drawn = np.arange(length) - drawn
        drawn[~np.isfinite(drawn)] = np.nan
        if output.is_integer:
            drawn[:known_from] = np.nan
        values[output.name] = drawn
    return values
