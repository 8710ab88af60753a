"""The newest of everything: `.../{kind}/latest`, `.../latest/{kind}`, `.../snapshots`."""

from collections.abc import Sequence

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from marketdata.api import schema
from marketdata.api.base import IGNORED_PARAMETERS, CryptoView, DataView, StockView
from marketdata.api.history import stored_bar_fields
from marketdata.api.params import Query
from marketdata.domain.dialect import (
    BarWire,
    Fields,
    bar_fields,
    book_fields,
    quote_fields,
    trade_fields,
)
from marketdata.models import Instrument
from marketdata.selectors import (
    bar_view,
    daily_bars,
    latest_bars,
    latest_books,
    latest_quotes,
    latest_trades,
)

KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=["bars", "quotes", "trades"])
CRYPTO_KIND = OpenApiParameter(
    "kind", str, OpenApiParameter.PATH, enum=["bars", "quotes", "trades", "orderbooks"]
)


class _LatestView(DataView):
    asset_class: Instrument.AssetClass

    def _instruments(self, request: Request) -> list[Instrument]:
        return Query(request.query_params, ("symbols", *IGNORED_PARAMETERS)).instruments(
            self.asset_class
        )

    def _latest(self, request: Request, kind: str) -> Response:
        symbols = [instrument.symbol for instrument in self._instruments(request)]
        is_crypto = self.asset_class == Instrument.AssetClass.CRYPTO
        return Response({kind: newest(kind, symbols, is_crypto=is_crypto)})

    def _snapshots(self, request: Request) -> dict[str, Fields]:
        instruments = self._instruments(request)
        symbols = [instrument.symbol for instrument in instruments]
        is_crypto = self.asset_class == Instrument.AssetClass.CRYPTO
        quotes = newest("quotes", symbols, is_crypto=is_crypto)
        trades = newest("trades", symbols, is_crypto=is_crypto)
        minutes = latest_bars(symbols)
        views = {symbol: bar_view(minute) for symbol, minute in minutes.items()}
        days = daily_bars(instruments, views, self.now())
        return {
            symbol: {
                "latestTrade": trades.get(symbol),
                "latestQuote": quotes.get(symbol),
                "minuteBar": _minute(minutes.get(symbol)),
                "dailyBar": stored_bar_fields(today) if today else None,
                "prevDailyBar": stored_bar_fields(before) if before else None,
            }
            for symbol, (today, before) in days.items()
        }


class StockLatest(StockView, _LatestView):
    @extend_schema(
        summary="Newest bars, quotes or trades of stocks",
        tags=["Stock data"],
        parameters=[KIND, schema.SYMBOLS],
        responses=schema.LATEST,
    )
    def get(self, request: Request, kind: str) -> Response:
        return self._latest(request, kind)


class CryptoLatest(CryptoView, _LatestView):
    @extend_schema(
        summary="Newest bars, quotes, trades or order books of crypto pairs",
        tags=["Crypto data"],
        parameters=[CRYPTO_KIND, schema.SYMBOLS],
        responses=schema.LATEST,
    )
    def get(self, request: Request, kind: str) -> Response:
        return self._latest(request, kind)


class StockSnapshots(StockView, _LatestView):
    """The symbols stand at the top level (the dialect's stocks and crypto differ here)."""

    @extend_schema(
        summary="Snapshots of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS],
        responses={200: schema.SNAPSHOTS_BY_SYMBOL},
    )
    def get(self, request: Request) -> Response:
        return Response(self._snapshots(request))


class CryptoSnapshots(CryptoView, _LatestView):
    @extend_schema(
        summary="Snapshots of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS],
        responses=schema.SNAPSHOTS,
    )
    def get(self, request: Request) -> Response:
        return Response({"snapshots": self._snapshots(request)})


def newest(kind: str, symbols: Sequence[str], *, is_crypto: bool) -> dict[str, Fields]:
    """The newest `kind` of each symbol that has one, in the dialect."""
    if kind == "quotes":
        return {
            symbol: quote_fields(quote, is_crypto=is_crypto)
            for symbol, quote in latest_quotes(symbols).items()
        }
    if kind == "trades":
        return {
            symbol: trade_fields(trade, is_crypto=is_crypto)
            for symbol, trade in latest_trades(symbols).items()
        }
    if kind == "bars":
        return {symbol: bar_fields(bar) for symbol, bar in latest_bars(symbols).items()}
    return {symbol: book_fields(book) for symbol, book in latest_books(symbols).items()}


def _minute(bar: BarWire | None) -> Fields | None:
    return None if bar is None else bar_fields(bar)
