"""The feed process: what it publishes, what it keeps, and that nobody's absence stops it."""

import asyncio
from datetime import datetime
from decimal import Decimal

import msgspec
import pytest

from core.domain.clock import to_ns
from marketdata.domain.bars import MINUTE_NS, Bar
from marketdata.domain.keeping import ResumedBars
from marketdata.feeds import process as process_module
from tests.marketdata.feeding import PREFIX, FeedRun, quote, trade, with_feed
from tests.marketdata.sockets import until
from tests.marketdata.valkey import ValkeyServer


def test_quote_is_published_kept_and_given_to_the_engine(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        pubsub = run.redis.pubsub()
        await pubsub.subscribe(f"{PREFIX}quote:AAPL")
        await pubsub.get_message(timeout=60)
        run.feed.put(quote("AAPL", "100.00", to_ns(now)))
        await until(lambda: bool(run.sink.told))

        message = await pubsub.get_message(timeout=60)
        frame = msgspec.json.decode(message["data"])
        assert message["data"] == await run.redis.get(f"{PREFIX}latest:quote:AAPL")
        assert (frame["op"], frame["topic"], frame["seq"]) == ("event", "quote:AAPL", 1)
        assert frame["data"] == {
            "bid": "100",
            "bid_size": "10",
            "ask": "100.02",
            "ask_size": "20",
            "t": "2026-03-02T15:30:00.000000Z",
            "feed": "hand",
        }
        assert run.sink.told == [("quote", "AAPL", 1, Decimal("100.00"), Decimal("100.02"))]
        await pubsub.aclose()

    with_feed(valkey.url, now, scenario)


def test_trade_is_published_kept_among_the_recent_and_drawn(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        for number in range(60):
            run.feed.put(trade("AAPL", f"100.{number:02}", to_ns(now)))
        await until(lambda: len(run.sink.told) == 60)
        await asyncio.sleep(0.1)

        recent = await run.redis.lrange(f"{PREFIX}recent:trade:AAPL", 0, -1)
        newest = msgspec.json.decode(recent[0])
        assert len(recent) == 50
        assert (newest["seq"], newest["data"]["price"], newest["data"]["side"]) == (
            60,
            "100.59",
            "SELL",
        )
        bar = await run.latest("bar:AAPL:1Min")
        assert bar is not None
        assert bar["data"] == {
            "t": "2026-03-02T15:30:00.000000Z",
            "o": "100",
            "h": "100.59",
            "l": "100",
            "c": "100.59",
            "v": "60",
            "n": 60,
            "vw": "100.295",
            "closed": False,
            "feed": "hand",
        }

    with_feed(valkey.url, now, scenario)


def test_minute_is_closed_by_the_clock_and_stored_with_its_day(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(trade("AAPL", "100", to_ns(now)))
        await until(lambda: bool(run.sink.told))
        assert run.rows == []

        run.clock.advance(60)
        await until(lambda: len(run.rows) == 2)
        await asyncio.sleep(0.1)

        bar = await run.latest("bar:AAPL:1Min")
        assert bar is not None
        assert bar["data"]["closed"] is True
        assert [(row.timeframe, row.bar.close) for row in run.rows] == [
            ("1Min", Decimal(100)),
            ("1Day", Decimal(100)),
        ]

    with_feed(valkey.url, now, scenario)


def test_stopping_stores_the_open_minute(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(trade("AAPL", "100", to_ns(now)))
        await until(lambda: bool(run.sink.told))

    run = with_feed(valkey.url, now, scenario)

    assert [(row.timeframe, row.bar.is_closed) for row in run.rows] == [
        ("1Min", False),
        ("1Day", False),
    ]


def test_restart_in_the_same_minute_goes_on_with_its_bar(
    valkey: ValkeyServer, now: datetime
) -> None:
    price = Decimal(90)
    left = Bar(
        "AAPL", to_ns(now), price, price, price, price, Decimal(5), 1, price, is_closed=False
    )

    async def scenario(run: FeedRun) -> None:
        run.clock.advance(30)
        run.feed.put(trade("AAPL", "100", to_ns(now) + MINUTE_NS // 2))
        await until(lambda: bool(run.sink.told))

    run = with_feed(valkey.url, now, scenario, {"AAPL": ResumedBars(minute=left)})

    minute = run.rows[0].bar
    assert (minute.open, minute.high, minute.volume, minute.trade_count) == (90, 100, 6, 2)


def test_each_start_has_an_epoch_of_its_own(valkey: ValkeyServer, now: datetime) -> None:
    epochs = []

    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", to_ns(now)))
        await until(lambda: bool(run.sink.told))
        await asyncio.sleep(0.1)
        frame = await run.latest("quote:AAPL")
        assert frame is not None
        assert frame["seq"] == 1
        epochs.append(frame["epoch"])

    with_feed(valkey.url, now, scenario)
    with_feed(valkey.url, now, scenario)

    assert len(set(epochs)) == 2


def test_halted_instrument_gets_neither_quotes_nor_trades(
    valkey: ValkeyServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "HALT_CHECK_SECONDS", 0.02)

    async def scenario(run: FeedRun) -> None:
        run.halted = frozenset({"AAPL"})
        await asyncio.sleep(0.1)
        run.feed.put(quote("AAPL", "100", to_ns(now)), trade("AAPL", "100", to_ns(now)))
        run.feed.put(quote("IBM", "200", to_ns(now)))
        await until(lambda: bool(run.sink.told))

        assert [told[:2] for told in run.sink.told] == [("quote", "IBM")]
        assert await run.latest("quote:AAPL") is None

        run.halted = frozenset()
        await asyncio.sleep(0.1)
        run.feed.put(quote("AAPL", "101", to_ns(now)))
        await until(lambda: len(run.sink.told) == 2)

    assert with_feed(valkey.url, now, scenario).rows == []


def test_absent_engine_stops_nothing_and_gets_only_news_when_it_is_back(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        run.sink.is_away = True
        run.feed.put(quote("AAPL", "100", to_ns(now)), trade("AAPL", "100", to_ns(now)))
        await asyncio.sleep(0.5)
        assert await run.latest("quote:AAPL") is not None

        run.sink.is_away = False
        await asyncio.sleep(0.6)
        run.feed.put(quote("AAPL", "101", to_ns(now)))
        await until(lambda: bool(run.sink.told))

        # The trade of before would have filled orders at a price that is gone.
        assert run.sink.told == [("quote", "AAPL", 2, Decimal(101), Decimal("101.02"))]
        assert run.sink.connections == 1

    with_feed(valkey.url, now, scenario)


def test_absent_redis_stops_nothing_and_is_caught_up(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        valkey.kill()
        run.feed.put(quote("AAPL", "100", to_ns(now)), quote("AAPL", "101", to_ns(now)))
        run.feed.put(trade("AAPL", "100", to_ns(now)), trade("AAPL", "101", to_ns(now)))
        await until(lambda: len(run.sink.told) >= 3)
        valkey.start()

        async with asyncio.timeout(60):
            while await run.latest("trade:AAPL") is None:
                await asyncio.sleep(0.05)
        frame = await run.latest("quote:AAPL")
        assert frame is not None
        assert (frame["seq"], frame["data"]["bid"]) == (2, "101")
        recent = await run.redis.lrange(f"{PREFIX}recent:trade:AAPL", 0, -1)
        assert [msgspec.json.decode(item)["seq"] for item in recent] == [2, 1]

    with_feed(valkey.url, now, scenario)


def test_feed_says_each_second_that_it_is_alive(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        await asyncio.sleep(0.2)
        first = await run.redis.get(f"{PREFIX}feed:alive")
        run.clock.advance(1)
        await asyncio.sleep(0.2)
        second = await run.redis.get(f"{PREFIX}feed:alive")

        assert int(first) == to_ns(now) // 1_000_000
        assert int(second) - int(first) == 1_000

    with_feed(valkey.url, now, scenario)
