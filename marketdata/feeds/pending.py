"""What an adapter's readers have heard and nobody has taken yet: ticks in batches, and a loss."""

import asyncio
from collections.abc import Iterable
from typing import Final

from marketdata.domain.ports import FeedAwayError
from marketdata.domain.values import Tick

PENDING_BATCHES: Final = 1_000
"""Beyond it a reader waits and reads no more, and the source learns that we are slow."""
TAKE_SECONDS: Final = 0.5
TICKS_AT_ONCE: Final = 5_000


class PendingTicks:
    """A bounded line between the readers of a connection and `Feed.receive`."""

    def __init__(self) -> None:
        self._line: asyncio.Queue[list[Tick] | FeedAwayError] = asyncio.Queue(PENDING_BATCHES)

    async def put(self, told: list[Tick] | FeedAwayError) -> None:
        """Let a batch, or the news that the source is lost, wait; waits itself for a place."""
        await self._line.put(told)

    async def take(self, readers: "Iterable[asyncio.Task[None]]") -> list[Tick]:
        """What waits, TICKS_AT_ONCE or a little more; empty when nothing comes for a while. Raises
        the FeedAwayError once what came before it was taken, and the error of a reader that has
        ended by one that nobody expected.
        """
        ticks: list[Tick] = []
        try:
            async with asyncio.timeout(TAKE_SECONDS):
                told = await self._line.get()
        except TimeoutError:
            for reader in readers:
                if reader.done():
                    reader.result()
            return ticks
        while True:
            if isinstance(told, FeedAwayError):
                if not ticks:
                    raise told
                self._line.put_nowait(told)  # in the place that it had
                return ticks
            ticks += told
            if self._line.empty() or len(ticks) >= TICKS_AT_ONCE:
                return ticks
            told = self._line.get_nowait()
