"""What reaches the engine of the feed's prices: each with the time at which it held, and none that
grew old on the way.
"""

import asyncio
from datetime import datetime
from typing import Any

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from core.domain.clock import FixedClock, to_ns
from marketdata.domain.values import Aggressor
from marketdata.feeds.items import STALE_NS, NumberedTick
from marketdata.feeds.sink import SinkDelivery
from tests.marketdata.feeding import FeedRun, RecordingSink, quote, trade, with_feed
from tests.marketdata.sockets import until
from tests.marketdata.valkey import ValkeyServer


class TimedSink(RecordingSink):
    """Keeps the times."""

    async def quote(self, symbol: str, seq: int, bids: Any, asks: Any, t_ns: int) -> None:
        self.told.append((symbol, t_ns))

    async def trade(self, symbol: str, price: Any, size: Any, side: str, t_ns: int) -> None:
        self.told.append((symbol, t_ns))


def test_what_grew_old_on_the_way_is_left_out(now: datetime) -> None:
    sink, now_ns = TimedSink(), to_ns(now)
    old_ns, young_ns = now_ns - STALE_NS - 1, now_ns - STALE_NS

    asyncio.run(
        SinkDelivery(sink, FixedClock(now)).deliver(
            [
                NumberedTick(1, quote("AAPL", "99", old_ns), old_ns),
                NumberedTick(2, trade("AAPL", "99", old_ns), old_ns, Aggressor.BUY),
                NumberedTick(3, quote("IBM", "99", young_ns), young_ns),
                NumberedTick(4, trade("IBM", "99", young_ns), young_ns, Aggressor.BUY),
            ]
        )
    )

    assert sink.told == [("IBM", young_ns), ("IBM", young_ns)]


def test_a_price_carries_its_sources_time_or_ours_when_that_is_ahead(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        sink = TimedSink()
        run.sink.quote, run.sink.trade = sink.quote, sink.trade  # type: ignore[method-assign]
        now_ns = run.clock.now_ns()

        run.feed.put(quote("AAPL", "99", now_ns - 3 * SECOND))
        run.feed.put(quote("IBM", "99", now_ns + SECOND))
        run.feed.put(trade("IBM", "99", now_ns - SECOND))
        await until(lambda: len(sink.told) == 3)

        assert sorted(sink.told) == [
            ("AAPL", now_ns - 3 * SECOND),
            ("IBM", now_ns - SECOND),
            ("IBM", now_ns),
        ]

    with_feed(valkey.url, now, scenario)
