"""Live order books and trades of one exchange through ccxt.pro, or by asking where it has no
sockets.

ccxt connects again by itself when it is asked again; we do not ask: every loss and refusal is a
FeedAwayError, and the feed process opens the exchange anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import ccxt.pro
import structlog

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.feed_options import without_key
from marketdata.domain.plan import FeedInstrument, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.told_numbers import TellingError
from marketdata.domain.values import Tick
from marketdata.feeds.ccxt_exchange.options import CcxtOptions, read_options
from marketdata.feeds.ccxt_exchange.parse import BookStream, TradeStream
from marketdata.feeds.pending import PendingTicks

logger = structlog.get_logger(__name__)

Exchange = Any  # Any: ccxt has no types
REQUEST_MS = 10_000
LOAD_SECONDS = 20
"""For an exchange's list of markets: some megabytes at the larger ones."""
FIRST_SECONDS = 8
"""For the first thing that an exchange tells after it was subscribed to."""
CLOSE_SECONDS = 3
SYMBOL_LIMIT = 100
"""Two subscriptions each; more than most exchanges let one connection have."""
CLOCK_TOLERANCE_NS = 2 * NANOSECONDS_PER_SECOND
"""Trades from before the opening are not told; so far may our clocks differ."""
REFUSALS_LOGGED = 5

LOST = (
    ccxt.BaseError, OSError, TimeoutError, ValueError, LookupError, TypeError, AttributeError,
    ArithmeticError,
)  # fmt: skip
"""The exchange is away, or told what ccxt cannot read: then it raises whatever it stumbles over.
One exchange must not end the process of all feeds.
"""


class Kind(NamedTuple):
    """How ccxt names one kind of data: its abilities and its methods."""

    can_watch: str
    can_fetch: str
    watch: str
    fetch: str


BOOKS = Kind("watchOrderBook", "fetchOrderBook", "watch_order_book", "fetch_order_book")
TRADES = Kind("watchTrades", "fetchTrades", "watch_trades", "fetch_trades")

Ask = Callable[[], Awaitable[list[Tick]]]
"""Waits for what comes next of one kind and instrument."""


