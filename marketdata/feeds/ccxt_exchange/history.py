"""Bars of the past from one of ccxt's exchanges, page by page."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime

from core.domain.clock import to_ns
from marketdata.domain.bar_spans import is_over
from marketdata.domain.bars import Bar
from marketdata.domain.plan import FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.timeframes import Timeframe, Unit
from marketdata.feeds.ccxt_exchange.client import CLOSE_SECONDS, LOST, away, made_exchange
from marketdata.feeds.ccxt_exchange.options import read_options
from marketdata.feeds.ccxt_exchange.parse import NANOSECONDS_PER_MILLISECOND, bar_of

PAGE_LIMIT = 500
"""What most exchanges give at once; those that give less give what they have."""
PAGE_LIMITS = {"alpaca": 10_000}
"""ccxt asks this one for whole days, so a page has to hold one."""
PAGE_SECONDS = 30
SPELLINGS = {
    Unit.MINUTE: "m",
    Unit.HOUR: "h",
    Unit.DAY: "d",
    Unit.WEEK: "w",
    Unit.MONTH: "M",
}


class CcxtHistorian:
    """The bars that the exchange keeps. FeedAwayError when it cannot be asked, or has no bars of
    the timeframe.
    """

    def __init__(self, setup: FeedSetup) -> None:
        """FeedOptionError for options that are not the adapter's. Calls nobody."""
        self.name = setup.name
        self._setup = setup
        self._options = read_options(setup.options)
        self._names = {one.grid.symbol: one.name_there for one in setup.instruments}

    async def bars(
        self, symbol: str, timeframe: Timeframe, start: datetime, end: datetime
    ) -> AsyncIterator[Sequence[Bar]]:
        """Closed bars that begin at `start` or later and before `end`, oldest first; each page when
        it has come. They have neither a number of trades nor an average price.
        """
        exchange = made_exchange(self._options, self._setup)
        spelled = f"{timeframe.amount}{SPELLINGS[timeframe.unit]}"
        limit = PAGE_LIMITS.get(self._options.exchange, PAGE_LIMIT)
        now, end_ns, next_ns = self._setup.clock.now(), to_ns(end), to_ns(start)
        try:
            while next_ns < end_ns:
                since_ms = -(-next_ns // NANOSECONDS_PER_MILLISECOND)
                async with asyncio.timeout(PAGE_SECONDS):
                    told = await exchange.fetch_ohlcv(self._names[symbol], spelled, since_ms, limit)
                page = [bar_of(symbol, one) for one in told]
                fresh = [bar for bar in page if next_ns <= bar.start_ns < end_ns]
                if not fresh and len(page) >= limit:
                    raise FeedAwayError("the exchange gives older bars than it was asked for")
                if not fresh:
                    return
                yield [bar for bar in fresh if is_over(bar, timeframe, now)]
                next_ns = fresh[-1].start_ns + 1
        except LOST as error:
            raise away(error, self._setup) from error
        finally:
            with suppress(*LOST):
                await asyncio.wait_for(exchange.close(), CLOSE_SECONDS)
