"""The shapes of charts, indicators and formulas for the OpenAPI page; nothing is parsed by them."""

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from marketdata.api import schema
from marketdata.selectors import CHART_LIMIT, CHART_TIMEFRAMES

_Fields = dict[str, "serializers.Field[Any, Any, Any, Any]"]  # Any: of any kind


def _text(about: str = "") -> "serializers.CharField":
    return serializers.CharField(help_text=about)


def _choice(about: str) -> "serializers.BooleanField":
    return serializers.BooleanField(help_text=about)


def _number_of_bars() -> "serializers.IntegerField":
    return serializers.IntegerField(required=False, min_value=1, max_value=CHART_LIMIT)


def _lines() -> "serializers.Serializer[Any]":  # Any: it describes and holds no instance
    values = serializers.ListField(child=serializers.FloatField(allow_null=True))
    fields: _Fields = {
        "name": _text(),
        "style": _text("line, dashed, histogram or points"),
        "overlay": _choice("lies beside the price"),
        "values": values,
    }
    return inline_serializer("ChartLine", fields, many=True)


def _series() -> "serializers.Serializer[Any]":
    fields: _Fields = {
        "key": _text("RSI(14), or formula: and its id"),
        "title": _text(),
        "lines": _lines(),
    }
    return inline_serializer("ChartSeries", fields, many=True)


CHART = inline_serializer(
    "Chart",
    {
        "symbol": _text(),
        "timeframe": _text(),
        "bars": schema.BAR(many=True),
        "series": _series(),
        "last_bar": inline_serializer(
            "ChartLastBar",
            {"t": serializers.DateTimeField(), "closed": _choice("false while it may still grow")},
            allow_null=True,
        ),
    },
)
CHART_REQUEST = inline_serializer(
    "ChartRequest",
    {
        "symbol": _text(),
        "timeframe": _text(", ".join(CHART_TIMEFRAMES)),
        "limit": _number_of_bars(),
        "tail": _number_of_bars(),
        "indicators": serializers.CharField(required=False),
        "formula": serializers.CharField(required=False, help_text="to try, it is not kept"),
    },
)
INDICATORS = inline_serializer(
    "Indicator",
    {
        "name": _text(),
        "title": _text(),
        "group": _text(),
        "inputs": inline_serializer(
            "IndicatorInput",
            {
                "name": _text(),
                "source": _text(),
                "choice": _choice("takes open, high, low, close, volume, hl2, hlc3 or ohlc4"),
            },
            many=True,
        ),
        "parameters": inline_serializer(
            "IndicatorParameter",
            {
                "name": _text(),
                "type": _text("integer, number or average"),
                "default": serializers.FloatField(),
                "lowest": serializers.FloatField(),
                "highest": serializers.FloatField(),
                "choices": serializers.DictField(
                    child=serializers.CharField(),
                    allow_null=True,
                    help_text="of an average: its name by its number",
                ),
            },
            many=True,
        ),
        "outputs": inline_serializer(
            "IndicatorOutput",
            {"name": _text(), "style": _text(), "overlay": _choice("lies beside the price")},
            many=True,
        ),
        "overlay": _choice("drawn over the price, not in a pane of its own"),
    },
    many=True,
)


class FormulaAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class FormulaCreation(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    text = serializers.CharField(max_length=1_000)


class FormulaChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64, required=False)
    text = serializers.CharField(max_length=1_000, required=False)
