"""The feed process: takes what its sources tell, checks it, follows the best and sends it on.

    source → checks → chain ─┬─► Redis: latest and live frames (gateways, pages, API)
    source → checks ──┘      ├─► the engine: the street's liquidity
                             ├─► bars → Redis and PostgreSQL
                             └─► the tick store

Each way out is a link of its own; a link whose other side is away never holds up the others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from time import monotonic_ns
from typing import Final

import structlog

from core.domain.clock import NANOSECONDS_PER_SECOND, Clock
from core.domain.ids import new_id
from marketdata.domain.aggressor import AggressorRule
from marketdata.domain.bars import MINUTE_NS, NO_PRICE, Bar
from marketdata.domain.keeping import SECOND, BarKeeper, DatedBar
from marketdata.domain.ports import Gap, Told
from marketdata.domain.provider_chain import ProviderChain
from marketdata.domain.topics import bar_topic, quote_topic, trade_topic
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.trading_days import TradingDays
from marketdata.domain.values import Quote, Tick, Trade
from marketdata.feeds.controls import follow_controls
from marketdata.feeds.items import (
    NANOSECONDS_PER_MICROSECOND,
    STALE_NS,
    NumberedTick,
    QuoteNumbers,
    StoredItem,
)
from marketdata.feeds.links import Link
from marketdata.feeds.publisher import (
    FEED_ALIVE_KEY,
    Kind,
    LiveBar,
    Message,
    Publication,
    StaleQuote,
)
from marketdata.feeds.runner import SourceRunner
from marketdata.feeds.sources import Source
from marketdata.feeds.staleness import Staleness
from marketdata.feeds.status import StatusBoard

logger = structlog.get_logger(__name__)

HALT_CHECK_SECONDS = 2
HOURS_CHECK_SECONDS = 3_600
"""Sessions are known twenty days ahead."""
SECOND_CHECK_SECONDS = 0.02
"""How often the process looks whether a new second has begun."""
ROOM_CHECK_SECONDS = 0.005
DRAIN_SECONDS = 5
CANCEL_AGAIN_SECONDS = 0.5
LEFT_CHECK_SECONDS = 1
"""How often Redis, while it is away, is asked for the quotes that an earlier process has left."""
LATE: Final = int(TradeFlag.LATE)


@dataclass(frozen=True, slots=True)
class Outlets:
    live: Link[Publication]
    engine: Link[NumberedTick]
    bars: Link[DatedBar]
    ticks: Link[StoredItem]

    @property
    def all(self) -> tuple[Link[Publication], Link[NumberedTick], Link[DatedBar], Link[StoredItem]]:
        return (self.live, self.engine, self.bars, self.ticks)

    @property
    def have_room(self) -> bool:
        return all(link.has_room for link in self.all)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the process is given by whoever composes it. `clock` is the market's: the machine's, or
    the one that a replay of past times moves.
    `halted_symbols` and `trading_days` must not raise when the database is away: they then give
    what they knew.
    """

    halted_symbols: Callable[[], Awaitable[frozenset[str]]]
    trading_days: Callable[[], Awaitable[Mapping[str, TradingDays]]]
    control: Callable[[str], Awaitable[bytes | None]]
    """What operators ask of the feed of that name (JSON), if anything."""
    left_quotes: Callable[[], Awaitable[Mapping[str, Quote] | None]]
    """The newest quotes in Redis, whoever published them; None while Redis is away."""
    clock: Clock
    machine_clock: Clock
    random: Random
    steady_ns: Callable[[], int] = monotonic_ns
    """Nanoseconds that never jump, by which silence is measured."""


