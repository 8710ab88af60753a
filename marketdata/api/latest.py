"""The newest of everything: `.../{kind}/latest`, `.../latest/{kind}`, `.../snapshots`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import not_found
from marketdata.api import schema
from marketdata.api.bars import stored_bar_fields
from marketdata.api.base import CryptoView, DataView, StockView
from marketdata.api.params import Query, instrument_named
from marketdata.domain.dialect import (
    MADE_HERE,
    Fields,
    aged,
    bar_fields,
    book_fields,
    quote_fields,
    trade_fields,
)
from marketdata.domain.keeping import DAY
from marketdata.models import Instrument
from marketdata.selectors import (
    bar_view,
    daily_bars,
    latest_bars,
    latest_books,
    latest_quotes,
    latest_trades,
)

SINGULAR = {"bars": "bar", "quotes": "quote", "trades": "trade", "orderbooks": "orderbook"}
STOCK_ONLY = ("feed",)


class _LatestView(DataView):
    asset_class: Instrument.AssetClass

    def _many(self, request: Request) -> list[Instrument]:
        query = Query(request.query_params, ("symbols", *self._parameters()))
        instruments = query.instruments(self.asset_class)
        query.market(instruments)
        return instruments

    def _one(self, request: Request, symbol: str) -> Instrument:
        query = Query(request.query_params, self._parameters())
        instrument = instrument_named(symbol, self.asset_class)
        query.market([instrument])
        return instrument

    def _parameters(self) -> tuple[str, ...]:
        is_stock = self.asset_class == Instrument.AssetClass.US_EQUITY
        return ("currency", *(STOCK_ONLY if is_stock else ()))

    def _newest(self, kind: str, instruments: Sequence[Instrument]) -> dict[str, Fields]:
        symbols = [instrument.symbol for instrument in instruments]
        is_crypto = self.asset_class == Instrument.AssetClass.CRYPTO
        return newest(kind, symbols, self.now(), is_crypto=is_crypto)

    def _snapshots(self, instruments: Sequence[Instrument]) -> dict[str, Fields]:
        now = self.now()
        quotes = self._newest("quotes", instruments)
        trades = self._newest("trades", instruments)
        symbols = [instrument.symbol for instrument in instruments]
        minutes, running = latest_bars(symbols), latest_bars(symbols, DAY)
        views = {symbol: bar_view(day) for symbol, day in running.items()}
        days = daily_bars(instruments, views, now)
        return {
            symbol: {
                "latestTrade": trades.get(symbol),
                "latestQuote": quotes.get(symbol),
                "minuteBar": aged(bar_fields(minutes[symbol]), now) if symbol in minutes else None,
                "dailyBar": stored_bar_fields(today) if today else None,
                "prevDailyBar": stored_bar_fields(before) if before else None,
            }
            for symbol, (today, before) in days.items()
        }


class StockLatest(StockView, _LatestView):
    """Order books of stocks are ours: the dialect has them for crypto only."""

    @extend_schema(
        summary="Newest bars, quotes, trades or order books of stocks",
        tags=["Stock data"],
        parameters=[schema.LATEST_KIND, schema.SYMBOLS, schema.FEED, schema.CURRENCY],
        responses=schema.LATEST,
    )
    def get(self, request: Request, kind: str) -> Response:
        return Response({kind: self._newest(kind, self._many(request))})


class StockSymbolLatest(StockView, _LatestView):
    """The same of one stock, which the address names; 404 when it has none yet."""

    @extend_schema(
        operation_id="v2_stocks_symbol_latest_retrieve",  # the other route's would be the same
        summary="Newest bar, quote, trade or order book of one stock",
        tags=["Stock data"],
        parameters=[schema.LATEST_KIND, schema.FEED, schema.CURRENCY],
        responses=schema.LATEST_OF_ONE,
    )
    def get(self, request: Request, symbol: str, kind: str) -> Response:
        instrument = self._one(request, symbol)
        found = self._newest(kind, [instrument]).get(instrument.symbol)
        if found is None:
            raise not_found(f"no {SINGULAR[kind]} found for {instrument.symbol}")
        return Response({"symbol": instrument.symbol, SINGULAR[kind]: found})


class CryptoLatest(CryptoView, _LatestView):
    @extend_schema(
        summary="Newest bars, quotes, trades or order books of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.LATEST_KIND, schema.SYMBOLS, schema.CURRENCY],
        responses=schema.LATEST,
    )
    def get(self, request: Request, kind: str) -> Response:
        return Response({kind: self._newest(kind, self._many(request))})


class StockSnapshots(StockView, _LatestView):
    """The symbols stand at the top level (the dialect's stocks and crypto differ here)."""

    @extend_schema(
        summary="Snapshots of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS, schema.FEED, schema.CURRENCY],
        responses={200: schema.SNAPSHOTS_BY_SYMBOL},
    )
    def get(self, request: Request) -> Response:
        return Response(self._snapshots(self._many(request)))


class StockSymbolSnapshot(StockView, _LatestView):
    """The snapshot of one stock, with its symbol among the members."""

    @extend_schema(
        summary="Snapshot of one stock",
        tags=["Stock data"],
        parameters=[schema.FEED, schema.CURRENCY],
        responses=schema.SNAPSHOT_OF_ONE,
    )
    def get(self, request: Request, symbol: str) -> Response:
        instrument = self._one(request, symbol)
        snapshot = self._snapshots([instrument])[instrument.symbol]
        return Response({"symbol": instrument.symbol} | snapshot)


class CryptoSnapshots(CryptoView, _LatestView):
    @extend_schema(
        summary="Snapshots of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS, schema.CURRENCY],
        responses=schema.SNAPSHOTS,
    )
    def get(self, request: Request) -> Response:
        return Response({"snapshots": self._snapshots(self._many(request))})


def newest(
    kind: str, symbols: Sequence[str], now: datetime, *, is_crypto: bool
) -> dict[str, Fields]:
    """The newest `kind` of each symbol that has one, in the dialect, with its age at `now`."""
    read, write = _KINDS[kind]
    return {symbol: aged(write(one, is_crypto, now), now) for symbol, one in read(symbols).items()}


_KINDS: dict[str, tuple[Callable[..., dict[str, Any]], Callable[[Any, bool, datetime], Fields]]] = {
    "quotes": (
        latest_quotes,
        lambda one, is_crypto, now: quote_fields(one, is_crypto=is_crypto, now=now),
    ),
    "trades": (latest_trades, lambda one, is_crypto, _: trade_fields(one, is_crypto=is_crypto)),
    "bars": (latest_bars, lambda one, *_: bar_fields(one)),
    "orderbooks": (latest_books, lambda one, *_: book_fields(one) | {"feed": MADE_HERE}),
}  # Any: one wire type for each kind
"""How each kind is read and written."""
