"""Child of benchmarks.replay: one feed process that replays a folder as fast as it can, and counts.

`python -m benchmarks.replaying FOLDER store|live` prints one JSON object. It is the real process,
composed as run_feed composes it, with AAPL's name on the recorded instrument.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from random import Random

import django

django.setup()

from django.conf import settings  # noqa: E402 - after setup, as Django demands
from django.utils.module_loading import import_string  # noqa: E402

from benchmarks.recording import SYMBOL_THERE  # noqa: E402
from core.domain.clock import SystemClock  # noqa: E402
from marketdata import selectors  # noqa: E402
from marketdata.domain.keeping import BarKeeper, ResumedBars  # noqa: E402
from marketdata.domain.plan import FeedInstrument, FeedSetup  # noqa: E402
from marketdata.domain.provider_chain import ProviderChain, Route  # noqa: E402
from marketdata.domain.trading_days import TradingDays  # noqa: E402
from marketdata.domain.values import Grid  # noqa: E402
from marketdata.feeds.process import FeedProcess, Surroundings  # noqa: E402
from marketdata.feeds.publisher import RedisPublisher  # noqa: E402
from marketdata.feeds.replay.clock import ReplayClock  # noqa: E402
from marketdata.feeds.replay.feed import ReplayFeed  # noqa: E402
from marketdata.feeds.sink import SinkDelivery  # noqa: E402
from marketdata.feeds.sources import Source  # noqa: E402
from marketdata.feeds.store import TickStore  # noqa: E402
from marketdata.management.commands.run_feed import make_outlets, save_rows  # noqa: E402

SYMBOL = "AAPL"
FEED_ID = 1
LOOK_SECONDS = 0.05


async def _none_halted() -> frozenset[str]:
    return frozenset()


async def _no_days() -> Mapping[str, TradingDays]:
    return {}


async def replay(folder: str, *, keeps_quotes: bool, ids: Mapping[str, int]) -> dict[str, float]:
    """Replay to the end; what it told, in how many seconds, with how much CPU of this process."""
    machine_clock = SystemClock()
    clock = ReplayClock(machine_clock)
    instrument = FeedInstrument(
        Grid(SYMBOL, Decimal("0.01"), Decimal(1)), symbol_there=SYMBOL_THERE
    )
    options = {"folder": folder, "resolution": "tick", "speed": 0}
    feed = ReplayFeed(FeedSetup("replay", clock, [instrument], options))
    source = Source(
        "replay", feed, [SYMBOL], FEED_ID, silence_ns=0, can_wait=True, keeps_quotes=keeps_quotes
    )
    publisher = RedisPublisher(settings.REDIS_URL, settings.REDIS_PREFIX)
    sink = SinkDelivery(import_string(settings.MARKET_SINK)(), machine_clock)
    outlets = make_outlets(publisher, sink, TickStore(ids, save_rows))
    process = FeedProcess(
        sources=[source],
        chain=ProviderChain({SYMBOL: [Route("replay", 10**10)]}, clock.now_ns()),
        outlets=outlets,
        keeper=BarKeeper({SYMBOL: ResumedBars()}),
        around=Surroundings(
            _none_halted,
            _no_days,
            publisher.control,
            publisher.left_quotes,
            clock,
            machine_clock,
            Random(1),  # noqa: S311 - a pause
        ),
    )
    stop = asyncio.Event()
    began, cpu = time.perf_counter(), time.process_time()
    running = asyncio.create_task(process.run(stop))
    while not feed.progress()["is_over"] and not running.done():
        await asyncio.sleep(LOOK_SECONDS)
    stop.set()
    await running
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    await publisher.close()
    await sink.close()
    return {"ticks": source.status.messages, "seconds": seconds, "cpu_seconds": cpu}


def main(folder: str, way: str) -> None:
    ids = selectors.instrument_ids([SYMBOL])
    result = asyncio.run(replay(folder, keeps_quotes=way == "store", ids=ids))
    result["resident_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
