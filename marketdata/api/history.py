"""Bars, trades and quotes of the past, page by page: `.../bars`, `.../trades`, `.../quotes`."""

from datetime import UTC, datetime, time
from typing import NamedTuple

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from marketdata.api import schema
from marketdata.api.bars import bar_fetcher
from marketdata.api.base import CryptoView, DataView, StockView
from marketdata.api.paging import Fetch, Page, Span, fill_page, page_token, read_page_token
from marketdata.api.params import Query, instrument_named, invalid
from marketdata.api.ticks import quote_fetcher, trade_fetcher
from marketdata.models import Instrument

WINDOW = ("start", "end", "limit", "sort", "page_token", "currency")
STOCK_ONLY = ("feed", "asof")
OF_BARS = ("timeframe", "adjustment")


class Kind(NamedTuple):
    """What a history is of."""

    name: str
    parameters: tuple[str, ...] = ()

    def fetcher(self, query: Query) -> Fetch:
        if self.name == "bars":
            return bar_fetcher(query)
        return trade_fetcher() if self.name == "trades" else quote_fetcher()


BARS, TRADES, QUOTES = Kind("bars", OF_BARS), Kind("trades"), Kind("quotes")
KINDS = {kind.name: kind for kind in (BARS, TRADES, QUOTES)}


class _HistoryView(DataView):
    """Pages run through the symbols in order and through each symbol in time."""

    asset_class: Instrument.AssetClass
    kind: Kind

    def _many(self, request: Request) -> Response:
        query = Query(request.query_params, ("symbols", *self._parameters(self.kind)))
        page = self._page(query, query.instruments(self.asset_class), self.kind)
        return Response({self.kind.name: page.items, "next_page_token": page_token(page.end)})

    def _one(self, request: Request, symbol: str, kind: Kind) -> Response:
        query = Query(request.query_params, self._parameters(kind))
        instrument = instrument_named(symbol, self.asset_class)
        page = self._page(query, [instrument], kind)
        return Response(
            {
                kind.name: page.items.get(instrument.symbol, []),
                "symbol": instrument.symbol,
                "next_page_token": page_token(page.end),
            }
        )

    def _parameters(self, kind: Kind) -> tuple[str, ...]:
        is_stock = self.asset_class == Instrument.AssetClass.US_EQUITY
        return (*WINDOW, *kind.parameters, *(STOCK_ONLY if is_stock else ()))

    def _page(self, query: Query, instruments: list[Instrument], kind: Kind) -> Page:
        query.market(instruments)
        span = self._span(query)
        cursor = read_page_token(query.text("page_token"))
        return fill_page(instruments, span, cursor, query.limit(), kind.fetcher(query))

    def _span(self, query: Query) -> Span:
        is_newest_first = query.choice("sort", ("asc", "desc"), "asc") == "desc"
        now = self.now()
        start = query.moment("start") or datetime.combine(now.date(), time(), UTC)
        end = query.moment("end") or now
        if start > end:
            raise invalid("start", "it is after end")
        return Span(start, end, is_newest_first)


class StockBars(StockView, _HistoryView):
    kind = BARS

    @extend_schema(
        summary="Bars of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS, *schema.BARS, *schema.PAGING, *schema.STOCKS],
        responses=schema.pages_of("bars"),
    )
    def get(self, request: Request) -> Response:
        return self._many(request)


class StockTrades(StockView, _HistoryView):
    kind = TRADES

    @extend_schema(
        summary="Trades of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS, *schema.PAGING, *schema.STOCKS],
        responses=schema.pages_of("trades"),
    )
    def get(self, request: Request) -> Response:
        return self._many(request)


class StockQuotes(StockView, _HistoryView):
    kind = QUOTES

    @extend_schema(
        summary="Quotes of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS, *schema.PAGING, *schema.STOCKS],
        responses=schema.pages_of("quotes"),
    )
    def get(self, request: Request) -> Response:
        return self._many(request)


class StockHistory(StockView, _HistoryView):
    """The same of one stock, which the address names."""

    @extend_schema(
        summary="Bars, quotes or trades of one stock",
        tags=["Stock data"],
        parameters=[schema.KIND, *schema.BARS_ONLY, *schema.PAGING, *schema.STOCKS],
        responses=schema.PAGE_OF_ONE,
    )
    def get(self, request: Request, symbol: str, kind: str) -> Response:
        return self._one(request, symbol, KINDS[kind])


class CryptoBars(CryptoView, _HistoryView):
    kind = BARS

    @extend_schema(
        summary="Bars of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS, *schema.BARS, *schema.PAGING],
        responses=schema.pages_of("bars"),
    )
    def get(self, request: Request) -> Response:
        return self._many(request)


class CryptoTrades(CryptoView, _HistoryView):
    kind = TRADES

    @extend_schema(
        summary="Trades of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS, *schema.PAGING],
        responses=schema.pages_of("trades"),
    )
    def get(self, request: Request) -> Response:
        return self._many(request)


class CryptoQuotes(CryptoView, _HistoryView):
    kind = QUOTES

    @extend_schema(
        summary="Quotes of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS, *schema.PAGING],
        responses=schema.pages_of("quotes"),
    )
    def get(self, request: Request) -> Response:
        return self._many(request)
