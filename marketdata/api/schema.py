"""The shapes of the data API for its OpenAPI page. They describe answers; nothing is parsed by
them.
"""

from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers


def _shape(name: str, fields: dict[str, Any]) -> "type[serializers.Serializer[Any]]":
    # A class, not an instance: DRF binds an instance to the one place where it is used.
    return type(name, (serializers.Serializer,), fields)


def _nullable_number() -> "serializers.Field[Any, Any, Any, Any]":
    return serializers.FloatField(allow_null=True)


BAR = _shape(
    "MarketBar",
    {
        "t": serializers.DateTimeField(),
        **{name: serializers.FloatField() for name in ("o", "h", "l", "c", "v")},
        "n": serializers.IntegerField(),
        "vw": _nullable_number(),
    },
)
QUOTE = _shape(
    "MarketQuote",
    {
        "t": serializers.DateTimeField(),
        **{name: serializers.FloatField() for name in ("bp", "bs", "ap", "as")},
    },
)
TRADE = _shape(
    "MarketTrade",
    {
        "t": serializers.DateTimeField(),
        "p": serializers.FloatField(),
        "s": serializers.FloatField(),
        "i": serializers.IntegerField(),
    },
)
LEVEL = _shape("MarketLevel", {"p": serializers.FloatField(), "s": serializers.FloatField()})
ORDERBOOK = _shape(
    "MarketOrderbook",
    {"t": serializers.DateTimeField(), "b": LEVEL(many=True), "a": LEVEL(many=True)},
)
SNAPSHOT = _shape(
    "MarketSnapshot",
    {
        "latestTrade": TRADE(),
        "latestQuote": QUOTE(),
        "minuteBar": BAR(),
        "dailyBar": BAR(),
        "prevDailyBar": BAR(),
    },
)
ASSET = _shape(
    "Asset",
    {
        "id": serializers.UUIDField(),
        "class": serializers.CharField(),
        "exchange": serializers.CharField(allow_blank=True),
        "symbol": serializers.CharField(),
        "name": serializers.CharField(),
        "status": serializers.CharField(),
        **{
            name: serializers.BooleanField()
            for name in ("tradable", "marginable", "shortable", "easy_to_borrow", "fractionable")
        },
        "min_order_size": serializers.CharField(),
        "min_trade_increment": serializers.CharField(),
        "price_increment": serializers.CharField(),
        "attributes": serializers.ListField(child=serializers.CharField()),
    },
)
CLOCK = _shape(
    "Clock",
    {
        "timestamp": serializers.DateTimeField(),
        "is_open": serializers.BooleanField(),
        "next_open": serializers.DateTimeField(),
        "next_close": serializers.DateTimeField(),
    },
)
CALENDAR_DAY = _shape(
    "CalendarDay",
    {
        "date": serializers.DateField(),
        "open": serializers.CharField(),
        "close": serializers.CharField(),
    },
)

SHAPES = {"bars": BAR, "quotes": QUOTE, "trades": TRADE, "orderbooks": ORDERBOOK}


LATEST = _shape(
    "Latest",
    {
        kind: serializers.DictField(child=shape(), required=False, help_text="By symbol.")
        for kind, shape in SHAPES.items()
    },
)
"""One of the members, the one that was asked for."""
SNAPSHOTS = _shape("CryptoSnapshots", {"snapshots": serializers.DictField(child=SNAPSHOT())})
SNAPSHOTS_BY_SYMBOL = {
    "type": "object",
    "additionalProperties": {"$ref": "#/components/schemas/MarketSnapshot"},
}
"""Written out: what a serializer describes has fixed members."""


@cache  # one class for each kind: two of a name would be two shapes
def pages_of(kind: str) -> "type[serializers.Serializer[Any]]":
    """`{kind: {symbol: [shape]}, "next_page_token": token or null}`"""
    lists = serializers.DictField(child=serializers.ListField(child=SHAPES[kind]()))
    token = serializers.CharField(allow_null=True)
    return _shape(f"{kind.title()}Page", {kind: lists, "next_page_token": token})


SYMBOLS = OpenApiParameter("symbols", str, required=True, description="Comma-separated list.")
TIMEFRAME = OpenApiParameter("timeframe", str, required=True, description="1Min, 1Hour, 1Day ...")
PAGING = [
    OpenApiParameter("start", OpenApiTypes.DATETIME, description="Inclusive; today by default."),
    OpenApiParameter("end", OpenApiTypes.DATETIME, description="Inclusive; now by default."),
    OpenApiParameter("limit", int, description="1 to 10,000 over all symbols; default 1,000."),
    OpenApiParameter("sort", str, enum=["asc", "desc"]),
    OpenApiParameter("page_token", str, description="next_page_token of the page before."),
]
