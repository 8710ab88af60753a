"""Bars, trades and quotes of the past from the dialect's REST side, page by page.

alpaca-py knows paths, headers, spellings and when to try again; we give it a deadline, which it has
not, take its pages one at a time and read its numbers exactly.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from alpaca.common.exceptions import APIError, RetryException
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoTradesRequest,
    StockBarsRequest,
    StockQuotesRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from requests import HTTPError, RequestException, Response

from core.domain.clock import to_ns
from marketdata.domain.bar_spans import is_over
from marketdata.domain.bars import Bar
from marketdata.domain.feed_options import without_key
from marketdata.domain.plan import FeedInstrument, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.timeframes import Timeframe
from marketdata.domain.told_numbers import TellingError
from marketdata.domain.values import Tick
from marketdata.feeds.alpaca.options import read_options
from marketdata.feeds.alpaca.parse import Dialect, bar_of

CONNECT_SECONDS = 10
READ_SECONDS = 30
PAGE_LIMIT = 10_000
"""The most that the dialect gives on a page."""

Json = dict[str, Any]  # Any: JSON of the dialect
Parsed = TypeVar("Parsed")


class _Exact:
    """alpaca-py's requests with a deadline and with numbers as they were written."""

    _session: Any  # Any: alpaca-py's own, not in its public types
    _retry_codes: list[int]

    def _one_request(self, method: str, url: str, opts: Json, retry: int) -> Json:
        answer: Response = self._session.request(
            method, url, timeout=(CONNECT_SECONDS, READ_SECONDS), **opts
        )
        if answer.status_code in self._retry_codes and retry > 0:
            raise RetryException
        if not answer.ok or answer.is_redirect:
            raise APIError(answer.text, HTTPError(response=answer))
        found = json.loads(answer.text, parse_float=Decimal)
        if not isinstance(found, dict):
            raise TellingError("an answer that is no object")
        return found


class _Stocks(_Exact, StockHistoricalDataClient):
    kind = "stocks"


class _Crypto(_Exact, CryptoHistoricalDataClient):
    kind = "crypto/us"


class AlpacaHistorian:
    """What the source knows of the past of the setup's instruments. Every method raises
    FeedAwayError when the source cannot be asked or gives what cannot be right.
    """

    def __init__(self, setup: FeedSetup) -> None:
        """FeedOptionError for options that are not the adapter's. Calls nobody."""
        self.name = setup.name
        self._setup = setup
        self._options = read_options(setup.options)
        self._instruments = {one.grid.symbol: one for one in setup.instruments}

    async def bars(
        self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime
    ) -> AsyncIterator[Sequence[Bar]]:
        """Closed bars that begin at `start` or later and before `end`, oldest first; each page when
        it has come. Prices are raw unless the option `adjustment` says otherwise.
        """
        instrument = self._instruments[symbol]
        unit = TimeFrameUnit(timeframe.unit.value)
        window: Json = {
            "symbol_or_symbols": instrument.name_there,
            "timeframe": TimeFrame(timeframe.amount, unit),
            "start": start,
            "end": end,
        }
        request = (
            CryptoBarsRequest(**window)
            if instrument.grid.is_crypto
            else StockBarsRequest(
                **window,
                adjustment=Adjustment(self._options.adjustment),
                feed=DataFeed(self._options.feed),
            )
        )
        now = self._setup.clock.now()
        async for page in self._pages(instrument, "bars", request.to_request_fields()):
            bars = [_read(partial(bar_of, symbol), item) for item in page]
            yield [
                bar for bar in bars if bar.start_ns < to_ns(end) and is_over(bar, timeframe, now)
            ]

    async def ticks(
        self, symbol: str, kind: str, start: datetime, end: datetime
    ) -> AsyncIterator[Sequence[Tick]]:
        """The `kind` (trades, or quotes of a stock) from `start` to before `end`, oldest first."""
        instrument = self._instruments[symbol]
        window: Json = {"symbol_or_symbols": instrument.name_there, "start": start, "end": end}
        if instrument.grid.is_crypto:
            request: Any = CryptoTradesRequest(**window)  # Any: the SDK's three requests
        else:
            made = StockTradesRequest if kind == "trades" else StockQuotesRequest
            request = made(**window, feed=DataFeed(self._options.feed))
        dialect = Dialect(
            {instrument.name_there: symbol},
            is_one_exchange=self._options.feed == "iex",
            quote_lot=self._options.quote_lot,
        )
        mark = {"T": kind[0], "S": instrument.name_there}
        async for page in self._pages(instrument, kind, request.to_request_fields()):
            told = [_read(dialect.tick, item | mark) for item in page]
            yield [tick for tick in told if tick is not None and tick.t_ns < to_ns(end)]

    async def _pages(
        self, instrument: FeedInstrument, kind: str, fields: Json
    ) -> AsyncIterator[list[Json]]:
        client = self._client(instrument)
        path = f"/{client.kind}/{kind}"
        token: str | None = None
        while True:
            asked = fields | {"limit": PAGE_LIMIT, "page_token": token}
            answer = await self._ask(partial(client.get, path, asked))
            found = (answer.get(kind) or {}).get(instrument.name_there) or []
            yield found
            last, token = token, answer.get("next_page_token")
            if token is None:
                return
            if token == last:
                raise FeedAwayError("the source gives the same page again and again")

    async def _ask(self, get: "partial[Any]") -> Mapping[str, Any]:
        """The SDK blocks: it runs in a thread, which its deadline ends."""
        try:
            answer = await asyncio.to_thread(get)
        except (APIError, RequestException, OSError, ValueError) as error:
            text = without_key(str(error), self._setup.credentials)
            raise FeedAwayError(f"history cannot be read: {text:.200}") from error
        if not isinstance(answer, Mapping):
            raise FeedAwayError("history cannot be read: the source wants us to wait")
        return answer

    def _client(self, instrument: FeedInstrument) -> Any:  # Any: one of two SDK clients
        if self._setup.credentials is None:
            raise FeedAwayError("no key is set; set one with `./portal manage feed key`")
        made = _Crypto if instrument.grid.is_crypto else _Stocks
        return made(*self._setup.credentials, url_override=self._options.data_url)


def _read(parse: Callable[[Json], Parsed], item: Json) -> Parsed:
    """A page with one impossible item is not to be trusted: nothing of it is stored."""
    try:
        return parse(item)
    except TellingError as error:
        raise FeedAwayError(f"history cannot be read: {error}") from error