class CcxtFeed:
    """The exchange that the option `exchange` names. Instruments are found by ccxt's symbols."""

    def __init__(self, setup: FeedSetup) -> None:
        """FeedOptionError for options that are not the adapter's. Calls nobody."""
        self.name = setup.name
        self._options = read_options(setup.options)
        self._setup = setup
        self._clock = setup.clock
        self._exchange: Exchange = None
        self._tasks: list[asyncio.Task[None]] = []
        self._pending = PendingTicks()
        self._first = asyncio.Event()
        self._trades = {one.grid.symbol: TradeStream(one.grid.symbol) for one in setup.instruments}
        self._since_ns = 0
        self._refused = 0

    async def open(self) -> None:
        await self.close()
        if len(self._setup.instruments) > SYMBOL_LIMIT:
            raise FeedAwayError(
                f"a feed of ccxt follows {SYMBOL_LIMIT} instruments at most; route fewer to it"
            )
        self._pending, self._first = PendingTicks(), asyncio.Event()
        self._refused = 0
        self._exchange = made_exchange(self._options, self._setup)
        if not has_all(self._exchange):
            await self.close()
            raise FeedAwayError(
                f"ccxt does not read order books and trades of {self._options.exchange}; choose"
                " another exchange"
            )
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                markets = await self._exchange.load_markets()
        except LOST as error:
            await self.close()
            raise away(error, self._setup) from error
        unknown = [one for one in self._setup.instruments if one.name_there not in markets]
        if unknown:
            await self.close()
            raise FeedAwayError(
                f"{self._options.exchange} has no market {unknown[0].name_there!r};"
                " set its name there with `./portal manage feed route --as`"
            )
        self._since_ns = self._clock.now_ns() - CLOCK_TOLERANCE_NS
        self._tasks = [
            asyncio.create_task(self._tell(ask))
            for one in self._setup.instruments
            for ask in (self._books_of(one), self._trades_of(one))
        ]
        await self._await_first()

    async def receive(self) -> Sequence[Tick]:
        return await self._pending.take(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._tasks = []
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            with suppress(*LOST):
                await asyncio.wait_for(exchange.close(), CLOSE_SECONDS)

    async def _await_first(self) -> None:
        """An exchange that says nothing after the subscriptions has not understood them."""
        try:
            async with asyncio.timeout(FIRST_SECONDS):
                await self._first.wait()
        except TimeoutError as error:
            await self.close()
            raise FeedAwayError("the exchange tells nothing after the subscription") from error

    async def _tell(self, ask: Ask) -> None:
        """Put what is told where `receive` finds it, and at the end why it ended."""
        try:
            while True:
                try:
                    ticks = await ask()
                except TellingError as error:
                    self._refuse(error)
                    continue
                if ticks:
                    await self._pending.put(ticks)
                    self._first.set()
        except LOST as error:
            await self._pending.put(away(error, self._setup))
            self._first.set()

    def _refuse(self, error: Exception) -> None:
        self._refused += 1
        if self._refused <= REFUSALS_LOGGED:
            logger.warning("feed_message_refused", feed=self.name, reason=str(error))

    def _books_of(self, instrument: FeedInstrument) -> Ask:
        there, stream = instrument.name_there, BookStream(instrument.grid.symbol)
        ask = self._source(BOOKS)

        async def books() -> list[Tick]:
            book = await ask(there)
            quote = stream.take(book, self._clock.now_ns())
            return [] if quote is None else [quote]

        return books

    def _trades_of(self, instrument: FeedInstrument) -> Ask:
        there, stream = instrument.name_there, self._trades[instrument.grid.symbol]
        ask = self._source(TRADES)
        is_watched = self._exchange.has.get(TRADES.can_watch)

        async def trades() -> list[Tick]:
            ticks: list[Tick] = []
            answer = list(await ask(there))
            for one in answer if is_watched else stream.fresh(answer):
                try:
                    trade = stream.take(one, self._since_ns)
                except TellingError as error:
                    self._refuse(error)
                    continue
                if trade is not None:
                    ticks.append(trade)
            return ticks

        return trades

    def _source(self, kind: Kind) -> Callable[[str], Awaitable[Any]]:
        """The exchange's socket for something, or else a question every few seconds."""
        exchange = self._exchange
        if exchange.has.get(kind.can_watch):
            watched: Callable[[str], Awaitable[Any]] = getattr(exchange, kind.watch)
            return watched

        async def asked(there: str) -> Any:  # Any: ccxt's structures
            await asyncio.sleep(self._options.poll_seconds)
            return await getattr(exchange, kind.fetch)(there)

        return asked


def has_all(exchange: Exchange) -> bool:
    """Whether ccxt can read the exchange's order books and trades, in one way or another."""
    return all(
        exchange.has.get(kind.can_watch) or exchange.has.get(kind.can_fetch)
        for kind in (BOOKS, TRADES)
    )


def made_exchange(options: CcxtOptions, setup: FeedSetup) -> Exchange:
    """ccxt's client of the exchange: with sockets where it has them. Calls nobody."""
    name = options.exchange
    module = ccxt.pro if name in ccxt.pro.exchanges else ccxt.async_support
    settings: dict[str, Any] = {
        "timeout": REQUEST_MS,
        "enableRateLimit": True,
        "options": {"defaultType": options.market_type},
    }
    if options.urls:
        settings["urls"] = {"api": dict(options.urls)}
    if setup.credentials is not None:
        settings |= {"apiKey": setup.credentials.key, "secret": setup.credentials.secret}
    return getattr(module, name)(settings)


def away(error: BaseException, setup: FeedSetup) -> FeedAwayError:
    """Why the exchange is away, in words for an operator; our key is never among them."""
    if isinstance(error, FeedAwayError):
        return error
    if isinstance(error, ccxt.AuthenticationError):
        return FeedAwayError(
            "the exchange refuses our key; set another with `./portal manage feed key`"
        )
    if isinstance(error, TimeoutError | ccxt.RequestTimeout):
        return FeedAwayError("the exchange does not answer in time")
    text = without_key(str(error), setup.credentials)
    return FeedAwayError(f"{type(error).__name__}: {text:.200}")
