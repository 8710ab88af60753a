"""A feed among wrong clocks, broken sources and a Redis that forgets: nothing old looks new,
nothing closed is lost, and one source never ends the process.
"""

import asyncio
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from redis import Redis

from core.domain.clock import NANOSECONDS_PER_SECOND as SECOND
from core.domain.clock import FixedClock, to_ns
from marketdata.consumers.forms import DialectForm, JsonCodec
from marketdata.domain.bars import MINUTE_NS, Bar
from marketdata.domain.dialect import TradeWire
from marketdata.domain.feed_states import AHEAD_MS, age_ms
from marketdata.domain.frames import event_frame
from marketdata.domain.joining import joined
from marketdata.domain.keeping import BarKeeper, ResumedBars
from marketdata.domain.live_requests import Wish
from marketdata.domain.plan import FeedInstrument, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.provider_chain import ProviderChain, Route
from marketdata.domain.tick_checks import Rule, TickChecks
from marketdata.domain.values import Aggressor, Grid, Level, Quote, Trade
from marketdata.feeds import runner as runner_module
from marketdata.feeds.publisher import LiveBar, Publication
from marketdata.feeds.replay.feed import ReplayFeed
from marketdata.feeds.store import save_what_can_be
from marketdata.hub import Hub, Listener
from tests.marketdata.feeding import PREFIX, FeedRun, quote, trade, with_feed
from tests.marketdata.sockets import FakeSocket, Publisher, attached, until, with_hub
from tests.marketdata.valkey import ValkeyServer

BAR = "bar:AAPL:1Min"
START = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


def leave_quote(valkey: ValkeyServer, symbol: str, t: str) -> None:
    data = {"bid": "99", "bid_size": "1", "ask": "101", "ask_size": "2", "t": t, "feed": "old"}
    frame = event_frame(f"quote:{symbol}", epoch="earlier", seq=900, data=data)
    with Redis.from_url(valkey.url) as redis:
        redis.set(f"{PREFIX}latest:quote:{symbol}", frame)


async def until_stale(run: FeedRun, symbol: str) -> dict[str, object]:
    async with asyncio.timeout(60):
        while True:
            frame = await run.latest(f"quote:{symbol}")
            if frame is not None and frame["data"].get("stale"):
                return frame
            await asyncio.sleep(0.02)


def test_quotes_that_an_earlier_process_left_are_said_to_be_stale(
    valkey: ValkeyServer, now: datetime
) -> None:
    # NOBODY is no instrument of the process any more.
    for symbol in ("AAPL", "NOBODY"):
        leave_quote(valkey, symbol, "2026-03-02T15:29:58.000000Z")

    async def scenario(run: FeedRun) -> None:
        await until(lambda: "NOBODY" in run.process._staleness.quotes)
        frame = await run.latest("quote:AAPL")
        assert frame is not None
        assert frame["epoch"] == "earlier"  # two seconds old: it may hold

        run.clock.advance(4)
        for symbol in ("AAPL", "NOBODY"):
            frame = await until_stale(run, symbol)
            assert frame["epoch"] != "earlier"
            assert frame["data"] == {
                "bid": "99",
                "bid_size": "1",
                "ask": "101",
                "ask_size": "2",
                "t": "2026-03-02T15:29:58.000000Z",
                "feed": "old",
                "stale": True,
            }
        assert run.sink.told == []

    with_feed(valkey.url, now, scenario)


