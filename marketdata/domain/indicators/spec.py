"""What is asked for: `SMA(20)`, `RSI(timeperiod=14)`, `BBANDS(20,2,price=hl2)`, read strictly.

A spec has one spelling (`str(spec)`), by which pages and caches know it.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from marketdata.domain.chart_reasons import ChartError, ChartReason
from marketdata.domain.indicators.catalogue import (
    CATALOGUE,
    Indicator,
    Kind,
    Number,
    Parameter,
)
from marketdata.domain.indicators.columns import SOURCES
from marketdata.domain.indicators.talib_info import lookback

MAX_TEXT: Final = 320
"""Characters of one indicator: SAREXT with all its parameters named has 300 at most."""

MAX_LIST: Final = 2_500
"""Characters of a list of them."""

_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9_]{0,31})(?:\(([^()]*)\))?", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """One indicator with every parameter and input settled; equal ones draw the same."""

    indicator: Indicator
    values: tuple[Number, ...]
    sources: tuple[str, ...]

    def __str__(self) -> str:
        """Its one spelling: all parameters in order, and the inputs that are not the usual."""
        parts = [_written(value) for value in self.values]
        parts += [
            f"{read.name}={source}"
            for read, source in zip(self.indicator.inputs, self.sources, strict=True)
            if source != read.source
        ]
        return f"{self.indicator.name}({','.join(parts)})" if parts else self.indicator.name

    @property
    def keywords(self) -> dict[str, Number]:
        return {
            parameter.name: value
            for parameter, value in zip(self.indicator.parameters, self.values, strict=True)
        }

    @property
    def is_overlay(self) -> bool:
        """Whether it is drawn over the price: what reads volume has another scale."""
        chosen = [
            source
            for read, source in zip(self.indicator.inputs, self.sources, strict=True)
            if read.is_choice
        ]
        return self.indicator.is_overlay and "volume" not in chosen


def split_list(text: str) -> list[str]:
    """The parts of a list separated by commas that stand in no parentheses; empty ones left out."""
    if len(text) > MAX_LIST:
        raise ChartError(
            ChartReason.INDICATOR_LIMIT, f"Write at most {MAX_LIST:,} characters of indicators."
        )
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def parse_indicator(text: str) -> IndicatorSpec:
    """The spec that `text` spells, parameters in order or by name; a ChartError that says what is
    wrong.
    """
    match = _SHAPE.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        raise ChartError(
            ChartReason.INDICATOR_UNREADABLE,
            "Write an indicator as NAME(parameters), such as SMA(20).",
            indicator=text[:MAX_TEXT],
        )
    indicator = CATALOGUE.get(match[1].upper())
    if indicator is None:
        raise ChartError(
            ChartReason.INDICATOR_UNKNOWN,
            f"There is no indicator {match[1]}; the catalogue at /api/v1/indicators lists them.",
            indicator=match[1],
        )
    values: dict[str, Number] = {}
    sources: dict[str, str] = {}
    arguments = [part.strip() for part in match[2].split(",")] if (match[2] or "").strip() else []
    for place, argument in enumerate(arguments):
        _take(indicator, place, argument, values, sources)
    spec = IndicatorSpec(
        indicator,
        tuple(values.get(each.name, each.default) for each in indicator.parameters),
        tuple(sources.get(each.name, each.source) for each in indicator.inputs),
    )
    if lookback(indicator.name, spec.keywords) < 0:
        raise _unfit(indicator, "Its parameters", "do not fit together")
    return spec


def _take(
    indicator: Indicator,
    place: int,
    argument: str,
    values: dict[str, Number],
    sources: dict[str, str],
) -> None:
    """Put one argument where it belongs."""
    name, equals, written = (part.strip() for part in argument.partition("="))
    if not equals:
        if len(values) + len(sources) != place or place >= len(indicator.parameters):
            raise _unfit(indicator, argument, "has no place; name it, or leave it out")
        name, written = indicator.parameters[place].name, name
        if name in values:
            raise _unfit(indicator, name, "stands twice")
    choices = [read.name for read in indicator.inputs if read.is_choice]
    known = {parameter.name: parameter for parameter in indicator.parameters}
    if name in values or name in sources:
        raise _unfit(indicator, name, "stands twice")
    if name in known:
        values[name] = _number(indicator, known[name], written)
    elif name in choices:
        if written not in SOURCES:
            raise _unfit(indicator, name, f"has to be one of {', '.join(SOURCES)}")
        sources[name] = written
    else:
        there = ", ".join([*known, *choices]) or "none"
        raise _unfit(indicator, name, f"is no parameter of it; it has {there}")


def _number(indicator: Indicator, parameter: Parameter, written: str) -> Number:
    try:
        exact = Decimal(written) if _NUMBER.fullmatch(written) else None
    except InvalidOperation:
        exact = None
    if exact is None:
        raise _unfit(indicator, parameter.name, "has to be a number")
    is_whole = exact == exact.to_integral_value()
    if parameter.kind is not Kind.NUMBER and not is_whole:
        raise _unfit(indicator, parameter.name, "has to be a whole number")
    value: Number = float(exact) if parameter.kind is Kind.NUMBER else int(exact)
    if not parameter.takes(value):
        low, high = _written(parameter.lowest), _written(parameter.highest)
        raise _unfit(indicator, parameter.name, f"has to lie from {low} to {high}")
    return value


def _unfit(indicator: Indicator, parameter: str, why: str) -> ChartError:
    name = parameter[:64]
    return ChartError(
        ChartReason.INDICATOR_PARAMETER,
        f"{indicator.name}: {name} {why}.",
        indicator=indicator.name,
        parameter=name,
    )


def _written(value: Number) -> str:
    """Shortest, without an exponent: `20`, `2`, `0.05`."""
    return f"{Decimal(str(value)).normalize():f}"
