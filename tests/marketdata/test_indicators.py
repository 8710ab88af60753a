"""Indicators: what there is, how it is asked for, and that the first shown value is right."""

import math
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

from marketdata.domain.chart_reasons import ChartError, ChartReason
from marketdata.domain.indicators import (
    CATALOGUE,
    Columns,
    Indicator,
    compute,
    parse_indicator,
    split_list,
    warm_up,
)
from marketdata.domain.indicators.catalogue import MA_TYPES, Kind
from marketdata.domain.indicators.columns import columns_of
from marketdata.domain.indicators.spec import MAX_TEXT
from marketdata.domain.indicators.talib_info import function_names

BARS = 4_000


class Row(NamedTuple):
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def walk(count: int) -> Columns:
    """A random walk around 100, always the same one."""
    random = Random(7)
    rows: list[Row] = []
    price = 10_000
    for _ in range(count):
        opened, price = price, max(1_000, price + random.randint(-30, 30))
        high, low = max(opened, price) + random.randint(0, 20), min(opened, price) - 5
        cents = [Decimal(value) / 100 for value in (opened, high, low, price)]
        rows.append(Row(*cents, Decimal(random.randint(10, 1_000))))
    return columns_of(rows)


@pytest.fixture(scope="module")
def columns() -> Columns:
    return walk(BARS)


def closes(*values: float) -> Columns:
    """Bars that only close."""
    return columns_of([Row(*[Decimal(str(value))] * 4, Decimal(1)) for value in values])


def values_of(text: str, columns: Columns) -> list[list[float | None]]:
    outputs = compute(parse_indicator(text), columns).values()
    return [[None if math.isnan(value) else value for value in column] for column in outputs]


def test_every_function_of_ta_lib_is_an_indicator() -> None:
    assert sorted(CATALOGUE) == function_names()
    assert len(CATALOGUE) > 150


def test_moving_average_is_known_from_its_last_bar_on() -> None:
    assert values_of("SMA(3)", closes(1, 2, 3, 4)) == [[None, None, 2.0, 3.0]]


def test_bands_lie_so_many_deviations_from_the_average() -> None:
    upper, middle, lower = values_of("BBANDS(timeperiod=2,nbdevup=2,nbdevdn=1)", closes(1, 3))

    assert (upper, middle, lower) == ([None, 4.0], [None, 2.0], [None, 1.0])


def test_whole_numbers_are_missing_before_there_are_enough_bars() -> None:
    (candle,) = values_of("CDLDOJI", closes(*[5.0] * 12))

    assert candle[:10] == [None] * 10
    assert candle[10:] == [100.0, 100.0]


def test_place_of_the_highest_is_told_as_bars_ago() -> None:
    assert values_of("MAXINDEX(3)", closes(1, 9, 2, 3)) == [[None, None, 1.0, 2.0]]


def test_any_input_can_be_chosen() -> None:
    rows = [Row(*[Decimal(5)] * 4, Decimal(volume)) for volume in (10, 30)]

    assert values_of("SMA(2,price=volume)", columns_of(rows)) == [[None, 20.0]]
    assert not parse_indicator("SMA(2,price=volume)").is_overlay
    assert parse_indicator("SMA(2,price=hl2)").is_overlay


@pytest.mark.parametrize("indicator", CATALOGUE.values(), ids=list(CATALOGUE))
def test_first_shown_value_is_what_all_of_history_gives(
    indicator: Indicator, columns: Columns
) -> None:
    spec = parse_indicator(indicator.name)
    whole = compute(spec, columns)

    shown = compute(spec, columns.last(warm_up(spec) + 2))

    for name, values in shown.items():
        expected, first = whole[name][-2:], values[-2:]
        if indicator.is_cumulative and not indicator.name.startswith(("SAR", "SUPER", "ADOSC")):
            # A running total begins somewhere: its steps are right, its level means nothing.
            expected, first = np.diff(expected), np.diff(first)
            if indicator.name in {"NVI", "PVI", "VWAP"}:
                continue  # its steps are shares of its level
        np.testing.assert_allclose(first, expected, rtol=1e-6, atol=1e-8)


def spelled(indicator: Indicator, pick: Callable[[object], object]) -> str:
    parts = [f"{each.name}={pick(each)}" for each in indicator.parameters]
    return f"{indicator.name}({','.join(parts)})"


