"""Keeps one source open: receives, notices silence, waits and opens it again.

One task a source, so that a slow or broken one holds up no other. What it receives goes to the feed
process; how it is stands in its status.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import structlog

from core.domain.clock import NANOSECONDS_PER_SECOND, Clock
from marketdata.domain.backoff import pause_seconds
from marketdata.domain.ports import FeedAwayError, Told
from marketdata.feeds.sources import Source

logger = structlog.get_logger(__name__)

OPEN_TIMEOUT_SECONDS = 30
RECEIVE_TIMEOUT_SECONDS = 10
"""`receive` answers within a second, be it with nothing; one that does not hangs."""
CLOSE_TIMEOUT_SECONDS = 5

Take = Callable[[Source, Sequence[Told]], Awaitable[None]]
Lose = Callable[[Source], None]
Sleep = Callable[[float], Awaitable[None]]


class SourceRunner:
    """Runs one source for ever. `clock` is the machine's: silence is measured by it."""

    def __init__(
        self,
        source: Source,
        take: Take,
        lose: Lose,
        *,
        clock: Clock,
        random: Random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._source = source
        self._take = take
        self._lose = lose
        self._clock = clock
        self._random = random
        self._sleep = sleep

    async def run(self) -> None:
        """Open, receive, and after each loss wait and open again. Ends only by an error that is a
        mistake of ours, or by being canceled.
        """
        failures = 0
        status = self._source.status
        try:
            while True:
                told_before = status.messages
                error = await self._until_lost()
                failures = 0 if status.messages > told_before else failures + 1
                pause = pause_seconds(failures, self._random)
                logger.warning(
                    "feed_away", feed=self._source.name, error=error, pause_seconds=round(pause, 3)
                )
                await self._sleep(pause)
        finally:
            await self._close()

    async def _until_lost(self) -> str:
        """Open the source and follow it; returns why it is lost."""
        source = self._source
        source.status.connect()
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
                await source.feed.open()
            source.checks.start_anew()
            source.status.open(self._clock.now_ns())
            logger.info("feed_open", feed=source.name)
            await self._follow()
        except FeedAwayError as error:
            text = str(error) or "the source is away"
        except TimeoutError:
            text = "no answer in time"
        source.status.lose(text)
        self._lose(source)
        await self._close()
        return text

    async def _follow(self) -> None:
        source = self._source
        while True:
            async with asyncio.timeout(RECEIVE_TIMEOUT_SECONDS):
                told = await source.feed.receive()
            now_ns = self._clock.now_ns()
            if told:
                source.status.hear(len(told), now_ns)
                await self._take(source, told)
                continue
            silence_ns = source.status.wait(now_ns)
            if source.silence_ns and silence_ns > source.silence_ns:
                seconds = silence_ns // NANOSECONDS_PER_SECOND
                raise FeedAwayError(f"silent for {seconds} s")

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._source.feed.close()
        except TimeoutError:
            logger.warning("feed_close_timeout", feed=self._source.name)
