"""The right to write a market segment: a session lock says who leads, an epoch shuts out who led.

The advisory lock is PostgreSQL's: it ends with the connection, so a standby waits on it and leads
as soon as the leader is gone. The epoch is checked inside every commit (writer), so that a leader
that was paused and wakes up late cannot write.
"""

from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

LOCK_SPACE = 0x7EAD
"""First key of our advisory locks: "trade" in hexspeak, so that they are found in pg_locks."""

NOTICE_DEATH = "client_connection_check_interval = '1s'"
"""How often the server looks whether a standby that waits is still there."""

_TAKE = """
INSERT INTO orders_enginelease (segment, epoch, batch, holder, acquired_at)
VALUES (%s, 1, 0, %s, now())
ON CONFLICT (segment) DO UPDATE
SET epoch = orders_enginelease.epoch + 1, holder = excluded.holder, acquired_at = now()
RETURNING epoch, batch
"""


class LeaseLostError(Exception):
    """A newer engine leads the segment: this one must end."""


@dataclass(frozen=True, slots=True)
class Lease:
    segment: str
    epoch: int
    batch: int


async def acquire(connection: AsyncConnection[TupleRow], segment: str, holder: str) -> Lease:
    """Wait until nobody leads the segment, then lead it with a new epoch."""
    # A standby waits for as long as it takes; of one that was killed the server would not know
    # until it answers, and would keep its session waiting for as long as the leader lives.
    await connection.execute(f"SET statement_timeout = 0; SET {NOTICE_DEATH}")
    await connection.execute(
        "SELECT pg_advisory_lock(%s, hashtext(%s))", (LOCK_SPACE, f"engine:{segment}")
    )
    await connection.execute("RESET statement_timeout; RESET client_connection_check_interval")
    cursor = await connection.execute(_TAKE, (segment, holder))
    row = await cursor.fetchone()
    assert row is not None
    epoch, batch = row
    return Lease(segment, epoch, batch)


async def is_free(connection: AsyncConnection[TupleRow], segment: str) -> bool:
    """Take the lock without waiting; False when an engine is running."""
    cursor = await connection.execute(
        "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (LOCK_SPACE, f"engine:{segment}")
    )
    row = await cursor.fetchone()
    return row is not None and bool(row[0])
