"""The hub's one connection to Redis for reading live messages, made again whenever it breaks.

Speaks SUBSCRIBE itself on a plain connection: redis-py's PubSub reconnects silently, and a hub that
does not know that it was away would show old prices as live. Read timeouts are off (redis-py's
default of 5 s would end an idle connection); a ping tells a dead connection from a quiet one.
"""

import asyncio
import math
from collections.abc import Callable, Iterable

import structlog
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from marketdata.hub.ending import end_if_cancelled
from marketdata.metrics import HUB_RECONNECTS

logger = structlog.get_logger(__name__)

PING_INTERVAL_SECONDS = 5
SILENCE_LIMIT_SECONDS = 15
CONNECT_TIMEOUT_SECONDS = 5
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 3.0


class Subscriber:
    """Keeps the channels of the wanted topics subscribed.

    Calls `on_message(topic, payload)` for each message, `on_subscribed(topic)` when Redis has
    confirmed a topic (again after each reconnection) and `on_lost()` when the connection breaks.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        *,
        on_message: Callable[[bytes], None],
        on_subscribed: Callable[[str], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_keepalive=True,
        )
        self._prefix = prefix
        self._on_message = on_message
        self._on_subscribed = on_subscribed
        self._on_lost = on_lost
        self._wanted: set[str] = set()
        self._asked: set[str] = set()
        self._confirmed: set[str] = set()
        self._changed = asyncio.Event()
        self._heard_at = 0.0
        self._is_up = True

    def want(self, topic: str) -> None:
        self._wanted.add(topic)
        self._changed.set()

    def unwant(self, topic: str) -> None:
        self._wanted.discard(topic)
        self._changed.set()

    def is_confirmed(self, topic: str) -> bool:
        return topic in self._confirmed and topic in self._wanted

    async def run(self) -> None:
        """Read until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            connection = self._pool.make_connection()
            try:
                await connection.connect()
                logger.info("hub_connected")
                self._is_up = True
                pause = FIRST_PAUSE_SECONDS
                await self._serve(connection)
            except (RedisError, OSError) as error:
                end_if_cancelled()
                if self._is_up:  # once, not at every try
                    logger.warning("hub_connection_lost", error=str(error))
                self._is_up = False
            finally:
                await connection.disconnect(nowait=True)
            self._asked.clear()
            self._confirmed.clear()
            self._on_lost()
            HUB_RECONNECTS.inc()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _serve(self, connection: AbstractConnection) -> None:
        """Read and ask at the same time; the first error of either ends both."""
        self._heard_at = asyncio.get_running_loop().time()
        self._changed.set()
        sides = [
            asyncio.create_task(self._read(connection)),
            asyncio.create_task(self._ask(connection)),
        ]
        try:
            done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
            for side in done:
                side.result()
        finally:
            for side in sides:
                side.cancel()
            await asyncio.gather(*sides, return_exceptions=True)

    async def _read(self, connection: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            answer = await connection.read_response(timeout=math.inf)
            self._heard_at = loop.time()
            if not isinstance(answer, list):
                continue  # the pong of a connection without subscriptions
            kind = answer[0]
            if kind == b"message":
                self._on_message(answer[2])
            elif kind == b"subscribe":
                topic = answer[1].decode().removeprefix(self._prefix)
                self._confirmed.add(topic)
                self._changed.set()  # it may have become unwanted while it was asked for
                self._on_subscribed(topic)

    async def _ask(self, connection: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(PING_INTERVAL_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                if loop.time() - self._heard_at > SILENCE_LIMIT_SECONDS:
                    raise RedisConnectionError("Redis does not answer pings") from None
                await connection.send_command("PING")
                continue
            self._changed.clear()
            # A topic is given up only once it was confirmed, so that confirmations never mix.
            dropped = self._confirmed - self._wanted
            added = self._wanted - self._asked
            self._confirmed -= dropped
            self._asked -= dropped
            self._asked |= added
            await self._command(connection, "UNSUBSCRIBE", dropped)
            await self._command(connection, "SUBSCRIBE", added)

    async def _command(
        self, connection: AbstractConnection, command: str, topics: Iterable[str]
    ) -> None:
        channels = [self._prefix + topic for topic in sorted(topics)]
        if channels:
            await connection.send_command(command, *channels)
