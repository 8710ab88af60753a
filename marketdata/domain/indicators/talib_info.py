"""What TA-Lib says of its own functions; the one place that knows how it is asked.

Its table of functions has no types: what comes from there is Any until the catalogue settles it.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

FRAMES: Final = ("pandas", "polars")
"""TA-Lib loads them when they are there, to take their frames. Nobody here gives it any, and pandas
would cost each process a second and 80 MB at its start.
"""


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """An import of these fails meanwhile, as if they were not installed."""
    unknown = [name for name in names if name not in sys.modules]
    try:
        for name in unknown:
            sys.modules[name] = None  # type: ignore[assignment]  # documented: import fails
        yield
    finally:
        for name in unknown:
            del sys.modules[name]


with _absent(*FRAMES):
    import talib
    from talib import abstract

_library: Final[Any] = talib  # Any: its stubs leave these out
_abstract: Final[Any] = abstract

REMEMBERED: Final = 4_096
"""Answers of TA-Lib that are kept: asking costs as much as computing."""


def function_names() -> list[str]:
    return sorted(_library.get_functions())


def function_info(name: str) -> dict[str, Any]:  # Any: TA-Lib's own tables
    """Title, group, inputs, parameters with defaults, outputs and flags."""
    return dict(_abstract.Function(name).info)


def lookback(name: str, keywords: Mapping[str, int | float]) -> int:
    """Bars before the first that has a value; negative when it does not take these parameters."""
    return _lookback(name, tuple(keywords.items()))


@lru_cache(maxsize=REMEMBERED)
def _lookback(name: str, parameters: tuple[tuple[str, int | float], ...]) -> int:
    return int(_abstract.Function(name, **dict(parameters)).lookback)


def call(name: str, inputs: list[Any], keywords: Mapping[str, int | float]) -> tuple[Any, ...]:
    """The arrays of each output."""
    answer = getattr(_library, name)(*inputs, **keywords)
    return answer if isinstance(answer, tuple) else (answer,)
