"""The shapes of the data API for its OpenAPI page. They describe answers; nothing is parsed by
them.
"""

from functools import cache
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from marketdata.api.params import ADJUSTMENTS, FEED_NAMES


def _shape(name: str, fields: dict[str, Any]) -> "type[serializers.Serializer[Any]]":
    # A class, not an instance: DRF binds an instance to the one place where it is used.
    return type(name, (serializers.Serializer,), fields)


def _feed() -> "serializers.Field[Any, Any, Any, Any]":
    return serializers.CharField(required=False, help_text="Ours: where the price came from.")


def _age() -> "serializers.Field[Any, Any, Any, Any]":
    return serializers.IntegerField(required=False, help_text="Ours: milliseconds since `t`.")


def _nullable_number() -> "serializers.Field[Any, Any, Any, Any]":
    return serializers.FloatField(allow_null=True)


BAR = _shape(
    "MarketBar",
    {
        "t": serializers.DateTimeField(),
        **{name: serializers.FloatField() for name in ("o", "h", "l", "c", "v")},
        "n": serializers.IntegerField(),
        "vw": _nullable_number(),
        "feed": _feed(),
        "age_ms": _age(),
    },
)
QUOTE = _shape(
    "MarketQuote",
    {
        "t": serializers.DateTimeField(),
        **{name: serializers.FloatField() for name in ("bp", "bs", "ap", "as")},
        "stale": serializers.BooleanField(
            required=False, help_text="Ours: no feed has told anything newer for 5 seconds."
        ),
        "feed": _feed(),
        "age_ms": _age(),
    },
)
TRADE = _shape(
    "MarketTrade",
    {
        "t": serializers.DateTimeField(),
        "p": serializers.FloatField(),
        "s": serializers.FloatField(),
        "i": serializers.IntegerField(),
        "tks": serializers.CharField(
            required=False, allow_blank=True, help_text="Crypto: B or S, who took; empty: unknown."
        ),
        "x": serializers.CharField(required=False, help_text="Stocks: the exchange."),
        "c": serializers.ListField(
            child=serializers.CharField(), required=False, help_text="Stocks: conditions."
        ),
        "feed": _feed(),
        "age_ms": _age(),
    },
)
LEVEL = _shape("MarketLevel", {"p": serializers.FloatField(), "s": serializers.FloatField()})
ORDERBOOK = _shape(
    "MarketOrderbook",
    {
        "t": serializers.DateTimeField(),
        "b": LEVEL(many=True),
        "a": LEVEL(many=True),
        "feed": _feed(),
        "age_ms": _age(),
    },
)


def _snapshot_fields() -> dict[str, Any]:
    """Whatever there is none of yet is null."""
    return {
        "latestTrade": TRADE(allow_null=True),
        "latestQuote": QUOTE(allow_null=True),
        "minuteBar": BAR(allow_null=True),
        "dailyBar": BAR(allow_null=True),
        "prevDailyBar": BAR(allow_null=True),
    }


SNAPSHOT = _shape("MarketSnapshot", _snapshot_fields())
SNAPSHOT_OF_ONE = _shape(
    "MarketSnapshotOfOne", {"symbol": serializers.CharField()} | _snapshot_fields()
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
LATEST_OF_ONE = _shape(
    "LatestOfOne",
    {"symbol": serializers.CharField()}
    | {kind[:-1]: shape(required=False) for kind, shape in SHAPES.items()},
)
"""The symbol and one of the others."""
PAGE_OF_ONE = _shape(
    "PageOfOne",
    {
        "symbol": serializers.CharField(),
        **{kind: SHAPES[kind](many=True, required=False) for kind in ("bars", "quotes", "trades")},
        "next_page_token": serializers.CharField(allow_null=True),
    },
)
"""The symbol, one list, and the token."""
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
KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=["bars", "quotes", "trades"])
LATEST_KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=[*SHAPES])
FEED = OpenApiParameter(
    "feed", str, enum=[*FEED_NAMES], description="All name the one market that is here."
)
CURRENCY = OpenApiParameter("currency", str, description="What the prices are in; no other.")
STOCKS = [FEED, OpenApiParameter("asof", str, description="A date; symbols do not change here.")]
ADJUSTMENT = OpenApiParameter("adjustment", str, enum=[*ADJUSTMENTS], description="raw by default.")
LENGTHS = "1Sec, 1Min, 5Min, 1Hour, 1Day, 1Week, 1Month ..."
BARS = [OpenApiParameter("timeframe", str, required=True, description=LENGTHS), ADJUSTMENT]
BARS_ONLY = [
    OpenApiParameter("timeframe", str, description=f"Of bars, which need it: {LENGTHS}"),
    ADJUSTMENT,
]
PAGING = [
    OpenApiParameter("start", OpenApiTypes.DATETIME, description="Inclusive; today by default."),
    OpenApiParameter("end", OpenApiTypes.DATETIME, description="Inclusive; now by default."),
    OpenApiParameter("limit", int, description="1 to 10,000 over all symbols; default 1,000."),
    OpenApiParameter("sort", str, enum=["asc", "desc"]),
    OpenApiParameter("page_token", str, description="next_page_token of the page before."),
    CURRENCY,
]
