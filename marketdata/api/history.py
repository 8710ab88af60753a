"""Bars and trades of the past, page by page: `.../bars`, `.../trades`."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from marketdata.api import schema
from marketdata.api.base import IGNORED_PARAMETERS, CryptoView, DataView, StockView
from marketdata.api.params import Cursor, Query, invalid, page_token
from marketdata.domain.dialect import Fields, trade_fields
from marketdata.models import Instrument
from marketdata.selectors import BarView, BarWindow, bars_in, recent_trades

WINDOW_PARAMETERS = ("symbols", "start", "end", "limit", "sort", "page_token", *IGNORED_PARAMETERS)
INSTANT = timedelta(microseconds=1)

Fetch = Callable[[Instrument, datetime, datetime, int], list[Fields]]
"""At most `limit` items of an instrument that start within the window, in the query's order."""


class _HistoryView(DataView):
    """Pages run through the symbols in order and through each symbol in time."""

    asset_class: Instrument.AssetClass
    kind: str
    extra_parameters: tuple[str, ...] = ()

    def _page(self, request: Request) -> Response:
        query = Query(request.query_params, (*WINDOW_PARAMETERS, *self.extra_parameters))
        instruments = query.instruments(self.asset_class)
        is_newest_first = query.choice("sort", ("asc", "desc"), "asc") == "desc"
        now = self.now()
        start = query.moment("start") or datetime.combine(now.date(), time(), UTC)
        end = query.moment("end") or now
        if start > end:
            raise invalid("start", "it is after end")
        limit = query.limit()
        fetch = self.fetcher(query, is_newest_first)
        items, more = _collect(
            [
                (instrument, *_rest_of(instrument, start, end, query.cursor(), is_newest_first))
                for instrument in _from(instruments, query.cursor())
            ],
            fetch,
            limit,
        )
        token = page_token(_last_of(items)) if more else None
        return Response({self.kind: items, "next_page_token": token})

    def fetcher(self, query: Query, is_newest_first: bool) -> Fetch:
        raise NotImplementedError


class _BarsView(_HistoryView):
    kind = "bars"
    extra_parameters = ("timeframe",)

    def fetcher(self, query: Query, is_newest_first: bool) -> Fetch:
        timeframe = query.timeframe()

        def fetch(
            instrument: Instrument, start: datetime, end: datetime, limit: int
        ) -> list[Fields]:
            window = BarWindow(timeframe, start, end, limit, is_newest_first)
            return [stored_bar_fields(bar) for bar in bars_in(instrument.pk, window)]

        return fetch


class _TradesView(_HistoryView):
    """Trades are kept for a moment only: the last 50 of each instrument."""

    kind = "trades"

    def fetcher(self, query: Query, is_newest_first: bool) -> Fetch:
        def fetch(
            instrument: Instrument, start: datetime, end: datetime, limit: int
        ) -> list[Fields]:
            is_crypto = instrument.asset_class == Instrument.AssetClass.CRYPTO
            trades = [
                trade for trade in recent_trades(instrument.symbol) if start <= trade.t <= end
            ]
            ordered = trades if is_newest_first else trades[::-1]
            return [trade_fields(trade, is_crypto=is_crypto) for trade in ordered[:limit]]

        return fetch


class StockBars(StockView, _BarsView):
    @extend_schema(
        summary="Bars of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS, schema.TIMEFRAME, *schema.PAGING],
        responses=schema.pages_of("bars"),
    )
    def get(self, request: Request) -> Response:
        return self._page(request)


class CryptoBars(CryptoView, _BarsView):
    @extend_schema(
        summary="Bars of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS, schema.TIMEFRAME, *schema.PAGING],
        responses=schema.pages_of("bars"),
    )
    def get(self, request: Request) -> Response:
        return self._page(request)


class StockTrades(StockView, _TradesView):
    @extend_schema(
        summary="The last trades of stocks",
        tags=["Stock data"],
        parameters=[schema.SYMBOLS, *schema.PAGING],
        responses=schema.pages_of("trades"),
    )
    def get(self, request: Request) -> Response:
        return self._page(request)


class CryptoTrades(CryptoView, _TradesView):
    @extend_schema(
        summary="The last trades of crypto pairs",
        tags=["Crypto data"],
        parameters=[schema.SYMBOLS, *schema.PAGING],
        responses=schema.pages_of("trades"),
    )
    def get(self, request: Request) -> Response:
        return self._page(request)


def stored_bar_fields(bar: BarView) -> Fields:
    return {
        "t": bar.start,
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume,
        "n": bar.trade_count,
        "vw": bar.vwap,
    }


def _from(instruments: Sequence[Instrument], cursor: Cursor | None) -> list[Instrument]:
    return [i for i in instruments if cursor is None or i.symbol >= cursor.symbol]


def _rest_of(
    instrument: Instrument,
    start: datetime,
    end: datetime,
    cursor: Cursor | None,
    newest_first: bool,
) -> tuple[datetime, datetime]:
    """The part of the window that the page before has left of this instrument."""
    if cursor is None or cursor.symbol != instrument.symbol:
        return start, end
    if newest_first:
        return start, min(end, cursor.last - INSTANT)
    return max(start, cursor.last + INSTANT), end


def _collect(
    windows: Sequence[tuple[Instrument, datetime, datetime]], fetch: Fetch, limit: int
) -> tuple[dict[str, list[Fields]], bool]:
    """Items by symbol, `limit` in all, and whether there are more."""
    items: dict[str, list[Fields]] = {}
    room = limit
    for instrument, start, end in windows:
        found = fetch(instrument, start, end, room + 1)
        if found and room == 0:
            return items, True
        if found:
            items[instrument.symbol] = found[:room]
        if len(found) > room:
            return items, True
        room -= len(found)
    return items, False


def _last_of(items: dict[str, list[Fields]]) -> Cursor:
    symbol = max(items)
    return Cursor(symbol, items[symbol][-1]["t"])
