"""`manage.py run_feed`: the feed process. Composes the feed, its outlets and the database; the work
is in feeds/.
"""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.utils import InterfaceError
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

from core.domain.clock import SystemClock
from marketdata import selectors, services
from marketdata.domain.keeping import BarKeeper, DatedBar
from marketdata.domain.plan import FeedSetup
from marketdata.feeds import FEEDS, feed_factory
from marketdata.feeds.links import Link
from marketdata.feeds.process import FeedProcess, NumberedTick, Outlets
from marketdata.feeds.publisher import Publication, RedisPublisher
from marketdata.feeds.sink import SinkDelivery

logger = structlog.get_logger(__name__)
DATABASE_AWAY = (DatabaseError, InterfaceError)


class Command(BaseCommand):
    help = "Run the market data feed until SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:  # Any: Django's signature
        if settings.MARKET not in FEEDS:
            raise CommandError(
                f"PORTAL_MARKET is {settings.MARKET!r};"
                f" this process runs one of: {', '.join(sorted(FEEDS))}."
            )
        asyncio.run(_run(settings.MARKET))


async def _run(feed_name: str) -> None:
    clock = SystemClock()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    instruments = await sync_to_async(selectors.feed_instruments)(feed_name)
    symbols = [instrument.grid.symbol for instrument in instruments]
    resumed = await sync_to_async(services.resumed_bars)(symbols, clock.now_ns())
    publisher = RedisPublisher(settings.REDIS_URL, settings.REDIS_PREFIX)
    sink = SinkDelivery(import_string(settings.MARKET_SINK)())
    process = FeedProcess(
        feed=feed_factory(feed_name)(
            FeedSetup(feed_name, clock, instruments, seed=settings.MARKET_SEED)
        ),
        outlets=_outlets(publisher, sink),
        keeper=BarKeeper(resumed),
        halted_symbols=_Halts().read,
        clock=clock,
    )
    logger.info("feed_started", feed=feed_name, instruments=symbols)
    await process.run(stop)
    await publisher.close()
    await sink.close()
    logger.info("feed_stopped", feed=feed_name)


def _outlets(publisher: RedisPublisher, sink: SinkDelivery) -> Outlets:
    async def save(rows: Sequence[DatedBar]) -> None:
        await sync_to_async(services.save_feed_bars)(rows)

    live: Link[Publication] = Link("redis", publisher.deliver, (RedisError, OSError))
    engine: Link[NumberedTick] = Link("engine", sink.deliver, (OSError,), keeps_missed=False)
    bars: Link[DatedBar] = Link("database", save, DATABASE_AWAY)
    return Outlets(live=live, engine=engine, bars=bars)


class _Halts:
    """Which instruments are halted; while the database is away, what it said last."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()

    async def read(self) -> frozenset[str]:
        try:
            self._known = await sync_to_async(selectors.halted_symbols)()
        except DATABASE_AWAY as error:
            logger.warning("feed_halts_unknown", error=str(error))
        return self._known