class FeedProcess:
    """Runs all sources until told to stop. The numbering (epoch) is new with every process."""

    def __init__(
        self,
        *,
        sources: Sequence[Source],
        chain: ProviderChain,
        outlets: Outlets,
        keeper: BarKeeper,
        around: Surroundings,
    ) -> None:
        self._sources = sources
        self._chain = chain
        self._outlets = outlets
        self._keeper = keeper
        self._around = around
        self._clock = around.clock
        self._epoch = new_id(around.machine_clock.now_ns()).hex
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._halted: frozenset[str] = frozenset()
        self._second = 0
        self._aggressors = AggressorRule()
        self._facts: defaultdict[str, int] = defaultdict(int)
        """Of a bar topic: the number of its newest closed or amended bar."""
        self._drawn: dict[str, str] = {}
        """Instruments whose open bars have changed since they were last published, and by which
        feed.
        """
        self._staleness = Staleness()
        self._quote_numbers = QuoteNumbers()
        self._unsent: dict[str, int] = {}
        """Instruments whose newest quote is not on its way yet, and when it came."""
        self._at_us: int | None = None
        """When the message that is being taken was received."""
        self._board = StatusBoard(sources, chain, epoch=self._epoch)

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`, then store the open minutes and deliver what waits. Raises what a
        part raised that nobody expected.
        """
        links = [asyncio.create_task(link.run()) for link in self._outlets.all]
        helpers = [
            *links,
            asyncio.create_task(self._follow_halts()),
            asyncio.create_task(self._follow_hours()),
            asyncio.create_task(self._find_what_was_left()),
            asyncio.create_task(follow_controls(self._sources, self._around.control)),
            asyncio.create_task(self._keep_time()),
            *(asyncio.create_task(self._runner(source).run()) for source in self._sources),
        ]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([*helpers, stopping], return_when=asyncio.FIRST_COMPLETED)
            for helper in helpers:
                if helper.done():
                    # Only by an error that nobody expected: it ends the process.
                    helper.result()
        finally:
            await self._end(helpers, links, stopping)

    async def take(self, source: Source, told: Sequence[Told]) -> None:
        """Send on what `source` told. A source that can wait is held up here while an outlet is
        behind.
        """
        now_ns = self._clock.now_ns()
        self._at_us = self._around.machine_clock.now_ns() // NANOSECONDS_PER_MICROSECOND
        for item in told:
            if isinstance(item, Quote | Trade):
                for tick in source.checks.check(item, now_ns):
                    self._take_tick(source, tick, now_ns)
            elif isinstance(item, Bar):
                if source.checks.accepts(item, now_ns):
                    self._take_minute(source, item, now_ns)
            else:
                self._take_gap(source, item)
        for symbol, came_ns in self._unsent.items():
            self._send_quote(symbol, came_ns)
        self._unsent.clear()
        self._publish_drawn()
        self._at_us = None
        self._every_second()
        # Also without a wait others must have their turn: a replay at full speed never pauses.
        await asyncio.sleep(0)
        while source.can_wait and not self._outlets.have_room:
            await asyncio.sleep(ROOM_CHECK_SECONDS)

    def _runner(self, source: Source) -> SourceRunner:
        return SourceRunner(
            source,
            self.take,
            lambda lost: self._chain.lose(lost.name),
            clock=self._around.machine_clock,
            steady_ns=self._around.steady_ns,
            random=self._around.random,
        )

    async def _end(
        self,
        helpers: Sequence["asyncio.Task[None]"],
        links: Sequence["asyncio.Task[None]"],
        stopping: "asyncio.Task[bool]",
    ) -> None:
        others = [task for task in (*helpers, stopping) if task not in links]
        waiting = {*others}
        while waiting:
            # More than once: the client of Redis may turn a cancellation into a timeout of its own.
            for task in waiting:
                task.cancel()
            _, waiting = await asyncio.wait(waiting, timeout=CANCEL_AGAIN_SECONDS)
        for dated in self._keeper.open_bars():
            row = dated._replace(feed=self._chain.feed_of(dated.bar.symbol) or "")
            self._outlets.bars.put_state(_row_key(dated), row)
        for quote in self._staleness.quotes.values():
            self._publish(quote_topic(quote.symbol), StaleQuote(quote))
        for link in self._outlets.all:
            link.close()
        await asyncio.wait(links, timeout=DRAIN_SECONDS)
        for task in links:
            task.cancel()

    def _take_tick(self, source: Source, tick: Tick, now_ns: int) -> None:
        """An instrument that is halted, or follows another source, gets nothing of this one."""
        symbol = tick.symbol
        is_quote = isinstance(tick, Quote)
        if symbol in self._halted or not self._chain.offer(
            source.name, symbol, tick.t_ns, now_ns, is_quote=is_quote
        ):
            return
        self._board.told_ns[symbol] = tick.t_ns
        if tick.feed != source.name:
            tick = replace(tick, feed=source.name)
        if isinstance(tick, Quote):
            self._take_quote(source, tick, now_ns)
        else:
            self._take_trade(source, tick, now_ns)

    def _take_quote(self, source: Source, quote: Quote, now_ns: int) -> None:
        symbol = quote.symbol
        self._staleness.quotes[symbol] = quote
        self._aggressors.see(quote)
        if source.keeps_quotes:
            number = self._quote_numbers.number(quote)
            self._put_tick(StoredItem(source.feed_id, quote, number))
        self._unsent[symbol] = now_ns

    def _send_quote(self, symbol: str, now_ns: int) -> None:
        """The newest quote goes out once for all that one message told, and before the trades that
        came after it.
        """
        quote, topic = self._staleness.quotes[symbol], quote_topic(symbol)
        if self._staleness.is_stale(quote, now_ns):
            self._publish(topic, StaleQuote(quote))
            return
        seq = self._publish(topic, quote)
        self._outlets.engine.put_state(
            symbol, NumberedTick(seq, quote, self._held_ns(quote, now_ns))
        )

    def _take_trade(self, source: Source, trade: Trade, now_ns: int) -> None:
        if trade.symbol in self._unsent:
            self._send_quote(trade.symbol, self._unsent.pop(trade.symbol))
        taken = self._keeper.take(trade)
        if taken.is_late:
            trade = replace(trade, flags=trade.flags | LATE)
            self._board.late_trades[trade.symbol] += 1
        moves_price = not trade.flags & (NO_PRICE | LATE)
        seq = self._publish(
            trade_topic(trade.symbol), trade, Kind.LOG if moves_price else Kind.PRINT
        )
        self._put_tick(StoredItem(source.feed_id, trade))
        if moves_price:
            side = self._aggressors.infer(trade)
            if side is not None and now_ns - trade.t_ns <= STALE_NS:
                held_ns = self._held_ns(trade, now_ns)
                self._outlets.engine.put_log(NumberedTick(seq, trade, held_ns, side))
        self._finish(taken.finished, source)
        if not taken.is_late:
            self._drawn[trade.symbol] = source.name

    def _held_ns(self, tick: Tick, now_ns: int) -> int:
        """When it held, by the machine's clock; no later than now, also by a source's clock that is
        ahead of ours.
        """
        return self._around.machine_clock.now_ns() - max(0, now_ns - tick.t_ns)

    def _take_minute(self, source: Source, bar: Bar, now_ns: int) -> None:
        if bar.symbol in self._halted:
            return
        if self._chain.offer(source.name, bar.symbol, bar.start_ns + MINUTE_NS, now_ns):
            self._finish(self._keeper.take_minute(bar), source)

    def _take_gap(self, source: Source, gap: Gap) -> None:
        source.checks.note_gap(gap.missed)
        logger.warning("feed_gap", feed=source.name, symbol=gap.symbol, missed=gap.missed)

    def _publish(self, topic: str, message: Message, kind: Kind = Kind.STATE) -> int:
        seq, publication = self._numbered(topic, message, kind)
        if kind is Kind.STATE:
            self._outlets.live.put_state(topic, publication)
        else:
            self._outlets.live.put_log(publication)
        return seq

    def _publish_bar(self, timeframe: str, live: LiveBar) -> None:
        """A closed or amended bar is a fact. An open one replaces an open one that waits behind the
        same facts, and so overtakes none.
        """
        topic = bar_topic(live.bar.symbol, timeframe)
        seq, publication = self._numbered(topic, live, Kind.STATE)
        if not live.bar.is_closed:
            self._outlets.live.put_state((topic, self._facts[topic]), publication)
        elif self._outlets.live.put_log(publication):
            self._facts[topic] = seq

    def _numbered(self, topic: str, message: Message, kind: Kind) -> tuple[int, Publication]:
        self._numbers[topic] += 1
        seq = self._numbers[topic]
        return seq, Publication(topic, message, kind, self._epoch, seq, self._at_us)

    def _publish_drawn(self) -> None:
        """The open minute and day of what traded: once for all that one message told."""
        for symbol, feed in self._drawn.items():
            for timeframe, bar, _ in self._keeper.open_bars((symbol,)):
                self._publish_bar(timeframe, LiveBar(bar, feed))
        self._drawn.clear()

    def _put_tick(self, item: StoredItem) -> None:
        self._outlets.ticks.put_log(item)

    def _finish(self, finished: Sequence[DatedBar], source: Source | None) -> None:
        """Publish and store bars that are over, amended, or days that have grown by a minute."""
        for dated in finished:
            timeframe, bar, _ = dated
            feed = source or self._source_of(bar.symbol)
            self._publish_bar(timeframe, LiveBar(bar, feed.name if feed else ""))
            if timeframe != SECOND:
                row = DatedBar(timeframe, bar, feed.name if feed else "")
                self._outlets.bars.put_state(_row_key(dated), row)
            elif feed is not None:
                self._put_tick(StoredItem(feed.feed_id, bar))

    def _source_of(self, symbol: str) -> Source | None:
        name = self._chain.feed_of(symbol)
        return next((source for source in self._sources if source.name == name), None)

    async def _keep_time(self) -> None:
        while True:
            self._every_second()
            await asyncio.sleep(SECOND_CHECK_SECONDS)

    def _every_second(self) -> None:
        now_ns = self._clock.now_ns()
        second = now_ns // NANOSECONDS_PER_SECOND
        if second == self._second:
            return
        self._second = second
        self._finish(self._keeper.close_until(now_ns), None)
        self._say_what_is_stale(now_ns)
        machine_ns = self._around.machine_clock.now_ns()
        notes = self._board.notes(machine_ns)
        notes[FEED_ALIVE_KEY] = str(machine_ns // 1_000_000).encode()
        for key, text in notes.items():
            self._outlets.live.put_state(key, Publication(key, text, Kind.NOTE))

    def _say_what_is_stale(self, now_ns: int) -> None:
        for quote, is_first in self._staleness.due(now_ns):
            self._publish(quote_topic(quote.symbol), StaleQuote(quote))
            if is_first:
                logger.warning("feed_quote_stale", symbol=quote.symbol, feed=quote.feed)

    async def _find_what_was_left(self) -> None:
        """Quotes that an earlier process has left stand in Redis as if they were fresh."""
        while (left := await self._around.left_quotes()) is None:
            await asyncio.sleep(LEFT_CHECK_SECONDS)
        self._staleness.find(left)
        await asyncio.Event().wait()  # a helper that ends would end the process

    async def _follow_halts(self) -> None:
        while True:
            halted = await self._around.halted_symbols()
            if halted != self._halted:
                logger.info("feed_halts_changed", halted=sorted(halted))
            self._halted = halted
            await asyncio.sleep(HALT_CHECK_SECONDS)

    async def _follow_hours(self) -> None:
        while True:
            await asyncio.sleep(HOURS_CHECK_SECONDS)
            self._keeper.change_days(await self._around.trading_days())


def _row_key(dated: DatedBar) -> tuple[str, str, int]:
    return dated.bar.symbol, dated.timeframe, dated.bar.start_ns
