"""Keeps one source open: receives, notices silence, waits and opens it again.

One task a source, so that a slow or broken one holds up no other. What it receives goes to the feed
process; how it is stands in its status.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from time import monotonic_ns
from typing import TypeVar

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

ADAPTER_ERRORS = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError,
    ValueError,
)  # fmt: skip
"""What an adapter raises for what its source should not have told: a number beyond all bounds, a
member that is missing, text of another encoding. The source is away then, and the others go on.
"""

Answer = TypeVar("Answer")
Take = Callable[[Source, Sequence[Told]], Awaitable[None]]
Lose = Callable[[Source], None]


class SourceRunner:
    """Runs one source for ever. Silence is measured by `steady_ns`, for the machine's clock may
    jump.
    """

    def __init__(
        self,
        source: Source,
        take: Take,
        lose: Lose,
        *,
        clock: Clock,
        random: Random,
        steady_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._source = source
        self._take = take
        self._lose = lose
        self._clock = clock
        self._steady_ns = steady_ns
        self._random = random

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
                await asyncio.sleep(pause)
        finally:
            await self._close()

    async def _until_lost(self) -> str:
        """Open the source and follow it; returns why it is lost."""
        source = self._source
        source.status.connect()
        try:
            await _answer(source.feed.open(), OPEN_TIMEOUT_SECONDS)
            source.checks.start_anew()
            source.status.open(self._steady_ns())
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
            told = await _answer(source.feed.receive(), RECEIVE_TIMEOUT_SECONDS)
            if told:
                source.status.hear(len(told), self._clock.now_ns(), self._steady_ns())
                await self._take(source, told)
                continue
            silence_ns = source.status.wait(self._steady_ns())
            if source.silence_ns and silence_ns > source.silence_ns:
                seconds = silence_ns // NANOSECONDS_PER_SECOND
                raise FeedAwayError(f"silent for {seconds} s")

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._source.feed.close()
        except TimeoutError:
            logger.warning("feed_close_timeout", feed=self._source.name)


async def _answer(asked: Awaitable[Answer], seconds: float) -> Answer:
    """What the adapter answers. FeedAwayError or TimeoutError when it does not; an error that it
    should not raise is logged whole, and is a FeedAwayError with its text.
    """
    async with asyncio.timeout(seconds):
        try:
            return await asked
        except FeedAwayError:
            raise
        except ADAPTER_ERRORS as error:
            logger.exception("feed_adapter_error")
            raise FeedAwayError(f"{type(error).__name__}: {error}") from error
