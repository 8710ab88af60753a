"""The publisher and a Redis that is away, full or new: what each reader is owed still comes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.client import PubSub

from core.domain.clock import to_ns
from orders.domain.matching.street import STREET_TTL_NS, StreetQuote
from orders.domain.views import AccountEvent, BalanceView
from orders.engine import publisher as publishing
from orders.engine.changes import Changes
from orders.engine.frame_queue import TURN
from orders.engine.publisher import MAX_QUEUED_EVENTS, Publisher
from orders.engine.state import Instrument
from tests.conftest import NOW
from tests.marketdata.valkey import ValkeyServer
from tests.simulation.floor import APPLE, BITCOIN, fresh
from tests.simulation.told_clock import ToldClock

pytestmark = pytest.mark.processes

PREFIX = "publishing:"
NOW_NS = to_ns(NOW)
ALICE, CHARLIE = str(UUID(int=1)), str(UUID(int=2))
Frame = dict[str, Any]  # Any: JSON


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def clock() -> ToldClock:
    return ToldClock(NOW_NS)


def listen(valkey: ValkeyServer) -> PubSub:
    """Hears every channel."""
    listener = Redis.from_url(valkey.url).pubsub()
    listener.psubscribe(f"{PREFIX}*")
    assert listener.get_message(timeout=60)["type"] == "psubscribe"
    return listener


def heard(listener: PubSub) -> list[Frame]:
    """The topics' frames that have come by now, without what wakes the relay."""
    frames: list[Frame] = []
    while (message := listener.get_message(timeout=0.3)) is not None:
        frames += [json.loads(line) for line in message["data"].splitlines()]
    return frames


def numbers(frames: list[Frame], account: str) -> list[int]:
    return [frame["seq"] for frame in frames if frame["topic"] == f"account:{account}"]


def tell(
    publisher: Publisher, account: str, first: int, count: int = 1, payload: str = "{}"
) -> None:
    """A committed batch with `count` events of the account, numbered from `first` on."""
    changes = Changes()
    for number in range(first, first + count):
        changes.events.append((1, event(account, number)))
    publisher.publish_events(changes, [payload] * count)


def event(account: str, number: int) -> AccountEvent:
    return AccountEvent(
        event="OrderCanceled",
        version=1,
        account_id=account,
        account_sequence=number,
        occurred_at="2026-03-02T15:30:00Z",
        request_id="r",
        order=None,
        execution=None,
        position=None,
        balance=BalanceView(currency="USD", total="0", locked="0", free="0"),
    )


def with_publisher(
    url: str, clock: ToldClock, scenario: Callable[[Publisher], Awaitable[None]]
) -> None:
    async def run() -> None:
        redis = AsyncRedis.from_url(url, retry=Retry(NoBackoff(), 0))
        try:
            await scenario(Publisher(redis, PREFIX, clock, "e1"))
        finally:
            await redis.aclose()

    asyncio.run(run())


def test_one_accounts_flood_takes_nothing_from_another(
    valkey: ValkeyServer, clock: ToldClock
) -> None:
    listener = listen(valkey)

    async def scenario(publisher: Publisher) -> None:
        tell(publisher, CHARLIE, 1)
        tell(publisher, ALICE, 1, MAX_QUEUED_EVENTS)
        tell(publisher, CHARLIE, 2)
        await publisher.flush()

    with_publisher(valkey.url, clock, scenario)

    frames = heard(listener)
    assert numbers(frames, CHARLIE) == [1, 2]
    assert numbers(frames, ALICE) == [MAX_QUEUED_EVENTS]  # by which the gap is seen at once


def test_one_accounts_flood_does_not_hold_another_up(
    valkey: ValkeyServer, clock: ToldClock
) -> None:
    listener = listen(valkey)

    async def scenario(publisher: Publisher) -> None:
        tell(publisher, ALICE, 1, 2_000)
        tell(publisher, CHARLIE, 1)
        await publisher.flush()

    with_publisher(valkey.url, clock, scenario)

    frames = heard(listener)
    assert numbers(frames, ALICE) == list(range(1, 2_001))
    assert [frame["topic"] for frame in frames].index(f"account:{CHARLIE}") == TURN


def test_what_redis_did_not_take_comes_first_when_it_is_back(
    valkey: ValkeyServer, clock: ToldClock
) -> None:
    listeners: list[PubSub] = []

    async def scenario(publisher: Publisher) -> None:
        valkey.kill()
        tell(publisher, ALICE, 1, 3)
        await publisher.flush()
        tell(publisher, ALICE, 4)
        tell(publisher, CHARLIE, 1)
        await publisher.flush()
        valkey.start()
        listeners.append(listen(valkey))
        await publisher.flush()

    with_publisher(valkey.url, clock, scenario)

    frames = heard(listeners[0])
    assert numbers(frames, ALICE) == [1, 2, 3, 4]
    assert numbers(frames, CHARLIE) == [1]


