"""Lets the relay sleep until the engine has committed: listens to the outbox channel in Redis.

A lost message or a lost Redis costs at most the poll interval; nothing depends on being woken.
"""

import threading
import time

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import RedisError
from redis.retry import Retry

CONNECT_TIMEOUT_SECONDS = 1
RECONNECT_PAUSE_SECONDS = 2.0
MAX_DRAINED = 10_000

logger = structlog.get_logger(__name__)


class OutboxBell:
    """`wait(seconds)` returns early when someone published on `channel` or when `stop` is set."""

    def __init__(self, *, url: str, channel: str, stop: threading.Event) -> None:
        # Reads never block longer than the wait they are given, so no socket timeout cuts them off.
        self._redis = Redis.from_url(
            url,
            socket_timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._channel = channel
        self._stop = stop
        self._pubsub: PubSub | None = None
        self._next_attempt = 0.0

    def wait(self, seconds: float) -> None:
        if not self._is_listening():
            self._stop.wait(seconds)
            return
        try:
            assert self._pubsub is not None
            if self._pubsub.get_message(timeout=seconds) is not None:
                self._drain(self._pubsub)
        except (RedisError, OSError) as error:
            logger.warning("outbox_bell_lost", error=str(error))
            self._drop()
            self._stop.wait(seconds)

    def close(self) -> None:
        self._drop()
        self._redis.close()

    def _is_listening(self) -> bool:
        if self._pubsub is not None:
            return True
        if time.monotonic() < self._next_attempt:
            return False
        self._next_attempt = time.monotonic() + RECONNECT_PAUSE_SECONDS
        pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        try:
            pubsub.subscribe(self._channel)
        except (RedisError, OSError) as error:
            logger.warning("outbox_bell_unavailable", error=str(error))
            return False
        self._pubsub = pubsub
        return True

    def _drain(self, pubsub: PubSub) -> None:
        # A thousand commits ring a thousand times; one reading answers them all.
        for _ in range(MAX_DRAINED):
            if pubsub.get_message(timeout=0) is None:
                return

    def _drop(self) -> None:
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            try:
                pubsub.close()
            except (RedisError, OSError):
                logger.debug("outbox_bell_closed_broken")
