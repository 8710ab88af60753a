"""Indicators: every function of TA-Lib by its name and parameters, computed over bars.

`catalogue` says what there is, `spec` reads what is asked for, `computing` works it out.
"""

from marketdata.domain.indicators.catalogue import CATALOGUE, Indicator
from marketdata.domain.indicators.columns import Columns
from marketdata.domain.indicators.computing import compute, warm_up
from marketdata.domain.indicators.spec import IndicatorSpec, parse_indicator, split_list

__all__ = [
    "CATALOGUE",
    "Columns",
    "Indicator",
    "IndicatorSpec",
    "compute",
    "parse_indicator",
    "split_list",
    "warm_up",
]