@pytest.mark.parametrize("indicator", CATALOGUE.values(), ids=list(CATALOGUE))
def test_every_parameter_takes_its_lowest_and_highest(
    indicator: Indicator, columns: Columns
) -> None:
    few, many = columns.last(1), columns.last(1_500)
    for end in ("lowest", "highest"):
        spec = parse_indicator(spelled(indicator, lambda each, end=end: f"{getattr(each, end):f}"))
        assert parse_indicator(str(spec)) == spec
        for bars in (few, many):
            for values in compute(spec, bars).values():
                assert len(values) == bars.length
                assert not np.isinf(values).any()


@pytest.mark.parametrize("indicator", CATALOGUE.values(), ids=list(CATALOGUE))
def test_no_parameter_takes_more_or_less(indicator: Indicator) -> None:
    for parameter in indicator.parameters:
        for value in (parameter.lowest - 1, parameter.highest + 1):
            with pytest.raises(ChartError) as refused:
                parse_indicator(f"{indicator.name}({parameter.name}={value:f})")
            assert refused.value.reason is ChartReason.INDICATOR_PARAMETER
            assert refused.value.facts["parameter"] == parameter.name


def test_no_bars_make_no_values() -> None:
    for name in CATALOGUE:
        for values in compute(parse_indicator(name), columns_of([])).values():
            assert len(values) == 0


def test_averages_are_chosen_by_their_number() -> None:
    averages = [each for each in CATALOGUE["BBANDS"].parameters if each.kind is Kind.AVERAGE]

    assert [each.name for each in averages] == ["matype"]
    assert 10 not in MA_TYPES
    with pytest.raises(ChartError, match="matype"):
        parse_indicator("BBANDS(matype=10)")


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("sma", "SMA(30)"),
        ("SMA( 20 )", "SMA(20)"),
        ("RSI(timeperiod=14)", "RSI(14)"),
        ("MACD(12,26,9)", "MACD(12,26,9)"),
        ("MACD(slowperiod=30)", "MACD(12,30,9)"),
        ("BBANDS(20,2.50)", "BBANDS(20,2.5,2,0)"),
        ("SMA(5,price=close)", "SMA(5)"),
        ("SMA(5,price=ohlc4)", "SMA(5,price=ohlc4)"),
        ("OBV()", "OBV"),
        ("ADD(price0=close)", "ADD(price0=close)"),
    ],
)
def test_an_indicator_has_one_spelling(text: str, spelling: str) -> None:
    assert str(parse_indicator(text)) == spelling
    assert parse_indicator(spelling) == parse_indicator(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", ChartReason.INDICATOR_UNREADABLE),
        ("SMA(", ChartReason.INDICATOR_UNREADABLE),
        ("SMA(20))", ChartReason.INDICATOR_UNREADABLE),
        ("__import__('os')", ChartReason.INDICATOR_UNREADABLE),
        ("SMA" + " " * MAX_TEXT, ChartReason.INDICATOR_UNREADABLE),
        ("get_functions", ChartReason.INDICATOR_UNKNOWN),
        ("SMA(2,3)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(timeperiod=5,7)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(5,timeperiod=7)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(2.5)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(1e3)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(٣)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(price=vwap)", ChartReason.INDICATOR_PARAMETER),
        ("ATR(price=close)", ChartReason.INDICATOR_PARAMETER),
        ("SMA(,)", ChartReason.INDICATOR_PARAMETER),
        ("MAVP(minperiod=50)", ChartReason.INDICATOR_PARAMETER),
    ],
)
def test_what_is_no_indicator_is_refused(text: str, reason: ChartReason) -> None:
    with pytest.raises(ChartError) as refused:
        parse_indicator(text)

    assert refused.value.reason is reason
    assert refused.value.message.endswith(".")


def test_list_is_split_at_commas_outside_of_parentheses() -> None:
    assert split_list(" MACD(12,26,9) ,, formula:my own,RSI") == [
        "MACD(12,26,9)", "formula:my own", "RSI",
    ]  # fmt: skip


def test_long_list_is_refused() -> None:
    with pytest.raises(ChartError) as refused:
        split_list("RSI," * 1_000)

    assert refused.value.reason is ChartReason.INDICATOR_LIMIT
