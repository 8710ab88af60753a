"""Hears what other processes have changed, and has this process's caches forget it (core/cache.py).

A thread of each process that serves requests. While Redis is away nothing is heard: when it is back
everything is forgotten once, and until then the caches' ages bound what they get wrong.
"""

import threading

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.exceptions import RedisError
from redis.retry import Retry

from core import cache

logger = structlog.get_logger(__name__)

LISTEN_SECONDS = 1.0
"""One wait for news; between two the counts are told."""
CONNECT_TIMEOUT_SECONDS = 1
RECONNECT_PAUSE_SECONDS = 1.0


class Invalidations(threading.Thread):
    """Listens from `start` to `close`; ends with the process."""

    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(name="invalidations", daemon=True)
        # A read waits as long as it is told to: redis-py's own timeout would end an idle one.
        self._redis = Redis.from_url(
            url,
            socket_timeout=None,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._channel = f"{prefix}{cache.FORGET_CHANNEL}"
        self._closing = threading.Event()
        self.is_listening = threading.Event()

    def run(self) -> None:
        while not self._closing.is_set():
            pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
            try:
                pubsub.subscribe(self._channel)
                self._listen(pubsub)
            except (RedisError, OSError) as error:
                if self.is_listening.is_set():
                    logger.warning("invalidations_lost", error=str(error))
                self.is_listening.clear()
                cache.tell_counts()
                self._closing.wait(RECONNECT_PAUSE_SECONDS)
            finally:
                _drop(pubsub)
        self._redis.close()

    def close(self) -> None:
        """Stop listening; waits for the thread."""
        self._closing.set()
        self.join()

    def _listen(self, pubsub: PubSub) -> None:
        pubsub.get_message(timeout=LISTEN_SECONDS)  # the confirmation: from here on all is heard
        cache.forget_all()
        self.is_listening.set()
        while not self._closing.is_set():
            message = pubsub.get_message(timeout=LISTEN_SECONDS)
            while message is not None:
                cache.hear(message["data"])
                message = pubsub.get_message(timeout=0)
            cache.tell_counts()


def _drop(pubsub: PubSub) -> None:
    try:
        pubsub.close()
    except (RedisError, OSError) as error:
        logger.debug("invalidations_closed_broken", error=str(error))