def test_end_of_the_process_leaves_no_quote_that_looks_fresh(
    valkey: ValkeyServer, now: datetime
) -> None:
    async def first(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", to_ns(now)))
        await until(lambda: bool(run.sink.told))

    async def second(run: FeedRun) -> None:
        frame = await run.latest("quote:AAPL")
        assert frame is not None
        assert frame["data"]["stale"] is True

    with_feed(valkey.url, now, first)
    with_feed(valkey.url, now, second)


def test_a_stale_mark_that_redis_lost_is_said_again(valkey: ValkeyServer, now: datetime) -> None:
    async def scenario(run: FeedRun) -> None:
        run.feed.put(quote("AAPL", "100", to_ns(now)))
        await until(lambda: bool(run.sink.told))
        run.clock.advance(6)
        await until_stale(run, "AAPL")
        leave_quote(valkey, "AAPL", "2026-03-02T15:30:00.000000Z")

        run.clock.advance(11)
        await until_stale(run, "AAPL")

    with_feed(valkey.url, now, scenario)


def test_no_newer_bar_overtakes_or_replaces_a_closed_one(
    valkey: ValkeyServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Publication] = []

    async def scenario(run: FeedRun) -> None:
        live = run.process._outlets.live
        monkeypatch.setattr(live, "_is_up", True)
        source = run.sources[0]
        waiting = live._queue
        at_ns = to_ns(now)
        for seconds in (10, 50, 70, 80):
            run.clock._now_ns = at_ns + seconds * SECOND
            await run.process.take(source, [trade("AAPL", "100", run.clock.now_ns())])
        await run.process.take(source, [trade("AAPL", "99", at_ns + 55 * SECOND)])  # amends
        await run.process.take(source, [trade("AAPL", "101", at_ns + 81 * SECOND)])
        while waiting:
            told.append(waiting.pop())
        run.feed.put()

    async def run_by_hand() -> None:
        run = FeedRun(valkey.url, now, None, ("hand",))
        try:
            await scenario(run)
        finally:
            await run.close()

    asyncio.run(run_by_hand())
    bars = [item for item in told if item.topic == BAR]
    shown = [
        (item.message.bar.start_ns - to_ns(now), item.message.bar.is_closed)
        for item in bars
        if isinstance(item.message, LiveBar)
    ]

    assert [item.seq for item in bars] == sorted(item.seq for item in bars)
    assert [bar for bar in shown if bar[1]] == [(0, True), (0, True)]
    assert shown[-1] == (MINUTE_NS, False)
    assert len(shown) <= 5  # open bars in one place still replace one another


def bar_data(minute: int, *, closed: bool) -> dict[str, object]:
    t = f"2026-03-02T15:{minute}:00Z"
    prices = dict.fromkeys("ohlcv", "1")
    return {"t": t, **prices, "n": 1, "vw": None, "closed": closed, "feed": "hand"}


async def publish_bars(publisher: Publisher) -> None:
    """Open, open, closed; then twenty times the next minute."""
    for seq in (1, 2):
        await publisher.state(BAR, seq, bar_data(30, closed=False))
    await publisher.state(BAR, 3, bar_data(30, closed=True))
    for seq in range(4, 24):
        await publisher.state(BAR, seq, bar_data(31, closed=False))


@pytest.mark.parametrize("pace", [0, 500])
def test_slow_and_paced_readers_get_every_closed_bar_in_order(
    valkey: ValkeyServer, pace: int
) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = attached(hub)
        hub.subscribe(socket.listener, BAR, Wish(every_ms=pace))
        await until(lambda: bool(socket.of(BAR)))
        socket.stop_reading()
        await publish_bars(publisher)
        await asyncio.sleep(0.2)
        socket.read_on()
        await until(lambda: socket.told(BAR)[-1] == ("event", 23))

        seqs = [seq for _, seq in socket.told(BAR)]
        assert seqs == sorted(set(seqs))
        assert 3 in seqs
        assert len(seqs) < 23

    with_hub(valkey.url, scenario)


def test_a_program_that_reads_slowly_misses_no_minute(valkey: ValkeyServer) -> None:
    async def scenario(hub: Hub, publisher: Publisher) -> None:
        socket = FakeSocket()
        socket.listener = Listener(socket.send, DialectForm(JsonCodec()), lambda: None)
        hub.attach(socket.listener)
        hub.subscribe(socket.listener, BAR)
        await asyncio.sleep(0.3)
        socket.stop_reading()
        await publish_bars(publisher)
        await publisher.state(BAR, 24, bar_data(31, closed=True))
        await publisher.state(BAR, 25, bar_data(32, closed=False))
        await asyncio.sleep(0.2)
        socket.read_on()
        await until(lambda: len(socket.frames) == 2)

        minutes = [msgspec.json.decode(frame)[0]["t"] for frame in socket.frames]
        assert minutes == ["2026-03-02T15:30:00Z", "2026-03-02T15:31:00Z"]

    with_hub(valkey.url, scenario)


def test_numbers_and_times_that_cannot_be_stored_are_refused() -> None:
    checks, now_ns = TickChecks(), to_ns(START)

    def passes(price: str, size: str = "1", t_ns: int = now_ns) -> bool:
        tick = Trade("AAPL", 1, Decimal(price), Decimal(size), Aggressor.BUY, t_ns)
        return bool(TickChecks.check(checks, tick, now_ns))

    refused = [passes("1e20"), passes("NaN"), passes("Infinity"), passes("1", "1e30")]
    old = [passes("1", t_ns=-(10**30)), passes("1", t_ns=now_ns - 367 * 86_400 * SECOND)]
    level = (Level(Decimal("1e25"), Decimal(1)),)
    quoted = checks.check(Quote("AAPL", level, (), now_ns), now_ns)
    price = Decimal("1e25")
    minute = Bar("AAPL", now_ns, price, price, price, price, price, 1, None, is_closed=True)

    assert (refused, old, quoted) == ([False] * 4, [False] * 2, ())
    assert checks.accepts(minute, now_ns) is False
    assert checks.counts == {Rule.NOT_STORABLE: 6, Rule.ANCIENT: 2}
    assert passes("92233720368")


@pytest.mark.parametrize("content", [b"0,1\n\xff\xfe,2\n", b'1,"' + b"9" * 200_000 + b'",1\n'])
def test_a_file_that_is_no_csv_ends_the_replay_with_its_text(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "aig_trade.csv").write_bytes(content)
    options = {
        "folder": str(tmp_path),
        "format": "csv",
        "time": "s",
        "columns": {"trade": {"time": 0, "price": 1, "size": 2}},
    }

    assert "cannot be read" in asyncio.run(text_of_opening(options))


def test_a_zip_that_needs_a_password_ends_the_replay_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "equity" / "usa" / "tick" / "aig"
    path.mkdir(parents=True)
    with zipfile.ZipFile(path / "20131007_trade.zip", "w") as archive:
        archive.writestr("a.csv", "34200000,1,1,P,1,0\n")
    packed = bytearray((path / "20131007_trade.zip").read_bytes())
    packed[6] |= 1  # the flag "encrypted", in the file's head and in the directory
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    (path / "20131007_trade.zip").write_bytes(packed)

    assert "cannot be unpacked" in asyncio.run(text_of_opening({"folder": str(tmp_path)}))


async def text_of_opening(options: dict[str, object]) -> str:
    instrument = FeedInstrument(Grid("AIG", Decimal("0.01"), Decimal(1)))
    feed = ReplayFeed(FeedSetup("replay", FixedClock(START), [instrument], options))
    with pytest.raises(FeedAwayError) as raised:
        await feed.open()
        while True:
            await feed.receive()
    return str(raised.value)


def test_an_adapter_that_stumbles_is_away_and_the_others_go_on(
    valkey: ValkeyServer, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "pause_seconds", lambda failures, random: 0.01)

    async def stumble() -> list[Quote]:
        raise KeyError("price")

    async def scenario(run: FeedRun) -> None:
        first, second = run.feeds
        monkeypatch.setattr(first, "receive", stumble)
        await until(lambda: first.closed > 2)
        run.clock.advance(11)
        second.put(quote("AAPL", "100", run.clock.now_ns()))
        await until(lambda: bool(run.sink.told))

        assert run.sources[0].status.error == "KeyError: 'price'"

    with_feed(valkey.url, now, scenario, feeds=("first", "second"))


def chain() -> ProviderChain:
    return ProviderChain({"AAPL": [Route("first", 10), Route("second", 10)]}, 0)


def test_a_feed_that_is_behind_is_left_like_a_silent_one() -> None:
    asked = chain()
    assert asked.offer("first", "AAPL", 100, 100) is True

    for now_ns in range(101, 112):
        assert asked.offer("first", "AAPL", 101, now_ns) is True
        assert asked.offer("second", "AAPL", now_ns, now_ns) is False
    assert asked.offer("first", "AAPL", 102, 113) is True
    assert asked.offer("second", "AAPL", 122, 122) is True
    assert asked.offer("first", "AAPL", 111, 123) is False


def test_trades_do_not_hide_that_a_feeds_quotes_have_stopped() -> None:
    asked = chain()
    asked.offer("first", "AAPL", 100, 100, is_quote=True)
    for now_ns in range(101, 112):
        assert asked.offer("first", "AAPL", now_ns, now_ns) is True

    assert asked.offer("second", "AAPL", 111, 111) is False  # a trade: the first tells these
    assert asked.offer("second", "AAPL", 111, 111, is_quote=True) is True
    assert asked.offer("first", "AAPL", 112, 112) is False
    assert asked.feed_of("AAPL") == "second"


def test_trades_are_not_late_after_a_clock_that_was_ahead_is_set_right() -> None:
    bars, start_ns = BarKeeper({"AAPL": ResumedBars()}), to_ns(START)
    bars.take(trade("AAPL", "100", start_ns))
    bars.close_until(start_ns + 3600 * SECOND)
    assert bars.take(trade("AAPL", "101", start_ns + SECOND)).is_late is True

    bars.close_until(start_ns + 2 * SECOND)
    taken = bars.take(trade("AAPL", "102", start_ns + 2 * SECOND))

    assert taken.is_late is False
    assert [dated.bar.close for dated in taken.finished if dated.timeframe == "1Min"] == [102]


def test_a_mark_of_life_from_the_future_says_nothing() -> None:
    assert [age_ms(1_000, 3_000), age_ms(3_000, 1_000)] == [2_000, 0]
    assert age_ms(1_000 + AHEAD_MS + 1, 1_000) is None


def test_a_trade_that_was_delivered_twice_is_told_once(valkey: ValkeyServer) -> None:
    one = TradeWire(7, Decimal(1), Decimal(1), None, START)
    assert joined([], [one, one]) == [one]
    assert joined([one], [one, one]) == [one]

    async def scenario(hub: Hub, publisher: Publisher) -> None:
        for seq in (1, 2, 1, 2):
            await publisher.trade("trade:AAPL", seq, is_lost=True)
        socket = attached(hub)
        hub.subscribe(socket.listener, "trade:AAPL")
        await until(lambda: bool(socket.of("trade:AAPL")))

        assert socket.of("trade:AAPL")[0]["data"] == {"trades": [{"id": 2}, {"id": 1}]}

    with_hub(valkey.url, scenario)


def test_one_bad_row_costs_no_other() -> None:
    saved: list[int] = []

    def save(rows: list[int]) -> None:
        if any(row % 1000 == 13 for row in rows):
            raise ValueError("no")
        saved.extend(rows)

    refused = save_what_can_be([*range(3000)], save, (ValueError,))  # type: ignore[arg-type]

    assert [row for row, _ in refused] == [13, 1013, 2013]
    assert saved == [number for number in range(3000) if number % 1000 != 13]
