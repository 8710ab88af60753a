"""A feed process under a test's control: ticks by hand, a clock that stands, outlets that can
fail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.domain.clock import FixedClock
from marketdata.domain.keeping import BarKeeper, DatedBar, ResumedBars
from marketdata.domain.values import Aggressor, Level, Quote, Tick, Trade
from marketdata.feeds.links import Link
from marketdata.feeds.process import FeedProcess, Outlets
from marketdata.feeds.publisher import RedisPublisher
from marketdata.feeds.sink import SinkDelivery

PREFIX = "feedtest:"


class HandFeed:
    """Gives the ticks that a test has put."""

    name = "hand"

    def __init__(self) -> None:
        self._ticks: asyncio.Queue[Tick] = asyncio.Queue()

    def put(self, *ticks: Tick) -> None:
        for tick in ticks:
            self._ticks.put_nowait(tick)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def receive(self) -> Sequence[Tick]:
        try:
            async with asyncio.timeout(0.01):
                return [await self._ticks.get()]
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
    """A running feed process and everything around it."""

    def __init__(self, url: str, now: datetime, resumed: dict[str, ResumedBars] | None) -> None:
        self.feed = HandFeed()
        self.sink = RecordingSink()
        self.clock = FixedClock(now)
        self.rows: list[DatedBar] = []
        self.halted: frozenset[str] = frozenset()
        self.redis: Redis = Redis.from_url(url)
        self._publisher = RedisPublisher(url, PREFIX)
        self.stop = asyncio.Event()
        self.process = FeedProcess(
            feed=self.feed,
            outlets=Outlets(
                live=Link("redis", self._publisher.deliver, (RedisError, OSError)),
                engine=Link(
                    "engine", SinkDelivery(self.sink).deliver, (OSError,), keeps_missed=False
                ),
                bars=Link("database", self._save, (OSError,)),
            ),
            keeper=BarKeeper(resumed or {"AAPL": ResumedBars(), "IBM": ResumedBars()}),
            halted_symbols=self._halted,
            clock=self.clock,
        )

    async def latest(self, topic: str) -> dict[str, Any] | None:
        frame = await self.redis.get(f"{PREFIX}latest:{topic}")
        return None if frame is None else msgspec.json.decode(frame)

    async def close(self) -> None:
        await self._publisher.close()
        await self.redis.aclose()

    async def _save(self, rows: Sequence[DatedBar]) -> None:
        self.rows.extend(rows)

    async def _halted(self) -> frozenset[str]:
        return self.halted


def with_feed(
    url: str,
    now: datetime,
    scenario: Callable[[FeedRun], Awaitable[None]],
    resumed: dict[str, ResumedBars] | None = None,
) -> FeedRun:
    """Run the process while the scenario acts on it, then stop it as SIGTERM does."""

    async def run() -> FeedRun:
        feed_run = FeedRun(url, now, resumed)
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
    return Trade(symbol, 1, Decimal(price), Decimal(size), Aggressor.SELL, t_ns)
