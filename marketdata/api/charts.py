"""`/api/v1/charts` and `/api/v1/indicators`: bars with what indicators come to over them.

Bars are exact decimals, values of indicators are statistics: numbers, or null where there is none.
"""

from typing import Final

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from core.api import not_found, read_json_object, refuse_unknown_fields
from core.domain.errors import ErrorReason
from core.once import read_body
from marketdata.api import chart_schema
from marketdata.api.bars import stored_bar_fields
from marketdata.api.base import DataView
from marketdata.api.params import Query, invalid
from marketdata.domain.dialect import Fields
from marketdata.domain.indicators import CATALOGUE, Indicator
from marketdata.domain.indicators.catalogue import MA_TYPES, Kind
from marketdata.domain.timeframes import Timeframe, parse_timeframe
from marketdata.models import Instrument
from marketdata.selectors import CHART_LIMIT, CHART_TIMEFRAMES, instrument_by_symbol
from marketdata.services import charts

DEFAULT_BARS: Final = 500
MEMBERS: Final = ("symbol", "timeframe", "limit", "tail", "indicators", "formula")


class IndicatorList(DataView):
    @extend_schema(
        summary="Indicators that charts can draw",
        tags=["Charts"],
        responses=chart_schema.INDICATORS,
    )
    def get(self, request: Request) -> Response:
        Query(request.query_params, ())
        return Response(catalogue_fields())


class ChartView(DataView):
    @extend_schema(
        summary="Bars with indicators and formulas",
        tags=["Charts"],
        parameters=[
            OpenApiParameter("symbol", str, required=True),
            OpenApiParameter("timeframe", str, required=True, enum=list(CHART_TIMEFRAMES)),
            OpenApiParameter("limit", int, description=f"1 to {CHART_LIMIT:,} bars; default 500."),
            OpenApiParameter("tail", int, description="Tell only the last so many of them."),
            OpenApiParameter(
                "indicators", str, description="SMA(20),RSI(timeperiod=14),formula:my own"
            ),
        ],
        responses=chart_schema.CHART,
    )
    def get(self, request: Request) -> Response:
        Query(request.query_params, MEMBERS[:-1])
        return self._answer(request, dict(request.query_params.items()))

    @extend_schema(
        summary="The same, with a formula that is only tried",
        tags=["Charts"],
        request=chart_schema.CHART_REQUEST,
        responses=chart_schema.CHART,
        operation_id="api_v1_charts_try",
    )
    def post(self, request: Request) -> Response:
        asked = read_json_object(read_body(request))
        refuse_unknown_fields(asked, MEMBERS)
        return self._answer(request, asked)

    def _answer(self, request: Request, asked: Fields) -> Response:
        assert isinstance(request.user, User)  # a key always belongs to one
        instrument, timeframe = _instrument(asked), _timeframe(asked)
        query = charts.ChartQuery(
            instrument,
            timeframe,
            _count(asked, "limit") or DEFAULT_BARS,
            charts.wanted_in(
                _text(asked, "indicators") or "", request.user, _text(asked, "formula")
            ),
            _count(asked, "tail"),
        )
        found = charts.chart(query, self.now())
        return Response(
            {
                "symbol": instrument.symbol,
                "timeframe": str(timeframe),
                "bars": [stored_bar_fields(bar) for bar in found.bars],
                "series": series_fields(found),
                "last_bar": last_bar_fields(found),
            }
        )


def series_fields(chart: charts.Chart) -> list[Fields]:
    """The series of a chart as API and pages tell them."""
    return [
        {
            "key": series.key,
            "title": series.title,
            "lines": [
                {
                    "name": line.name,
                    "style": line.style,
                    "overlay": line.is_overlay,
                    "values": line.values,
                }
                for line in series.lines
            ],
        }
        for series in chart.series
    ]


def last_bar_fields(chart: charts.Chart) -> Fields | None:
    if not chart.bars:
        return None
    return {"t": chart.bars[-1].start, "closed": chart.is_last_closed}


def catalogue_fields() -> list[Fields]:
    """Every indicator, by name."""
    return [_indicator_fields(indicator) for indicator in CATALOGUE.values()]


def _indicator_fields(indicator: Indicator) -> Fields:
    return {
        "name": indicator.name,
        "title": indicator.title,
        "group": indicator.group,
        "inputs": [
            {"name": each.name, "source": each.source, "choice": each.is_choice}
            for each in indicator.inputs
        ],
        "parameters": [
            {
                "name": each.name,
                "type": each.kind,
                "default": each.default,
                "lowest": each.lowest,
                "highest": each.highest,
                "choices": dict(MA_TYPES) if each.kind is Kind.AVERAGE else None,
            }
            for each in indicator.parameters
        ],
        "outputs": [
            {"name": each.name, "style": each.style, "overlay": each.is_overlay}
            for each in indicator.outputs
        ],
        "overlay": indicator.is_overlay,
    }


def _text(asked: Fields, name: str) -> str | None:
    value = asked.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise invalid(name, "it must be text")
    return value


def _required(asked: Fields, name: str) -> str:
    value = _text(asked, name)
    if value is None:
        raise invalid(name, "it is required", ErrorReason.FIELD_MISSING)
    return value


def _instrument(asked: Fields) -> Instrument:
    symbol = _required(asked, "symbol")
    instrument = instrument_by_symbol(symbol)
    if instrument is None:
        raise not_found(f"There is no instrument {symbol[:64]}.")
    return instrument


def _timeframe(asked: Fields) -> Timeframe:
    timeframe = parse_timeframe(_required(asked, "timeframe"))
    if timeframe is None or str(timeframe) not in CHART_TIMEFRAMES:
        raise invalid("timeframe", f"use one of {', '.join(CHART_TIMEFRAMES)}")
    return timeframe


def _count(asked: Fields, name: str) -> int | None:
    value = asked.get(name)
    if value is None or value == "":
        return None
    text = str(value) if type(value) in {str, int} else ""  # a bool is no number of bars
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(CHART_LIMIT))
    if not is_number or not 1 <= int(text) <= CHART_LIMIT:
        raise invalid(name, f"it must be a whole number from 1 to {CHART_LIMIT}")
    return int(text)
