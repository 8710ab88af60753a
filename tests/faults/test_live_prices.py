"""Redis, the feed or the gateway dies while a program watches a price: it is never shown a wrong
one, nor an old one as live, and what it has afterwards is what the publisher has.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from redis import Redis
from redis.exceptions import RedisError
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from marketdata.domain.live_reader import LiveReader, Standing
from tests.faults.harms import frozen, tree
from tests.faults.programs import wait_until
from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("portal")]

QUOTE, BOOK, DEPTH, TRADE = "quote:AAPL", "book:AAPL", "depth:AAPL", "trade:AAPL"
TOPICS = (QUOTE, BOOK, DEPTH, TRADE)
OLD_SECONDS = 15
"""The feed quotes each second at least; a quote may be believed for 5 s, and silence for 3 s."""


class Watcher(threading.Thread):
    """Keeps a socket open, as programs do, and looks at its reader all the time."""

    def __init__(self, url: str, key: Key) -> None:
        super().__init__(daemon=True)
        self._url = url.replace("http", "ws", 1) + "/api/v1/stream"
        self._key = key
        self._reader = LiveReader()
        self._reader.want(*TOPICS)
        self._lock = threading.Lock()
        self.ending = threading.Event()
        self.standings: list[Standing] = []
        """How the quote stood, each change."""
        self.wrong: list[str] = []

    def standing(self, topic: str) -> Standing:
        with self._lock:
            return self._reader.standing(topic, now_ms())

    def data(self, topic: str) -> Any:  # Any: JSON
        with self._lock:
            return self._reader.data(topic)

    def run(self) -> None:
        while not self.ending.is_set():
            with suppress(OSError, WebSocketException, TimeoutError):
                self._follow()
            with self._lock:
                self._reader.lost()
            self._look()
            time.sleep(0.2)

    def _follow(self) -> None:
        with connect(self._url, compression=None, close_timeout=1) as socket:
            auth = {"op": "auth", "key_id": self._key.key_id, "secret": self._key.secret}
            socket.send(msgspec.json.encode(auth).decode())
            assert msgspec.json.decode(socket.recv(30))["op"] == "authenticated"
            with self._lock:
                said = self._reader.opened(now_ms())
            while not self.ending.is_set():
                for frame in said:
                    socket.send(msgspec.json.encode(frame).decode())
                said = []
                try:
                    heard = msgspec.json.decode(socket.recv(0.2))
                except TimeoutError:
                    heard = None
                if heard is not None:
                    with self._lock:
                        said = self._reader.take(heard, now_ms())
                self._look()

    def _look(self) -> None:
        with self._lock:
            standing = self._reader.standing(QUOTE, now_ms())
            quote = self._reader.data(QUOTE)
        if not self.standings or self.standings[-1] is not standing:
            self.standings.append(standing)
        if standing is Standing.LIVE and quote is not None:
            told = datetime.fromisoformat(quote["t"])
            age = (datetime.now(UTC) - told).total_seconds()
            if age > OLD_SECONDS:
                self.wrong.append(f"live, and {age} s old")


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@contextmanager
def watching(portal: LivePortal, username: str) -> Iterator[Watcher]:
    portal.create_trader(username)
    watcher = Watcher(portal.url, portal.create_key(username, "read"))
    watcher.start()
    try:
        wait_until(lambda: all_live(watcher) or not watcher.is_alive(), "every topic is live")
        assert watcher.is_alive(), "the watcher has failed: see the warnings"
        yield watcher
    finally:
        watcher.ending.set()
        watcher.join(30)


def all_live(watcher: Watcher) -> bool:
    return all(watcher.standing(topic) is Standing.LIVE for topic in TOPICS)


def is_the_publishers(portal: LivePortal, watcher: Watcher) -> bool:
    """Whether the reader's quote and book are the newest, at one moment of these."""
    prefix = portal.environment["PORTAL_REDIS_PREFIX"]
    try:
        with Redis.from_url(portal.redis_url) as redis:
            frames = {topic: redis.get(f"{prefix}latest:{topic}") for topic in (QUOTE, BOOK, DEPTH)}
    except (RedisError, OSError):
        return False
    for topic, frame in frames.items():
        data = msgspec.json.decode(frame)["data"] if isinstance(frame, bytes) else None
        known = watcher.data(topic)
        if data is None or known is None or any(known[name] != data[name] for name in data):
            return False
    return True


@pytest.mark.parametrize("service", ["valkey", "feed", "gateway"])
def test_a_price_is_never_silently_old(live_portal: LivePortal, service: str) -> None:
    with watching(live_portal, f"alice-watches-{service}") as watcher:
        killed = kill_and_notice(live_portal, service, watcher)
        live_portal.wait_until_restarted(service, killed)
        wait_until(lambda: all_live(watcher), "every topic is live again")
        wait_until(lambda: is_the_publishers(live_portal, watcher), "what it shows is the newest")

        assert watcher.wrong == []
        assert watcher.standings[-1] is Standing.LIVE


def kill_and_notice(portal: LivePortal, service: str, watcher: Watcher) -> int:
    """The process id that was killed. A feed may be back before its silence says anything, so it
    stands still first.
    """
    before = len(watcher.standings)
    with frozen(*(tree(portal.service("feed")["pid"]) if service == "feed" else ())):
        if service == "feed":
            wait_until(lambda: len(watcher.standings) > before, "the reader notices the silence")
        killed = portal.kill(service)
    wait_until(lambda: len(watcher.standings) > before, "the reader notices")
    return killed
