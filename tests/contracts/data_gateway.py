"""A running gateway over a seeded market, and a feed's hand: what clients of market data meet."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from django.conf import settings
from redis import Redis
from websockets.sync.client import connect

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from marketdata.consumers.symbols import known_instruments
from marketdata.domain.frames import event_frame
from marketdata.services import seed_market
from tests.marketdata.gateway import running_gateway


@dataclass(frozen=True)
class Gateway:
    port: int
    key: str
    secret: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def socket(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


@pytest.fixture
def gateway(alice: User, transactional_db: None) -> Iterator[Gateway]:
    """A gateway on a free port in a thread, over a seeded market and a key of Alice."""
    now = SystemClock().now()
    seed_market(now)
    known_instruments.clear()
    key, secret = create_api_key(
        user=alice, scopes=[Scope.READ], origin=Origin(now=now), rate_limit_per_minute=10_000
    )
    with running_gateway() as port:
        yield Gateway(port, key.key_id, secret)


class Feed:
    """Publishes one frame as the feed or the engine would."""

    def __init__(self) -> None:
        self._redis = Redis.from_url(settings.REDIS_URL)
        self._numbers: defaultdict[str, int] = defaultdict(int)

    def tell(self, topic: str, data: object) -> None:
        self._numbers[topic] += 1
        frame = event_frame(topic, epoch="sdk", seq=self._numbers[topic], data=data)
        self._redis.set(f"{settings.REDIS_PREFIX}latest:{topic}", frame)
        if topic.startswith("trade:"):
            self._redis.lpush(f"{settings.REDIS_PREFIX}recent:{topic}", frame)
        self._redis.publish(settings.REDIS_PREFIX + topic, frame)

    def clear(self) -> None:
        keys = list(self._redis.scan_iter(f"{settings.REDIS_PREFIX}latest:*"))
        keys += list(self._redis.scan_iter(f"{settings.REDIS_PREFIX}recent:*"))
        if keys:
            self._redis.delete(*keys)


@pytest.fixture
def feed() -> Iterator[Feed]:
    feed = Feed()
    feed.clear()
    yield feed
    feed.clear()


AT = "2026-03-02T15:30:00.123456Z"
AT_TIME = datetime(2026, 3, 2, 15, 30, 0, 123456, tzinfo=UTC)
QUOTE = {"bid": "430.46", "bid_size": "43", "ask": "430.48", "ask_size": "69", "t": AT}
TRADE = {"id": 1_795_358_828_011_000, "price": "430.48", "size": "7", "side": "BUY", "t": AT}
BAR = {
    "t": "2026-03-02T15:30:00.000000Z",
    "o": "430",
    "h": "431.5",
    "l": "429",
    "c": "430.25",
    "v": "1200",
    "n": 90,
    "vw": "430.1",
    "closed": True,
}
BOOK = {"bids": [["64248", "0.5518"]], "asks": [["64251", "0.3704"]], "t": AT}


def stocks(gateway: Gateway) -> StockHistoricalDataClient:
    return StockHistoricalDataClient(gateway.key, gateway.secret, url_override=gateway.url)


def crypto(gateway: Gateway) -> CryptoHistoricalDataClient:
    return CryptoHistoricalDataClient(url_override=gateway.url)


def run_stream(stream: Any, tell: Callable[[], None]) -> None:
    """Run an SDK stream in a thread, telling the same again until it stops itself.

    The dialect has no snapshots: what was told before the subscription took hold is not heard.
    """
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and thread.is_alive():
        tell()
        thread.join(0.2)
    assert not thread.is_alive()


def talk(gateway: Gateway, *requests: object, path: str = "/v2/iex") -> list[Any]:
    """Send JSON requests, one after another's answer; what the server answered, greeting first."""
    with connect(gateway.socket(path)) as program:
        answers = [msgspec.json.decode(program.recv(60))]
        for request in requests:
            program.send(
                request if isinstance(request, str) else msgspec.json.encode(request).decode()
            )
            answers.append(msgspec.json.decode(program.recv(60)))
    return answers