def test_what_is_on_its_way_arrives_whenever_the_end_comes(
    valkey: ValkeyServer, clock: ToldClock
) -> None:
    listener = listen(valkey)
    more_than_a_socket_holds = json.dumps("x" * 20_000)

    async def scenario(publisher: Publisher) -> None:
        for end in range(8):
            running = asyncio.ensure_future(publisher.run({}))
            tell(publisher, ALICE, 100 * end + 1, 100, more_than_a_socket_holds)
            for _ in range(end):  # so far the loop gets with it
                await asyncio.sleep(0)
            await publisher.flush()
            running.cancel()
            await asyncio.wait({running})

    with_publisher(valkey.url, clock, scenario)

    assert numbers(heard(listener), ALICE) == list(range(1, 801))


def test_a_redis_that_stores_nothing_still_carries_what_accounts_hear(
    valkey: ValkeyServer, clock: ToldClock
) -> None:
    listener = listen(valkey)
    Redis.from_url(valkey.url).config_set("maxmemory", "1")

    async def scenario(publisher: Publisher) -> None:
        running = asyncio.ensure_future(publisher.run({"AAPL": fresh(APPLE)}))
        await asyncio.sleep(2 * publishing.DEPTH_INTERVAL_SECONDS)
        tell(publisher, ALICE, 1, 2)
        await asyncio.sleep(0.2)
        running.cancel()

    with_publisher(valkey.url, clock, scenario)

    frames = heard(listener)
    assert numbers(frames, ALICE) == [1, 2]
    assert "book:AAPL" in [frame["topic"] for frame in frames]


def test_what_redis_refuses_keeps_nobody_else_waiting(
    valkey: ValkeyServer, clock: ToldClock
) -> None:
    listener = listen(valkey)
    rights = ["on", "nopass", "+@all", f"&{PREFIX}account:{CHARLIE}", f"&{PREFIX}outbox"]
    Redis.from_url(valkey.url).execute_command("ACL", "SETUSER", "portal", "reset", *rights)

    async def scenario(publisher: Publisher) -> None:
        tell(publisher, ALICE, 1)
        tell(publisher, CHARLIE, 1)
        await publisher.flush()
        tell(publisher, CHARLIE, 2)
        await publisher.flush()

    with_publisher(valkey.url.replace("://", "://portal:any@"), clock, scenario)

    frames = heard(listener)
    assert numbers(frames, ALICE) == []
    assert numbers(frames, CHARLIE) == [1, 2]


def kept_book(redis: Redis, symbol: str) -> Frame | None:
    frame = redis.get(f"{PREFIX}latest:book:{symbol}")
    if frame is None:
        return None
    data: Frame = json.loads(frame)["data"]  # type: ignore[arg-type]  # our client is not async
    return data


def quoted(instrument: Instrument) -> Instrument:
    instrument.book.set_street(StreetQuote([(9_900, 3)], [(10_100, 5)], NOW_NS), NOW_NS)
    return instrument


def test_every_book_is_published_at_the_start_and_again_though_nothing_changes(
    valkey: ValkeyServer, clock: ToldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "BOOK_REFRESH_SECONDS", 0.2)
    redis = Redis.from_url(valkey.url)
    instruments = {
        "AAPL": quoted(fresh(APPLE)), "BTC/USD": (bitcoin := fresh(BITCOIN)), "BTCUSD": bitcoin,
    }  # fmt: skip

    async def kept(symbol: str, is_it: Callable[[Frame], bool]) -> None:
        async with asyncio.timeout(60):
            while (data := kept_book(redis, symbol)) is None or not is_it(data):
                await asyncio.sleep(0.02)

    async def scenario(publisher: Publisher) -> None:
        running = asyncio.ensure_future(publisher.run(instruments))
        await kept("AAPL", lambda book: book["bids"] == [["99", "3"]])
        await kept("BTC/USD", lambda book: book["bids"] == [])

        redis.flushall()
        await kept("AAPL", lambda book: book["asks"] == [["101", "5"]])

        clock.time_ns += STREET_TTL_NS + 1
        await kept("AAPL", lambda book: book["bids"] == book["asks"] == [])
        running.cancel()

    with_publisher(valkey.url, clock, scenario)
