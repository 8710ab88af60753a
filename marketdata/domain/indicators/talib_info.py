"""What TA-Lib says of its own functions; the one place that knows how it is asked.

Its table of functions has no types: what comes from there is Any until the catalogue settles it.
"""

from collections.abc import Mapping
from typing import Any, Final

import talib
from talib import abstract

_library: Final[Any] = talib  # Any: its stubs leave these out
_abstract: Final[Any] = abstract


def function_names() -> list[str]:
    return sorted(_library.get_functions())


def function_info(name: str) -> dict[str, Any]:  # Any: TA-Lib's own tables
    """Title, group, inputs, parameters with defaults, outputs and flags."""
    return dict(_abstract.Function(name).info)


def lookback(name: str, keywords: Mapping[str, int | float]) -> int:
    """Bars before the first that has a value; negative when it does not take these parameters."""
    return int(_abstract.Function(name, **keywords).lookback)


def call(name: str, inputs: list[Any], keywords: Mapping[str, int | float]) -> tuple[Any, ...]:
    """The arrays of each output."""
    answer = getattr(_library, name)(*inputs, **keywords)
    return answer if isinstance(answer, tuple) else (answer,)
