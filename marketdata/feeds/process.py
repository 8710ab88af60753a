"""The feed process: takes ticks from one source, numbers them and sends them on.

    feed → quote, trade ─┬─► Redis: latest and live frames (gateways, pages, API)
                         ├─► the engine: the street's liquidity
                         └─► bars → Redis and PostgreSQL

Each way out is a link of its own; a link whose other side is away never holds up the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from core.domain.clock import NANOSECONDS_PER_SECOND, Clock
from core.domain.ids import new_id
from marketdata.domain.bars import Bar
from marketdata.domain.frames import bar_data, event_frame, quote_data, trade_data
from marketdata.domain.keeping import BarKeeper, DatedBar
from marketdata.domain.ports import Feed
from marketdata.domain.topics import bar_topic, quote_topic, trade_topic
from marketdata.domain.values import Quote, Tick, Trade
from marketdata.feeds.links import Link
from marketdata.feeds.publisher import FEED_ALIVE_KEY, Kind, Publication
from marketdata.metrics import FEED_LAST_MESSAGE, FEED_LATE_TRADES, FEED_MESSAGES

logger = structlog.get_logger(__name__)

HALT_CHECK_SECONDS = 2
DRAIN_SECONDS = 5


class NumberedTick(NamedTuple):
    """A tick on its way to the engine, with its number in the live stream."""

    seq: int
    tick: Tick


@dataclass(frozen=True, slots=True)
class Outlets:
    live: Link[Publication]
    engine: Link[NumberedTick]
    bars: Link[DatedBar]

    @property
    def all(self) -> tuple[Link[Publication], Link[NumberedTick], Link[DatedBar]]:
        return (self.live, self.engine, self.bars)


class FeedProcess:
    """Runs one feed until told to stop. The numbering (epoch) is new with every process."""

    def __init__(
        self,
        *,
        feed: Feed,
        outlets: Outlets,
        keeper: BarKeeper,
        halted_symbols: Callable[[], Awaitable[frozenset[str]]],
        clock: Clock,
    ) -> None:
        """`halted_symbols` must not raise when the database is away: it then gives what it knew."""
        self._feed = feed
        self._outlets = outlets
        self._keeper = keeper
        self._halted_symbols = halted_symbols
        self._clock = clock
        self._epoch = new_id(clock.now_ns()).hex
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._halted: frozenset[str] = frozenset()
        self._second = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`, then store the open minutes and deliver what waits."""
        links = [asyncio.create_task(link.run()) for link in self._outlets.all]
        halts = asyncio.create_task(self._follow_halts())
        stopping = asyncio.create_task(stop.wait())
        try:
            await self._take_ticks([*links, halts], stopping)
        finally:
            self._store(self._keeper.open_minutes())
            for link in self._outlets.all:
                link.close()
            await asyncio.wait(links, timeout=DRAIN_SECONDS)
            for task in (*links, halts, stopping):
                task.cancel()

    async def _take_ticks(
        self, helpers: Sequence["asyncio.Task[None]"], stopping: "asyncio.Task[bool]"
    ) -> None:
        while not stopping.done():
            for helper in helpers:
                if helper.done():
                    # Only by an error that nobody expected: it ends the process.
                    helper.result()
            ticks = await self._feed.receive()
            for tick in ticks:
                self.take(tick)
            self._every_second(self._clock.now_ns())

    def take(self, tick: Tick) -> None:
        """Send one tick on. An instrument that is halted gets neither quotes nor trades."""
        if tick.symbol in self._halted:
            return
        if isinstance(tick, Quote):
            self._take_quote(tick)
        else:
            self._take_trade(tick)
        FEED_LAST_MESSAGE.labels(tick.symbol).set(tick.t_ns / NANOSECONDS_PER_SECOND)

    def _take_quote(self, quote: Quote) -> None:
        seq = self._publish(quote_topic(quote.symbol), quote_data(quote))
        self._outlets.engine.put_state(quote.symbol, NumberedTick(seq, quote))
        FEED_MESSAGES.labels("quote").inc()

    def _take_trade(self, trade: Trade) -> None:
        seq = self._publish(trade_topic(trade.symbol), trade_data(trade), Kind.LOG)
        self._outlets.engine.put_log(NumberedTick(seq, trade))
        FEED_MESSAGES.labels("trade").inc()
        late_before = self._keeper.late_trades(trade.symbol)
        closed, current = self._keeper.take(trade)
        if self._keeper.late_trades(trade.symbol) > late_before:
            FEED_LATE_TRADES.labels(trade.symbol).inc()
        if closed:
            self._finish([closed])
        if current:
            self._publish(bar_topic(trade.symbol), bar_data(current))

    def _publish(
        self, topic: str, data: object, kind: Kind = Kind.STATE, *, key: Hashable = None
    ) -> int:
        self._numbers[topic] += 1
        seq = self._numbers[topic]
        publication = Publication(
            topic, event_frame(topic, epoch=self._epoch, seq=seq, data=data), kind
        )
        if kind is Kind.LOG:
            self._outlets.live.put_log(publication)
        else:
            # A closed bar has a key of its own, so that the next minute's bar never overtakes it.
            self._outlets.live.put_state(key or topic, publication)
        return seq

    def _every_second(self, now_ns: int) -> None:
        second = now_ns // NANOSECONDS_PER_SECOND
        if second == self._second:
            return
        self._second = second
        self._finish(self._keeper.close_minutes(now_ns))
        alive = Publication(FEED_ALIVE_KEY, str(now_ns // 1_000_000).encode(), Kind.NOTE)
        self._outlets.live.put_state(FEED_ALIVE_KEY, alive)

    def _finish(self, closed: Sequence[Bar]) -> None:
        for bar in closed:
            topic = bar_topic(bar.symbol)
            self._publish(topic, bar_data(bar), key=(topic, bar.start_ns))
        self._store(closed)

    def _store(self, minutes: Sequence[Bar]) -> None:
        for row in self._keeper.to_store(minutes):
            self._outlets.bars.put_state((row.bar.symbol, row.timeframe, row.bar.start_ns), row)

    async def _follow_halts(self) -> None:
        while True:
            halted = await self._halted_symbols()
            if halted != self._halted:
                logger.info("feed_halts_changed", halted=sorted(halted))
            self._halted = halted
            await asyncio.sleep(HALT_CHECK_SECONDS)
