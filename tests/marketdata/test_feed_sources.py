"""Several sources of one process: lost, silent, opened again, followed in their order; what is
refused; what operators are told.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any

import msgspec
import pytest

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from marketdata.domain.backoff import LONGEST_BOUND_SECONDS, bound_seconds, pause_seconds
from marketdata.domain.feed_states import FeedState
from marketdata.domain.ports import Gap
from marketdata.domain.provider_chain import Change
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import Aggressor, Quote, Trade
from marketdata.feeds import runner as runner_module
from marketdata.feeds.items import STALE_NS
from orders.domain.matching.street import STREET_TTL_NS
from tests.marketdata.feeding import PREFIX, FeedRun, quote, trade, with_feed
from tests.marketdata.sockets import until
from tests.marketdata.valkey import ValkeyServer

TWO = ("first", "second")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "pause_seconds", lambda failures, random: 0.01)


async def status_of(run: FeedRun, feed: str) -> dict[str, Any]:
    """What the process says of a feed once it has seen a new second."""
    run.clock.advance(1)
    second = run.clock.now().strftime("%H:%M:%S")
    async with asyncio.timeout(30):
        while True:
            text = await run.redis.get(f"{PREFIX}feed:status:{feed}")
            status: dict[str, Any] = {} if text is None else msgspec.json.decode(text)
            if second in str(status.get("told_at")):
                return status
            await asyncio.sleep(0.02)


def at(run: FeedRun) -> int:
    return run.clock.now_ns()


async def drain(run: FeedRun) -> None:
    """Wait until everything put has been taken."""
    before = -1
    while before != sum(source.status.messages for source in run.sources):
        before = sum(source.status.messages for source in run.sources)
        await asyncio.sleep(0.05)


def test_wait_doubles_up_to_a_bound_and_is_drawn_from_all_of_it() -> None:
    bounds = [bound_seconds(attempt) for attempt in range(9)]
    drawn = [pause_seconds(3, Random(number)) for number in range(200)]

    assert bounds == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert LONGEST_BOUND_SECONDS == 30.0
    assert 0.0 <= min(drawn) < 0.5
    assert 3.5 < max(drawn) <= 4.0


def test_lost_source_is_opened_again_and_goes_on(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", at(run)))
        await until(lambda: len(run.sink.told) == 1)

        run.feed.is_away = True
        await until(lambda: run.feed.closed > 0)
        status = await status_of(run, "hand")
        assert (status["state"], status["error"]) in {
            ("AWAY", "the source hung up"),
            ("AWAY", "nobody answers"),
            ("CONNECTING", "nobody answers"),
        }

        run.feed.is_away = False
        await until(lambda: run.feed.opened == 2)
        run.feed.put(quote("AAPL", "101", at(run)))
        await until(lambda: len(run.sink.told) == 2)
        status = await status_of(run, "hand")
        assert (status["state"], status["error"], status["reconnects"]) == ("LIVE", "", 1)

    with_feed(valkey.url, now, scenario)


def test_silence_beyond_the_limit_counts_as_away(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", at(run)))
        await until(lambda: len(run.sink.told) == 1)

        run.clock.advance(29)
        await until(lambda: run.sources[0].status.state is FeedState.SILENT)
        assert (await status_of(run, "hand"))["state"] == "SILENT"
        assert run.feed.opened == 1

        run.clock.advance(2)
        await until(lambda: run.feed.opened == 2)

    with_feed(valkey.url, now, scenario)


def test_mistake_of_ours_ends_the_process(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put("no tick")  # type: ignore[arg-type]
        await asyncio.sleep(0.3)

    with pytest.raises(AttributeError):
        with_feed(valkey.url, now, scenario)


def test_next_source_takes_over_and_the_better_one_comes_back(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        first, second = run.feeds
        first.put(quote("AAPL", "100", at(run)))
        await until(lambda: len(run.sink.told) == 1)
        second.put(quote("AAPL", "200", at(run)))
        await drain(run)
        assert len(run.sink.told) == 1

        first.is_away = True
        await until(lambda: run.sources[0].status.error != "")
        run.clock.advance(11)
        second.put(quote("AAPL", "201", at(run)))
        await until(lambda: len(run.sink.told) == 2)
        frame = await run.latest("quote:AAPL")
        assert frame is not None
        assert (frame["data"]["bid"], frame["data"]["feed"]) == ("201", "second")

        first.is_away = False
        await until(lambda: first.opened == 2)
        for step in range(12):
            run.clock.advance(1)
            second.put(quote("AAPL", str(202 + step), at(run)))
            await drain(run)
            first.put(quote("AAPL", str(102 + step), at(run)))
            await drain(run)
        prices = [told[3] for told in run.sink.told]
        # Ten seconds of the better one go by unheard; no price of one stands between the other's.
        assert prices == [100, 201, *range(202, 213), 112, 113]
        followed = await run.redis.get(f"{PREFIX}feed:followed")
        assert msgspec.json.decode(followed)["followed"]["AAPL"] == "first"

    with_feed(valkey.url, now, scenario, feeds=TWO)


def test_changes_are_told_to_operators(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feeds[0].put(quote("AAPL", "100", at(run)))
        await drain(run)
        run.clock.advance(11)
        run.feeds[1].put(quote("AAPL", "100", at(run)))
        await drain(run)
        status = await status_of(run, "second")

        assert status["following"] == ["AAPL"]
        followed = msgspec.json.decode(await run.redis.get(f"{PREFIX}feed:followed"))
        assert [(c["symbol"], c["before"], c["now"]) for c in followed["changes"]] == [
            ("AAPL", "", "first"),
            ("AAPL", "first", "second"),
        ]
        assert Change._fields == ("symbol", "before", "now", "at_ns")

    with_feed(valkey.url, now, scenario, feeds=TWO)


def test_what_a_rule_refuses_is_counted_and_reaches_nobody(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        good, spike = quote("AAPL", "100", at(run)), trade("AAPL", "10000", at(run))
        crossed = replace(good, bids=good.asks, asks=good.bids, t_ns=at(run) + 1)
        future = quote("AAPL", "100", at(run) + 6 * SECOND)
        run.feed.put(good, spike, crossed, future, good, Gap(3, "AAPL"))
        await drain(run)
        status = await status_of(run, "hand")

        assert [told[:2] for told in run.sink.told] == [("quote", "AAPL")]
        assert await run.latest("trade:AAPL") is None
        assert status["gaps"] == 3
        assert status["refused"] == {"SPIKE": 1, "CROSSED": 1, "FUTURE": 1, "DUPLICATE": 1}
        assert status["rules"] == {
            "SPIKE": 1,
            "CROSSED": 1,
            "FUTURE": 1,
            "DUPLICATE": 1,
            "GAP": 3,
        }
        assert [item.told for item in run.stored] == [replace(good, feed="hand")]

    with_feed(valkey.url, now, scenario)


def test_quote_that_is_old_when_it_comes_is_stale_and_never_reaches_the_engine(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", at(run) - 6 * SECOND))
        run.feed.put(quote("IBM", "200", at(run) - 5 * SECOND))
        await drain(run)
        await until(lambda: len(run.sink.told) == 1)
        await asyncio.sleep(0.1)

        assert run.sink.told[0][:2] == ("quote", "IBM")
        apple, ibm = await run.latest("quote:AAPL"), await run.latest("quote:IBM")
        assert apple is not None
        assert ibm is not None
        assert apple["data"]["stale"] is True
        assert "stale" not in ibm["data"]

    with_feed(valkey.url, now, scenario)


def test_silence_makes_the_last_quote_stale_until_the_next(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", at(run)))
        await until(lambda: len(run.sink.told) == 1)
        run.clock.advance(6)
        await status_of(run, "hand")
        await asyncio.sleep(0.1)
        stale = await run.latest("quote:AAPL")
        assert stale is not None
        assert (stale["seq"], stale["data"]["bid"], stale["data"]["stale"]) == (2, "100", True)

        run.feed.put(quote("AAPL", "101", at(run)))
        await until(lambda: len(run.sink.told) == 2)
        await asyncio.sleep(0.1)
        fresh = await run.latest("quote:AAPL")
        assert fresh is not None
        assert (fresh["seq"], fresh["data"]["bid"], "stale" in fresh["data"]) == (3, "101", False)

    with_feed(valkey.url, now, scenario)


def test_late_trade_is_told_with_its_flag_and_is_not_the_newest_price(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(trade("AAPL", "100", at(run)))
        await until(lambda: len(run.sink.told) == 1)
        run.clock.advance(60)
        run.feed.put(trade("AAPL", "101", at(run)))
        run.feed.put(trade("AAPL", "99", at(run) - 31 * SECOND))
        await drain(run)
        await asyncio.sleep(0.1)

        newest = await run.latest("trade:AAPL")
        recent = await run.redis.lrange(f"{PREFIX}recent:trade:AAPL", 0, -1)
        assert newest is not None
        assert newest["data"]["price"] == "101"
        assert msgspec.json.decode(recent[0])["data"]["flags"] == TradeFlag.LATE
        assert [told[2] for told in run.sink.told] == [100, 101]
        assert [item.told.flags for item in run.stored if isinstance(item.told, Trade)] == [
            0,
            0,
            TradeFlag.LATE,
        ]

    with_feed(valkey.url, now, scenario)


def test_print_that_moves_no_price_elects_nothing_in_the_engine(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        odd = replace(trade("AAPL", "100", at(run)), flags=int(TradeFlag.NO_PRICE))
        run.feed.put(odd, trade("AAPL", "101", at(run)))
        await until(lambda: len(run.sink.told) == 1)
        await asyncio.sleep(0.1)

        assert run.sink.told[0][2] == 101
        newest = await run.latest("trade:AAPL")
        assert newest is not None
        assert newest["data"]["price"] == "101"

    with_feed(valkey.url, now, scenario)


def test_engine_is_told_the_aggressor_that_the_quote_shows_and_nobody_else_is(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        unknown = [
            replace(trade("AAPL", price, at(run) + number), side=None)
            for number, price in enumerate(("100.02", "100", "100.01", "100.01", "99.99"))
        ]
        run.feed.put(quote("AAPL", "100", at(run)), *unknown)
        await until(lambda: len(run.sink.told) == 6)
        await asyncio.sleep(0.1)

        sides = [told[4] for told in run.sink.told if told[0] == "trade"]
        assert sides == ["BUY", "SELL", "BUY", "BUY", "SELL"]
        newest = await run.latest("trade:AAPL")
        assert newest is not None
        assert newest["data"]["side"] is None
        stored = [item.told.side for item in run.stored if isinstance(item.told, Trade)]
        assert stored == [None] * 5

    with_feed(valkey.url, now, scenario)


def test_trade_whose_aggressor_nothing_tells_is_kept_from_the_engine(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(replace(trade("AAPL", "100", at(run)), side=None))
        run.feed.put(replace(trade("AAPL", "101", at(run)), side=None))
        await until(lambda: len(run.sink.told) == 1)

        # The second went up.
        assert run.sink.told == [("trade", "AAPL", 101, 1, Aggressor.BUY.value)]

    with_feed(valkey.url, now, scenario)


def test_amended_minute_is_published_and_stored_again(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(trade("AAPL", "99", at(run)))
        await drain(run)
        run.clock.advance(50)
        run.feed.put(trade("AAPL", "100", at(run)))
        await drain(run)
        run.clock.advance(10)
        run.feed.put(trade("AAPL", "101", at(run)))
        await drain(run)
        pubsub = run.redis.pubsub()
        await pubsub.subscribe(f"{PREFIX}bar:AAPL:1Min")
        await pubsub.get_message(timeout=60)

        run.feed.put(trade("AAPL", "105", at(run) - 1, "3"))
        message = await pubsub.get_message(timeout=60)
        assert message is not None
        data = msgspec.json.decode(message["data"])["data"]
        assert (data["h"], data["v"], data["closed"], data["amended"]) == ("105", "5", True, True)
        await until(lambda: run.rows[-1].bar.is_amended or run.rows[-2].bar.is_amended)
        await pubsub.aclose()

    with_feed(valkey.url, now, scenario)


def test_seconds_and_days_are_published_beside_minutes(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(trade("AAPL", "100", at(run)))
        await drain(run)
        await status_of(run, "hand")
        await asyncio.sleep(0.1)

        second, day = await run.latest("bar:AAPL:1Sec"), await run.latest("bar:AAPL:1Day")
        assert second is not None
        assert day is not None
        assert (second["data"]["closed"], second["data"]["feed"]) == (True, "hand")
        assert (day["data"]["t"], day["data"]["closed"]) == ("2026-03-02T00:00:00.000000Z", False)
        assert [type(item.told).__name__ for item in run.stored] == ["Trade", "Bar"]

    with_feed(valkey.url, now, scenario)


def test_every_price_names_its_feed_and_its_row(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", at(run)), trade("AAPL", "100", at(run)))
        await drain(run)
        run.clock.advance(60)
        run.feed.put(trade("AAPL", "100", at(run)))
        await until(lambda: len(run.sink.told) == 3)
        await asyncio.sleep(0.1)

        for topic in ("quote:AAPL", "trade:AAPL", "bar:AAPL:1Min"):
            frame = await run.latest(topic)
            assert frame is not None
            assert frame["data"]["feed"] == "hand"
        assert {item.feed_id for item in run.stored} == {1}
        assert {row.feed for row in run.rows} == {"hand"}
        assert isinstance(run.stored[0].told, Quote)

    with_feed(valkey.url, now, scenario)


def test_prices_are_stale_when_the_engines_street_ends() -> None:
    assert STALE_NS == STREET_TTL_NS
