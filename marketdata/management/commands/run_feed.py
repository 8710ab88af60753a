"""`manage.py run_feed`: the feed process. Composes sources, outlets and the database; the work is
in feeds/.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from random import SystemRandom
from typing import Any, TypeVar

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, DataError, IntegrityError, close_old_connections
from django.db.utils import InterfaceError
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

from core.domain.clock import SystemClock
from core.encryption import EncryptionError
from marketdata import selectors, services
from marketdata.domain.keeping import BarKeeper, DatedBar, ResumedBars
from marketdata.domain.trading_days import TradingDays
from marketdata.feeds import MARKETS
from marketdata.feeds.composing import SourceParts, make_chain, make_source
from marketdata.feeds.items import NumberedTick, StoredItem
from marketdata.feeds.links import TICKS_PACE, Link
from marketdata.feeds.process import FeedProcess, Outlets, Surroundings
from marketdata.feeds.publisher import Publication, RedisPublisher
from marketdata.feeds.replay.clock import ReplayClock
from marketdata.feeds.sink import SinkDelivery
from marketdata.feeds.store import Rows, TickStore, save_what_can_be
from marketdata.metrics import LINK_DROPPED
from marketdata.selectors.feed_setup import credentials_of

logger = structlog.get_logger(__name__)
DATABASE_AWAY = (DatabaseError, InterfaceError)
REFUSALS = (DataError, IntegrityError, ArithmeticError, ValueError)
"""What the database, or Python on the way there, says of rows that can never be stored."""
Row = TypeVar("Row")


class Command(BaseCommand):
    help = "Run the market data feeds until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        adapters = MARKETS.get(settings.MARKET)
        if adapters is None:
            raise CommandError(
                f"PORTAL_MARKET is {settings.MARKET!r};"
                f" this process runs one of: {', '.join(sorted(MARKETS))}."
            )
        feeds = selectors.configured_feeds(adapters)
        if not feeds:
            raise CommandError(
                f"No enabled feed of {', '.join(adapters)} has an instrument: configure one, or"
                " start with --market none."
            )
        asyncio.run(_run([parts_of(feed) for feed in feeds]))


def parts_of(feed: selectors.ConfiguredFeed) -> SourceParts:
    """What the feed is made of. A key that cannot be read costs this feed alone."""
    credentials, reason = None, ""
    try:
        credentials = credentials_of(feed.id, feed.credentials)
    except EncryptionError as error:
        reason = f"its key cannot be read: {error}"
    return SourceParts(
        feed.id, feed.name, feed.adapter, feed.options, credentials, feed.instruments, reason
    )


async def _run(parts: Sequence[SourceParts]) -> None:
    machine_clock = SystemClock()
    clock = ReplayClock(machine_clock)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sources = [make_source(part, clock, settings.MARKET_SEED) for part in parts]
    symbols = sorted({symbol for source in sources for symbol in source.symbols})
    ranked = await sync_to_async(selectors.ranked_feeds)([part.name for part in parts])
    database = _Database(symbols, clock)
    resumed = await sync_to_async(where_bars_go_on)(await database.days(), clock)
    publisher = RedisPublisher(settings.REDIS_URL, settings.REDIS_PREFIX)
    sink = SinkDelivery(import_string(settings.MARKET_SINK)(), machine_clock)
    ids = await sync_to_async(selectors.instrument_ids)(symbols)
    process = FeedProcess(
        sources=sources,
        chain=make_chain(parts, ranked, clock.now_ns()),
        outlets=make_outlets(publisher, sink, TickStore(ids, save_rows)),
        keeper=BarKeeper(resumed),
        around=Surroundings(
            database.halted,
            database.days,
            publisher.control,
            publisher.left_quotes,
            clock,
            machine_clock,
            SystemRandom(),
        ),
    )
    logger.info("feed_started", feeds=[part.name for part in parts], instruments=symbols)
    await process.run(stop)
    await publisher.close()
    await sink.close()
    logger.info("feed_stopped")


def where_bars_go_on(days: Mapping[str, TradingDays], clock: ReplayClock) -> dict[str, ResumedBars]:
    """Where the bars of an earlier run go on; a past that is told anew is drawn anew."""
    if clock.is_moved:
        return {symbol: ResumedBars(days=of_venue) for symbol, of_venue in days.items()}
    return services.resumed_bars(days, clock.now_ns())


def make_outlets(publisher: RedisPublisher, sink: SinkDelivery, store: TickStore) -> Outlets:
    """The ways out of the process, as it runs and as benchmarks measure it."""

    async def save(rows: Sequence[DatedBar]) -> None:
        await sync_to_async(save_bars)(rows)

    live: Link[Publication] = Link("redis", publisher.deliver, (RedisError, OSError))
    engine: Link[NumberedTick] = Link("engine", sink.deliver, (OSError,), keeps_missed=False)
    bars: Link[DatedBar] = Link("database", save, DATABASE_AWAY)
    ticks: Link[StoredItem] = Link("ticks", store.deliver, DATABASE_AWAY, pace=TICKS_PACE)
    return Outlets(live=live, engine=engine, bars=bars, ticks=ticks)


def save_rows(rows: Rows) -> None:
    """Runs in a thread of its own. A row that the store refuses for good is given up, counted, with
    a log line; an absent database raises what the link waits out.
    """
    close_old_connections()
    _save_each("ticks", rows.trades, services.save_trades)
    _save_each("ticks", rows.quotes, services.save_quotes)
    _save_each("ticks", rows.seconds, services.save_seconds)


def save_bars(rows: Sequence[DatedBar]) -> None:
    """As `save_rows`, for what the feed has drawn."""
    _save_each("database", rows, services.save_feed_bars)


def _save_each(link: str, rows: Sequence[Row], save: Callable[[Sequence[Row]], object]) -> None:
    for row, error in save_what_can_be(rows, save, REFUSALS):
        LINK_DROPPED.labels(link).inc()
        logger.error("row_refused", link=link, row=repr(row), error=str(error))


class _Database:
    """What the database says of instruments; while it is away, what it said last."""

    def __init__(self, symbols: Sequence[str], clock: ReplayClock) -> None:
        self._symbols = symbols
        self._clock = clock
        self._halted: frozenset[str] = frozenset()
        self._days: dict[str, TradingDays] = {}

    async def halted(self) -> frozenset[str]:
        try:
            self._halted = await sync_to_async(selectors.halted_symbols)()
        except DATABASE_AWAY as error:
            logger.warning("feed_halts_unknown", error=str(error))
        return self._halted

    async def days(self) -> Mapping[str, TradingDays]:
        try:
            self._days = await sync_to_async(selectors.trading_days)(
                self._symbols, self._clock.now_ns()
            )
        except DATABASE_AWAY as error:
            logger.warning("feed_hours_unknown", error=str(error))
        return self._days
