"""Our adapters against a second portal: its prices come over exactly, and its loss is seen.

So the adapters and the API prove each other. What the other portal published is read from its own
Redis.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from redis import Redis

from core.domain.clock import SystemClock, wire_time
from marketdata.domain.plan import Credentials, FeedInstrument, FeedSetup
from marketdata.domain.ports import Feed, FeedAwayError
from marketdata.domain.values import Grid, Quote, Tick, Trade
from marketdata.feeds import feed_factory
from tests.live_portal import ROOT, Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PATIENCE_SECONDS = 90
STOCK, PAIR = "AAPL", "BTC/USD"
Exact = tuple[Any, ...]  # Any: times, numbers and levels of one message


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-feeds")
    return live_portal.create_key("alice-feeds", scopes="read")


def setup(portal: LivePortal, key: Key, adapter: str) -> FeedSetup:
    symbols = [PAIR] if adapter == "ccxt" else [STOCK, PAIR]
    options = {"base_url": portal.url} | ({"exchange": "alpaca"} if adapter == "ccxt" else {})
    return FeedSetup(
        "second",
        SystemClock(),
        [
            FeedInstrument(Grid(symbol, Decimal("0.01"), Decimal(1), is_crypto="/" in symbol))
            for symbol in symbols
        ],
        options,
        Credentials(key.key_id, key.secret),
    )


@asynccontextmanager
async def opened(made: FeedSetup, adapter: str) -> AsyncIterator[Feed]:
    feed = feed_factory(adapter)(made)
    try:
        await feed.open()
        yield feed
    finally:
        await feed.close()


async def heard(feed: Feed, is_enough: Callable[[Sequence[Tick]], bool]) -> list[Tick]:
    ticks: list[Tick] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_enough(ticks):
            ticks += [one for one in await feed.receive() if isinstance(one, Quote | Trade)]
    return ticks


def has_trades(count: int, *symbols: str) -> Callable[[Sequence[Tick]], bool]:
    def is_enough(ticks: Sequence[Tick]) -> bool:
        trades = [tick.symbol for tick in ticks if isinstance(tick, Trade)]
        return all(trades.count(symbol) >= count for symbol in symbols)

    return is_enough


def has_trades_of(
    told: Sequence[tuple[str, dict[str, Any]]], count: int, symbol: str
) -> Callable[[Sequence[Tick]], bool]:
    """Trades that were published since we listen: asking gives some of before, too."""

    def is_enough(ticks: Sequence[Tick]) -> bool:
        first = next((data["id"] for name, data in told if name == f"trade:{symbol}"), None)
        trades = [tick for tick in ticks if isinstance(tick, Trade) and tick.symbol == symbol]
        return first is not None and sum(trade.trade_id >= first for trade in trades) >= count

    return is_enough


@contextmanager
def published(portal: LivePortal) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """What the other portal publishes meanwhile: topics and data, in order."""
    prefix = portal.environment["PORTAL_REDIS_PREFIX"]
    messages: list[tuple[str, dict[str, Any]]] = []
    listening = Redis.from_url(portal.redis_url, socket_timeout=None).pubsub()
    topics = [f"{kind}:{name}" for kind in ("quote", "trade", "book") for name in (STOCK, PAIR)]
    listening.subscribe(*(prefix + topic for topic in topics))
    with Redis.from_url(portal.redis_url) as redis:  # a new socket hears the newest book first
        for topic in topics:
            frame = None if topic.startswith("trade:") else redis.get(f"{prefix}latest:{topic}")
            if frame is not None:
                messages.append((topic, json.loads(frame)["data"]))
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            message = listening.get_message(ignore_subscribe_messages=True, timeout=0.2)
            if message is not None:
                frame = json.loads(message["data"])
                messages.append((frame["topic"], frame["data"]))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield messages
    finally:
        time.sleep(0.5)  # what was published last is on its way
        ended.set()
        thread.join()
        listening.close()


def levels(told: Sequence[Sequence[str]]) -> Exact:
    return tuple((Decimal(price), Decimal(size)) for price, size in told)


def exact_quote(topic: str, data: dict[str, Any], clock: Callable[[str], str]) -> Exact:
    if topic.startswith("book:"):
        return clock(data["t"]), levels(data["bids"]), levels(data["asks"])
    bid, ask = (data["bid"], data["bid_size"]), (data["ask"], data["ask_size"])
    return clock(data["t"]), levels([bid]), levels([ask])


def quote_of(tick: Quote) -> Exact:
    bids = tuple((level.price, level.size) for level in tick.bids)
    asks = tuple((level.price, level.size) for level in tick.asks)
    return wire_time(tick.t_ns), bids, asks


def trade_of(tick: Trade) -> Exact:
    side = None if tick.side is None else tick.side.value
    return tick.trade_id, tick.price, tick.size, side, wire_time(tick.t_ns)


def to_microsecond(text: str) -> str:
    return text


def to_millisecond(text: str) -> str:
    """ccxt cuts times to milliseconds."""
    return text[:23] + "000Z"


def check(
    ticks: Sequence[Tick],
    told: Sequence[tuple[str, dict[str, Any]]],
    symbol: str,
    clock: Callable[[str], str] = to_microsecond,
) -> None:
    """Every quote was published so, and of the trades none is missing, doubled or changed."""
    topic = f"book:{symbol}" if "/" in symbol else f"quote:{symbol}"
    quotes = [quote_of(tick) for tick in ticks if isinstance(tick, Quote) and tick.symbol == symbol]
    trades = [trade_of(tick) for tick in ticks if isinstance(tick, Trade) and tick.symbol == symbol]
    there = {exact_quote(name, data, clock) for name, data in told if name == topic}
    assert quotes
    assert [quote for quote in quotes if quote not in there] == []
    has_sides = "/" in symbol  # the dialect tells the taker's side of crypto only
    traded = [
        (
            data["id"],
            Decimal(data["price"]),
            Decimal(data["size"]),
            data["side"] if has_sides else None,
            clock(data["t"]),
        )
        for name, data in told
        if name == f"trade:{symbol}"
    ]
    # Asking gives trades of two seconds before the opening, when nobody listened here yet.
    first, last = max(trades[0][0], traded[0][0]), trades[-1][0]
    assert last > first
    assert [trade for trade in trades if trade[0] >= first] == [
        trade for trade in traded if first <= trade[0] <= last
    ]


def test_alpaca_adapter_tells_what_the_other_portal_published(
    live_portal: LivePortal, key: Key
) -> None:
    async def follow() -> list[Tick]:
        async with opened(setup(live_portal, key, "alpaca"), "alpaca") as feed:
            return await heard(feed, has_trades(5, STOCK, PAIR))

    with published(live_portal) as told:
        ticks = asyncio.run(follow())

    check(ticks, told, STOCK)
    check(ticks, told, PAIR)
    assert len({len(tick.bids) for tick in ticks if isinstance(tick, Quote)}) == 2  # 1 and 10


def test_ccxt_adapter_tells_what_the_other_portal_published(
    live_portal: LivePortal, key: Key
) -> None:
    async def follow(told: Sequence[tuple[str, dict[str, Any]]]) -> list[Tick]:
        async with opened(setup(live_portal, key, "ccxt"), "ccxt") as feed:
            return await heard(feed, has_trades_of(told, 5, PAIR))

    with published(live_portal) as told:
        ticks = asyncio.run(follow(told))

    check(ticks, told, PAIR, to_millisecond)


def test_an_exchange_without_sockets_is_asked(
    live_portal: LivePortal, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketdata.feeds.ccxt_exchange import client

    made = client.made_exchange

    def without_sockets(options: Any, told: FeedSetup) -> Any:
        exchange = made(options, told)
        exchange.has |= {"watchTrades": False, "watchOrderBook": False}
        return exchange

    monkeypatch.setattr(client, "made_exchange", without_sockets)

    async def follow(told: Sequence[tuple[str, dict[str, Any]]]) -> list[Tick]:
        async with opened(setup(live_portal, key, "ccxt"), "ccxt") as feed:
            return await heard(feed, has_trades_of(told, 3, PAIR))

    with published(live_portal) as told:
        ticks = asyncio.run(follow(told))

    check(ticks, told, PAIR, to_millisecond)


def test_a_wrong_key_is_told_as_such(live_portal: LivePortal, key: Key) -> None:
    wrong = Key(key.key_id, "x" * 43)

    async def why(adapter: str) -> str:
        feed = feed_factory(adapter)(setup(live_portal, wrong, adapter))
        try:
            await feed.open()
            while True:
                await feed.receive()
        except FeedAwayError as error:
            return str(error)
        finally:
            await feed.close()

    for adapter in ("alpaca", "ccxt"):
        assert "refuses our key" in asyncio.run(why(adapter))


@pytest.mark.parametrize("adapter", ["alpaca", "ccxt"])
def test_the_loss_of_the_other_portal_is_seen_and_nothing_old_is_told_as_new(
    live_portal: LivePortal, key: Key, adapter: str
) -> None:
    async def story() -> tuple[list[Tick], list[Tick], int]:
        async with opened(setup(live_portal, key, adapter), adapter) as feed:
            before = await heard(feed, has_trades(3, PAIR))
            killed = live_portal.kill("gateway")
            with pytest.raises(FeedAwayError):
                await heard(feed, lambda ticks: False)
            await asyncio.to_thread(live_portal.wait_until_restarted, "gateway", killed)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    since_ns = SystemClock().now_ns()
                    try:
                        await feed.open()
                    except FeedAwayError:
                        await asyncio.sleep(0.5)
                    else:
                        break
            return before, await heard(feed, has_trades(3, PAIR)), since_ns

    before, after, since_ns = asyncio.run(story())

    told = {(tick.symbol, tick.trade_id) for tick in before if isinstance(tick, Trade)}
    trades = [tick for tick in after if isinstance(tick, Trade)]
    assert told.isdisjoint((trade.symbol, trade.trade_id) for trade in trades)
    newest = max(tick.t_ns for tick in before)
    assert all(tick.t_ns > newest for tick in after)
    assert all(trade.t_ns >= since_ns - 2_000_000_000 for trade in trades)


# --- the command ---


def manage(
    portal: LivePortal, *arguments: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "portal"), "manage", *arguments],
        cwd=ROOT,
        env=os.environ | {"PORTAL_DATA_DIR": str(portal.data_dir)},
        input=typed,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_a_feed_is_configured_and_tried_by_command_and_its_key_is_nowhere_in_the_open(
    live_portal: LivePortal, key: Key
) -> None:
    added = manage(
        live_portal, "feed", "add", "second", "--adapter", "alpaca",
        "--option", f"base_url={live_portal.url}", "--key-stdin",
        typed=f"{key.key_id}\n{key.secret}\n",
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    live_portal.manage("feed", "route", "second", STOCK, "--rank", "7")

    tried = manage(live_portal, "feed", "test", "second", "--seconds", "5", "--json")

    assert tried.returncode == 0, tried.stderr
    document = json.loads(tried.stdout.splitlines()[-1])
    assert document["error"] == ""
    assert document["heard"][STOCK]["quotes"] > 0
    listed = live_portal.manage("feed", "list", "--json")
    second = next(row for row in json.loads(listed) if row["name"] == "second")
    assert (second["has_key"], second["routes"]) == (
        True,
        [{"symbol": STOCK, "rank": 7, "as": ""}],
    )
    with psycopg.connect(live_portal.database_url) as connection:
        row = connection.execute(
            "SELECT credentials FROM marketdata_feed WHERE name = 'second'"
        ).fetchone()
        entries = connection.execute("SELECT action, facts::text FROM core_auditentry").fetchall()
    assert row is not None
    for secret in (key.key_id, key.secret):
        assert secret.encode() not in row[0]
        assert secret not in listed + added.stdout + added.stderr + tried.stdout + tried.stderr
        assert not any(secret in facts for action, facts in entries if action.startswith("Feed"))
    assert {"FeedAdded", "FeedKeySet", "FeedRouteSet"} <= {action for action, _ in entries}

    live_portal.manage("feed", "remove", "second")

    assert "is away: no key is set" not in live_portal.manage("feed", "list")
