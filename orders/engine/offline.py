"""Applies commands while no engine runs: the same core and writer under the same lease, once.

Used by seeding and by commands on a stopped portal. It never competes with a running engine: the
lease's lock is taken within seconds or not at all.
"""

import asyncio
import os
import socket
from collections.abc import Sequence

from core.domain.clock import Clock
from orders.domain.commands import AnyCommand, ExpireOrders
from orders.domain.replies import AnyReply
from orders.engine.client import EngineUnavailableError
from orders.engine.core import Core
from orders.engine.journal import Journal
from orders.engine.lease import acquire, is_free
from orders.engine.loading import Connection
from orders.engine.process import connect
from orders.engine.starting import begin
from orders.engine.writer import BatchWriter

LOOKS = 20
LOOK_SECONDS = 0.1
"""Looks at the lease, and the time between two: the database's session of an engine that was
killed outlives it by a moment.
"""


def apply_offline(
    commands: Sequence[AnyCommand], *, dsn: str, segment: str, clock: Clock
) -> list[AnyReply]:
    """Commit the commands as one batch; EngineUnavailableError when an engine holds the lease."""
    return asyncio.run(_apply(commands, dsn, segment, clock))


async def _apply(
    commands: Sequence[AnyCommand], dsn: str, segment: str, clock: Clock
) -> list[AnyReply]:
    async with await connect(dsn) as connection:
        if not await _has_ended(connection, segment):
            raise EngineUnavailableError("an engine is running but does not answer")
        lease = await acquire(connection, segment, f"offline:{socket.gethostname()}:{os.getpid()}")
        now_ns = clock.now_ns() // 1000 * 1000
        writer = BatchWriter(connection, lease)
        core = await begin(connection, writer, now_ns)
        journal = Journal(core)
        _clear(core, journal, now_ns)
        replies: list[AnyReply] = []
        for command in commands:
            replies.append(journal.apply(command, now_ns))
            _clear(core, journal, now_ns)
        if not core.changes.is_empty:
            await writer.commit(core.changes, journal.take(), now_ns)
        return replies


async def _has_ended(connection: Connection, segment: str) -> bool:
    """Whether no engine leads the segment, waiting for one that has just died to let go."""
    for _ in range(LOOKS):
        if await is_free(connection, segment):
            return True
        await asyncio.sleep(LOOK_SECONDS)
    return False


def _clear(core: Core, journal: Journal, now_ns: int) -> None:
    """Let a switch cancel all its orders: nobody waits for this batch."""
    while core.is_clearing:
        journal.apply(ExpireOrders(), now_ns)
