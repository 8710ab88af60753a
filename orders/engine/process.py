"""Composes and runs the engine process: lease, recovery, socket, batch loop, publisher, heartbeat.

`tradeportal/engine.py` calls it. It returns after a clean stop and raises when it lost its footing;
the supervisor then starts it again.
"""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.collector import leave_what_is_loaded
from core.domain.clock import Clock, wire_time
from orders.engine import metrics
from orders.engine.lease import Lease, acquire
from orders.engine.publisher import Publisher
from orders.engine.server import EngineServer
from orders.engine.starting import begin
from orders.engine.writer import BatchWriter

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1.0
HEARTBEAT_EXPIRY_SECONDS = 3
REDIS_TIMEOUT_SECONDS = 2
END_TIMEOUT_SECONDS = 0.5
BY_KEY_ONLY = (
    "SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off;"
    " SET plan_cache_mode = force_generic_plan"
)
"""Once it has recovered, the engine touches rows by their keys alone. A plan made while a table was
small might read it whole, and be kept while it grows: an order would cost what history is long. And
with one way to plan there is nothing to plan twice: the look-up of one client order id was planned
anew each time, for more than it takes to run.
"""
UNACKNOWLEDGED_MILLISECONDS = 10_000
"""How long what we sent may stay unacknowledged until the connection counts as lost."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    database_dsn: str
    redis_url: str
    redis_prefix: str
    socket_path: Path
    segment: str


async def run_engine(options: EngineOptions, clock: Clock) -> None:
    """Lead the segment until SIGTERM or SIGINT; commits what was received before it returns."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    dsn = options.database_dsn
    async with await connect(dsn) as connection, await connect(dsn) as reading:
        logger.info("engine_waiting_for_lease", segment=options.segment)
        lease = await _wait_for_lease(connection, options.segment, stopping)
        if lease is None:
            return
        writer = BatchWriter(connection, lease, reading)
        gc.disable()  # what is being loaded is no garbage, and looking through it takes long
        core = await begin(connection, writer, clock.now_ns())
        gc.enable()
        for session in (connection, reading):
            await session.execute(BY_KEY_ONLY)
        logger.info("engine_recovered", epoch=lease.epoch, open_orders=len(core.state.orders))
        leave_what_is_loaded()
        redis = Redis.from_url(
            options.redis_url,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        )
        publisher = Publisher(redis, options.redis_prefix, clock, f"engine-{lease.epoch}")
        server = EngineServer(core, writer, publisher, clock)
        heartbeat = _heartbeat(server, redis, options.redis_prefix, lease)
        await _run_until_stopped(server, publisher, options.socket_path, heartbeat, stopping)
        await redis.aclose()


async def connect(dsn: str) -> AsyncConnection[TupleRow]:
    """A session of the engine's: statements outside a batch commit by themselves."""
    return await AsyncConnection.connect(
        dsn,
        autocommit=True,
        application_name="portal-engine",
        # A batch whose outcome would not be on disk must not be acknowledged.
        options="-c synchronous_commit=on -c statement_timeout=30000",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=UNACKNOWLEDGED_MILLISECONDS,
    )


async def _wait_for_lease(
    connection: AsyncConnection[TupleRow], segment: str, stopping: asyncio.Event
) -> Lease | None:
    """The lease, once nobody else leads the segment; None when told to stop before that."""
    holder = f"{socket.gethostname()}:{os.getpid()}"
    waiting = asyncio.ensure_future(acquire(connection, segment, holder))
    stopped = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    await asyncio.wait({waiting})
    return None


async def _run_until_stopped(
    server: EngineServer,
    publisher: Publisher,
    socket_path: Path,
    heartbeat: Coroutine[None, None, None],
    stopping: asyncio.Event,
) -> None:
    loop = asyncio.get_running_loop()
    serving = loop.create_task(server.serve(socket_path))
    helpers = [
        loop.create_task(publisher.run(server.core.state.instruments)),
        loop.create_task(publisher.tell_trails(server.core.state)),
        loop.create_task(heartbeat),
        loop.create_task(_stop_when_told(server, stopping)),
    ]
    try:
        done, _ = await asyncio.wait({serving, *helpers}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await publisher.flush()
    finally:
        await _end_all_tasks()
    logger.info("engine_stopped", batch=server.batch)


async def _stop_when_told(server: EngineServer, stopping: asyncio.Event) -> None:
    """Pass SIGTERM on to the server, then leave the ending to it."""
    await stopping.wait()
    server.stop()
    await asyncio.Event().wait()


async def _end_all_tasks() -> None:
    """Cancel every other task, again and again until none is left.

    Once is not enough: a client library may answer a cancellation with a timeout error of its own,
    which a loop that outlives Redis takes for one. A process that has ended must not live on.
    """
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=END_TIMEOUT_SECONDS)


async def _heartbeat(server: EngineServer, redis: Redis, prefix: str, lease: Lease) -> None:
    """Say once a second that the engine lives, for pages, sockets and the health endpoint."""
    while True:
        metrics.OPEN_ORDERS.set(len(server.core.state.orders))
        state = {
            "epoch": lease.epoch,
            "batch": server.batch,
            "pending": server.pending,
            "at": wire_time(server.now_ns()),
        }
        try:
            await redis.set(
                f"{prefix}engine:alive", msgspec.json.encode(state), ex=HEARTBEAT_EXPIRY_SECONDS
            )
        except (RedisError, OSError) as error:
            logger.warning("engine_heartbeat_failed", error=str(error))
        await asyncio.sleep(HEARTBEAT_SECONDS)
