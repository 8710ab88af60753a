"""Applies commands while no engine runs: the same core and writer under the same lease, once.

Used by seeding and by commands on a stopped portal. It never competes with a running engine: the
lease's lock is taken without waiting or not at all.
"""

import asyncio
import os
import socket
from collections.abc import Sequence

from core.domain.clock import Clock
from orders.domain.commands import AnyCommand
from orders.domain.replies import AnyReply
from orders.engine.client import EngineUnavailableError
from orders.engine.core import Core
from orders.engine.lease import acquire, is_free
from orders.engine.process import connect
from orders.engine.recovery import load_state
from orders.engine.writer import BatchWriter


def apply_offline(
    commands: Sequence[AnyCommand], *, dsn: str, segment: str, clock: Clock
) -> list[AnyReply]:
    """Commit the commands as one batch; EngineUnavailableError when an engine holds the lease."""
    return asyncio.run(_apply(commands, dsn, segment, clock))


async def _apply(
    commands: Sequence[AnyCommand], dsn: str, segment: str, clock: Clock
) -> list[AnyReply]:
    async with await connect(dsn) as connection:
        if not await is_free(connection, segment):
            raise EngineUnavailableError("an engine is running but does not answer")
        lease = await acquire(connection, segment, f"offline:{socket.gethostname()}:{os.getpid()}")
        core = Core(await load_state(connection))
        now_ns = clock.now_ns() // 1000 * 1000
        replies = [core.apply(command, now_ns) for command in commands]
        if not core.changes.is_empty:
            await BatchWriter(connection, lease).commit(core.changes, now_ns)
        return replies
