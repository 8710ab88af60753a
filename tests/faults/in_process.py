"""An engine in this process with the real socket, core, writer and database, and a clock that is
told, so that it can be made to crash at an exact place of an exact batch.
"""

import asyncio
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from redis.asyncio import Redis

from core.database import database_dsn
from orders.domain.commands import AnyCommand
from orders.domain.reasons import CloseReason
from orders.domain.replies import AnyReply
from orders.engine.changes import Changes
from orders.engine.client import AsyncEngineClient
from orders.engine.electing import MAX_ELECTIONS
from orders.engine.lease import Lease, acquire
from orders.engine.process import connect
from orders.engine.publisher import Publisher
from orders.engine.server import EngineServer
from orders.engine.starting import begin
from orders.engine.writer import BatchWriter, Prepared
from tests.simulation.told_clock import ToldClock


class Point(StrEnum):
    """Where in a batch's commit the engine dies."""

    BEFORE_BEGIN = "before BEGIN"
    BEFORE_COMMIT = "after the writes, before COMMIT"
    AFTER_COMMIT = "after COMMIT, before the reply"


class Crash(Exception):
    """The engine's end, as a kill at that place would be."""


BY_TIME = {"MarketPlanStarted", "MarketPlanEnded", "MarketPlanMissed"}


def _is_time_passing(changes: Changes) -> bool:
    """Whether nothing but a day's end and the silence of keys is in it."""
    if not changes.events and not changes.audits:
        return False
    kinds = {event.event for _, event in changes.events}
    actions = {entry.action for entry in changes.audits}
    if actions & BY_TIME or (
        "MarketStateChanged" in kinds and not actions and not changes.new_orders
    ):
        return True  # a plan or a pause begins or ends, with the auction that it brings
    reasons = {order.reason for order in changes.changed_orders.values()}
    return (
        kinds <= {"OrderExpired", "OrderCanceled"}
        and reasons <= {CloseReason.DAY_END, CloseReason.DEAD_MAN}
        and {entry.action for entry in changes.audits} <= {"DeadManFired"}
    )


class CrashingWriter(BatchWriter):
    """The real writer until `point` is set: then it ends the engine there."""

    point: Point | None = None

    def __init__(self, connection: AsyncConnection[TupleRow], lease: Lease) -> None:
        super().__init__(connection, lease)
        self._connection = connection

    async def write(self, prepared: Prepared) -> None:
        if _is_time_passing(prepared.changes):
            # What goes before a command: the crash is meant for the command's own.
            await super().write(prepared)
            return
        if self.point is Point.BEFORE_BEGIN:
            raise Crash
        if self.point is Point.BEFORE_COMMIT:
            async with self._connection.transaction():
                await super().write(prepared)
                raise Crash
        await super().write(prepared)
        if self.point is Point.AFTER_COMMIT:
            raise Crash


class InProcessEngine:
    """Starts, stops and crashes an engine on `socket_path`; asks it as any client would.

    `async with` starts it and leaves nothing behind: its session, and with it the segment's lease,
    would otherwise live until the garbage collector comes by, in a test that knows nothing of it.
    """

    def __init__(
        self, socket_path: Path, clock: ToldClock, max_elections: int = MAX_ELECTIONS
    ) -> None:
        self._path = socket_path
        self._clock = clock
        self._max_elections = max_elections
        self._session: AsyncConnection[TupleRow] | None = None

    async def __aenter__(self) -> "InProcessEngine":
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            if not self._serving.done():
                await self.stop()
        finally:
            await self.close()

    async def start(self) -> None:
        self._connection = await self._unlocked_session()
        lease = await acquire(self._connection, "main", "in-process")
        self._writer = CrashingWriter(self._connection, lease)
        redis = Redis.from_url(settings.REDIS_URL)
        publisher = Publisher(redis, settings.REDIS_PREFIX, self._clock, "test")
        core = await begin(
            self._connection, self._writer, self._clock.now_ns(), self._max_elections
        )
        self._server = EngineServer(core, self._writer, publisher, self._clock)
        self._serving = asyncio.ensure_future(self._server.serve(self._path))
        while not self._path.exists() and not self._serving.done():
            await asyncio.sleep(0)
        self._client = AsyncEngineClient(self._path, timeout_seconds=20)

    async def ask(self, command: AnyCommand, crash_at: Point | None = None) -> AnyReply:
        """The reply; UnknownOutcomeError when the engine died of the command."""
        self._writer.point = crash_at
        reply = await self._client.request(command)
        self._writer.point = None
        return reply

    async def bury(self) -> None:
        """After a crash: its memory, its socket and its lease are gone too."""
        await asyncio.wait({self._serving})
        assert isinstance(self._serving.exception(), Crash)
        await self._client.close()

    async def stop(self) -> None:
        """End well, as on SIGTERM."""
        self._server.stop()
        await self._serving
        await self._client.close()

    async def close(self) -> None:
        """Leave the database; for when it has ended and is not to start again."""
        await self._connection.close()

    async def _unlocked_session(self) -> AsyncConnection[TupleRow]:
        """A session that holds no lease. All engines of one run share it: what each would have to
        do anew costs more than all the rest, and tests of real processes do it (tests/faults).
        """
        if self._session is None:
            self._session = await connect(database_dsn())
        await self._session.execute("SELECT pg_advisory_unlock_all()")
        return self._session


TABLES: Mapping[str, str] = {
    "orders_order": "sequence",
    "orders_execution": "id",
    "orders_deadman": "key_id",
    "orders_ordersession": "id",
    "orders_trailpeak": "instrument_id, side, after_sequence",
    "portfolio_transfer": "id",
    "portfolio_hold": "order_id",
    "portfolio_balance": "account_id, currency_id",
    "portfolio_position": "account_id, instrument_id",
    "portfolio_feetier": "code",
    "core_event": "account_id, account_sequence",
    "risk_tradingstate": "scope",
    "orders_marketplan": "id",
    "risk_limit": "key",
}
OUR_OWN = "id, recorded_at, transaction_id"
"""Columns that differ between two runs of the same history, in the tables that have numbers of
their own.
"""
NUMBERED = {"orders_trailpeak", "portfolio_balance", "portfolio_position", "core_event"}
