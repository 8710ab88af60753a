"""The feed's way to the engine: delivers numbered ticks to the configured sink and connects again
when it must. What grew old on the way is left out.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from core.domain.clock import Clock
from marketdata.domain.ports import QuoteSink
from marketdata.domain.values import Quote
from marketdata.feeds.items import STALE_NS, NumberedTick
from marketdata.metrics import LINK_DROPPED

TIMEOUT_SECONDS = 5


class SinkDelivery:
    """Connects on first use and after each failure; `deliver` raises OSError while the sink is
    away.
    """

    def __init__(self, sink: QuoteSink, machine_clock: Clock) -> None:
        self._sink = sink
        self._clock = machine_clock
        self._is_connected = False

    async def deliver(self, batch: Sequence[NumberedTick]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await self._send(batch)
        except OSError:
            self._is_connected = False
            with suppress(OSError):
                await self._sink.close()
            raise

    async def _send(self, batch: Sequence[NumberedTick]) -> None:
        if not self._is_connected:
            await self._sink.connect()
            self._is_connected = True
        for seq, tick, t_ns, side in batch:
            if self._clock.now_ns() - t_ns > STALE_NS:
                LINK_DROPPED.labels("engine").inc()
            elif isinstance(tick, Quote):
                await self._sink.quote(tick.symbol, seq, tick.bids, tick.asks, t_ns)
            elif side is not None:
                await self._sink.trade(tick.symbol, tick.price, tick.size, side.value, t_ns)

    async def close(self) -> None:
        await self._sink.close()
