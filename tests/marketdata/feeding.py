"""A feed process under a test's control: ticks by hand, a clock that stands, outlets that can
fail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.domain.clock import NANOSECONDS_PER_SECOND, FixedClock
from marketdata.domain.keeping import BarKeeper, DatedBar, ResumedBars
from marketdata.domain.ports import FeedAwayError, Told
from marketdata.domain.provider_chain import ProviderChain, Route
from marketdata.domain.trading_days import TradingDays
from marketdata.domain.values import Aggressor, Level, Quote, Trade
from marketdata.feeds.items import StoredItem
from marketdata.feeds.links import Link
from marketdata.feeds.process import FeedProcess, Outlets, Surroundings
from marketdata.feeds.publisher import RedisPublisher
from marketdata.feeds.sink import SinkDelivery
from marketdata.feeds.sources import Source

PREFIX = "feedtest:"
LIMIT_NS = 10 * NANOSECONDS_PER_SECOND
SILENCE_NS = 30 * NANOSECONDS_PER_SECOND
_numbers = count(1)


class HandFeed:
    """Tells what a test has put. While `is_away` it cannot be opened, and an open one hangs up."""

    def __init__(self, name: str = "hand") -> None:
        self.name = name
        self.opened = 0
        self.closed = 0
        self.is_away = False
        self._told: asyncio.Queue[Told] = asyncio.Queue()

    def put(self, *told: Told) -> None:
        for item in told:
            self._told.put_nowait(item)

    async def open(self) -> None:
        if self.is_away:
            raise FeedAwayError("nobody answers")
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1

    async def receive(self) -> Sequence[Told]:
        if self.is_away:
            raise FeedAwayError("the source hung up")
        try:
            async with asyncio.timeout(0.01):
                return [await self._told.get()]
        except TimeoutError:
            return []


class RecordingSink:
    """The engine's side. While it is `away` every call fails as a broken connection does."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.is_away = False
        self.connections = 0

    async def connect(self) -> None:
        self._check()
        self.connections += 1

    async def quote(self, symbol: str, seq: int, bids: Any, asks: Any, t_ns: int) -> None:
        self._check()
        self.told.append(("quote", symbol, seq, bids[0].price, asks[0].price))

    async def trade(self, symbol: str, price: Decimal, size: Decimal, side: str, t_ns: int) -> None:
        self._check()
        self.told.append(("trade", symbol, price, size, side))

    async def close(self) -> None:
        pass

    def _check(self) -> None:
        if self.is_away:
            raise ConnectionRefusedError("the engine is away")


class FeedRun:
    """A running feed process and everything around it. `feeds` are its sources, the best first."""

    def __init__(
        self,
        url: str,
        now: datetime,
        resumed: dict[str, ResumedBars] | None,
        feeds: Sequence[str],
    ) -> None:
        self.feeds = [HandFeed(name) for name in feeds]
        self.feed = self.feeds[0]
        self.sink = RecordingSink()
        self.clock = FixedClock(now)
        self.rows: list[DatedBar] = []
        self.stored: list[StoredItem] = []
        self.halted: frozenset[str] = frozenset()
        self.redis: Redis = Redis.from_url(url)
        self._publisher = RedisPublisher(url, PREFIX)
        self.stop = asyncio.Event()
        bars = resumed or {"AAPL": ResumedBars(), "IBM": ResumedBars()}
        self.sources = [
            Source(feed.name, feed, [*bars], feed_id=number, silence_ns=SILENCE_NS)
            for number, feed in enumerate(self.feeds, 1)
        ]
        self.process = FeedProcess(
            sources=self.sources,
            chain=ProviderChain(
                {symbol: [Route(name, LIMIT_NS) for name in feeds] for symbol in bars},
                self.clock.now_ns(),
            ),
            outlets=Outlets(
                live=Link("redis", self._publisher.deliver, (RedisError, OSError)),
                engine=Link(
                    "engine",
                    SinkDelivery(self.sink, self.clock).deliver,
                    (OSError,),
                    keeps_missed=False,
                ),
                bars=Link("database", self._save, (OSError,)),
                ticks=Link("ticks", self._keep, (OSError,)),
            ),
            keeper=BarKeeper(bars),
            around=Surroundings(
                self._halted,
                self._days,
                self._publisher.control,
                self._publisher.left_quotes,
                self.clock,
                self.clock,
                Random(1),
                self.clock.now_ns,
            ),
        )

    async def latest(self, topic: str) -> dict[str, Any] | None:
        frame = await self.redis.get(f"{PREFIX}latest:{topic}")
        return None if frame is None else msgspec.json.decode(frame)

    async def close(self) -> None:
        await self._publisher.close()
        await self.redis.aclose()

    async def _save(self, rows: Sequence[DatedBar]) -> None:
        self.rows.extend(rows)

    async def _keep(self, items: Sequence[StoredItem]) -> None:
        self.stored.extend(items)

    async def _days(self) -> dict[str, TradingDays]:
        return {}

    async def _halted(self) -> frozenset[str]:
        return self.halted


def with_feed(
    url: str,
    now: datetime,
    scenario: Callable[[FeedRun], Awaitable[None]],
    resumed: dict[str, ResumedBars] | None = None,
    feeds: Sequence[str] = ("hand",),
) -> FeedRun:
    """Run the process while the scenario acts on it, then stop it as SIGTERM does."""

    async def run() -> FeedRun:
        feed_run = FeedRun(url, now, resumed, feeds)
        process = asyncio.create_task(feed_run.process.run(feed_run.stop))
        try:
            await scenario(feed_run)
        finally:
            feed_run.stop.set()
            async with asyncio.timeout(60):
                await process
            await feed_run.close()
        return feed_run

    return asyncio.run(run())


def quote(symbol: str, bid: str, t_ns: int) -> Quote:
    price = Decimal(bid)
    bids = tuple(Level(price - Decimal(n) / 100, Decimal(10 + n)) for n in range(10))
    asks = tuple(Level(price + Decimal(n + 2) / 100, Decimal(20 + n)) for n in range(10))
    return Quote(symbol, bids, asks, t_ns)


def trade(symbol: str, price: str, t_ns: int, size: str = "1") -> Trade:
    """Each has a number of its own."""
    number = next(_numbers)
    return Trade(symbol, number, Decimal(price), Decimal(size), Aggressor.SELL, t_ns)
