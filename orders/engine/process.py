"""Composes and runs the engine process: lease, recovery, socket, batch loop, publisher, heartbeat.

`manage.py run_engine` calls it. It returns after a clean stop and raises when it lost its footing;
the supervisor then starts it again.
"""

import asyncio
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.domain.clock import Clock, wire_time
from orders.engine import metrics
from orders.engine.core import Core
from orders.engine.lease import Lease, acquire
from orders.engine.publisher import Publisher
from orders.engine.recovery import load_state
from orders.engine.server import EngineServer
from orders.engine.writer import BatchWriter

logger = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1.0
HEARTBEAT_EXPIRY_SECONDS = 3
REDIS_TIMEOUT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class EngineOptions:
    database_dsn: str
    redis_url: str
    redis_prefix: str
    socket_path: Path
    segment: str


async def run_engine(options: EngineOptions, clock: Clock) -> None:
    """Lead the segment until SIGTERM or SIGINT; commits what was received before it returns."""
    async with await connect(options.database_dsn) as connection:
        logger.info("engine_waiting_for_lease", segment=options.segment)
        lease = await acquire(connection, options.segment, f"{socket.gethostname()}:{os.getpid()}")
        state = await load_state(connection)
        logger.info("engine_recovered", epoch=lease.epoch, open_orders=len(state.orders))
        redis = Redis.from_url(
            options.redis_url,
            socket_timeout=REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        )
        publisher = Publisher(redis, options.redis_prefix, clock, f"engine-{lease.epoch}")
        server = EngineServer(Core(state), BatchWriter(connection, lease), publisher, clock)
        await _run_until_stopped(server, publisher, redis, options, lease)
        await redis.aclose()


async def connect(dsn: str) -> AsyncConnection[TupleRow]:
    """The engine's one connection: statements outside a batch commit by themselves."""
    return await AsyncConnection.connect(
        dsn,
        autocommit=True,
        application_name="portal-engine",
        # A batch whose outcome would not be on disk must not be acknowledged.
        options="-c synchronous_commit=on -c statement_timeout=30000",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
    )


async def _run_until_stopped(
    server: EngineServer, publisher: Publisher, redis: Redis, options: EngineOptions, lease: Lease
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    serving = loop.create_task(server.serve(options.socket_path))
    helpers = [
        loop.create_task(publisher.run()),
        loop.create_task(_heartbeat(server, redis, options.redis_prefix, lease)),
    ]
    try:
        done, _ = await asyncio.wait({serving, *helpers}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await publisher.flush()
    finally:
        for task in helpers:
            task.cancel()
    logger.info("engine_stopped", batch=server.batch)


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
