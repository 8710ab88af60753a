"""One outlet of the feed process: a bounded queue, a delivery and patience while the other side is
away.

Each outlet (Redis, the engine, the database) runs its own link, so that none can hold up another or
the feed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from marketdata.domain.conflation import ConflatingQueue
from marketdata.metrics import LINK_DELIVERED, LINK_DROPPED, LINK_FAILURES

logger = structlog.get_logger(__name__)

Item = TypeVar("Item")

QUEUE_LIMIT = 10_000
"""Facts (trades) kept while an outlet is away; at 10 a second that is a quarter of an hour."""
BATCH_LIMIT = 500
TICKS_QUEUE_LIMIT = 200_000
"""Ticks kept while the database is away or busy: ten seconds of the fastest replay, an hour of a
calm market; about 100 MB.
"""
TICKS_BATCH_LIMIT = 20_000
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How much a link keeps, how much it delivers at once, and how long it gathers between two
    deliveries.
    """

    queue_limit: int = QUEUE_LIMIT
    batch_limit: int = BATCH_LIMIT
    gather_seconds: float = 0.0


TICKS_PACE = Pace(TICKS_QUEUE_LIMIT, TICKS_BATCH_LIMIT, gather_seconds=1.0)
"""The store takes a second's worth at once: many small transactions cost it more than rows do."""


class Link(Generic[Item]):
    """Delivers items in order, in batches. A failed batch is delivered again, so receivers drop
    what they have.
    """

    def __init__(
        self,
        name: str,
        deliver: Callable[[Sequence[Item]], Awaitable[None]],
        errors: tuple[type[Exception], ...],
        *,
        keeps_missed: bool = True,
        pace: Pace | None = None,
    ) -> None:
        """`errors` are what `deliver` raises when the other side is away; anything else ends the
        process.

        With `keeps_missed` False, what came up while the other side was away is forgotten: the
        engine must not fill orders by trades of minutes ago.
        """
        self._name = name
        self._deliver = deliver
        self._errors = errors
        self._pace = pace or Pace()
        self._queue: ConflatingQueue[Item] = ConflatingQueue(self._pace.queue_limit)
        self._batch: list[Item] = []
        self._keeps_missed = keeps_missed
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_up = True

    @property
    def has_room(self) -> bool:
        """Whether a source that can wait may go on: less than half of the line is taken, or the
        other side is away, for which nobody waits.
        """
        return not self._is_up or len(self._queue) * 2 < self._pace.queue_limit

    def put_state(self, key: Hashable, item: Item) -> None:
        if self._queue.put_state(key, item):
            self._wake.set()
        else:
            LINK_DROPPED.labels(self._name).inc()

    def put_log(self, item: Item) -> bool:
        """Queue a fact; False when the line is full, and it is dropped and counted."""
        if self._queue.put_log(item):
            self._wake.set()
            return True
        LINK_DROPPED.labels(self._name).inc()
        return False

    async def run(self) -> None:
        """Deliver until `close`; keeps trying while the other side is away."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            await self._next_batch()
            if not self._batch:
                return
            if await self._try():
                pause = FIRST_PAUSE_SECONDS
                await self._gather()
            elif self._closing.is_set():
                return
            else:
                await self._rest(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Let `run` end when it has delivered what waits, or at its next failure."""
        self._closing.set()
        self._wake.set()

    async def _gather(self) -> None:
        if self._pace.gather_seconds and len(self._queue) < self._pace.batch_limit:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._pace.gather_seconds)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
        if not self._keeps_missed:
            self._batch.clear()
            self._queue.clear()

    async def _next_batch(self) -> None:
        while not self._batch and not self._queue and not self._closing.is_set():
            self._wake.clear()
            await self._wake.wait()
        while len(self._batch) < self._pace.batch_limit and self._queue:
            self._batch.append(self._queue.pop())

    async def _try(self) -> bool:
        try:
            await self._deliver(self._batch)
        except self._errors as error:
            LINK_FAILURES.labels(self._name).inc()
            if self._is_up:
                self._is_up = False
                logger.warning("feed_link_down", link=self._name, error=str(error))
            return False
        LINK_DELIVERED.labels(self._name).inc(len(self._batch))
        self._batch.clear()
        if not self._is_up:
            self._is_up = True
            logger.info("feed_link_up", link=self._name)
        return True
