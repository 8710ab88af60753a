"""Unmodified alpaca-py against a running gateway: data over REST and over the data sockets."""

import asyncio
import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from alpaca.data.enums import DataFeed
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.live import CryptoDataStream, StockDataStream
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestTradeRequest,
    CryptoSnapshotRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass
from alpaca.trading.requests import GetAssetsRequest, GetCalendarRequest
from django.conf import settings
from redis import Redis
from websockets.sync.client import connect

from accounts.domain.api_keys import Scope
from accounts.models import User
from accounts.services import create_api_key, revoke_api_key
from core.domain.clock import SystemClock
from core.domain.origin import Origin
from marketdata.consumers.symbols import known_instruments
from marketdata.domain.frames import event_frame
from marketdata.services import seed_market
from tests.ccxt_client import live_exchange
from tests.live_portal import Key
from tests.marketdata.gateway import running_gateway

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


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
    known_instruments.forget()
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


def test_reference_data(gateway: Gateway) -> None:
    client = TradingClient(gateway.key, gateway.secret, url_override=gateway.url)

    clock = client.get_clock()
    days = client.get_calendar(GetCalendarRequest(start=AT_TIME.date(), end=AT_TIME.date()))
    assets = client.get_all_assets(GetAssetsRequest(asset_class=AssetClass.CRYPTO))
    by_slash = client.get_asset("BTC/USD")
    by_id = client.get_asset(by_slash.id)

    assert clock.is_open is True
    assert clock.next_open == clock.next_close > clock.timestamp
    assert [day.date for day in days] == [AT_TIME.date()]
    assert sorted(asset.symbol for asset in assets) == ["BTC/USD", "ETH/USD"]
    assert by_slash == by_id == client.get_asset("BTCUSD")
    assert (by_slash.min_order_size, by_slash.price_increment) == (0.0001, 0.01)
    assert client.get_asset("AAPL").tradable is True


def test_daily_bars_page_by_page(gateway: Gateway) -> None:
    request = StockBarsRequest(
        symbol_or_symbols=["AAPL", "FB"],
        timeframe=TimeFrame.Day,
        start=datetime(2000, 1, 1, tzinfo=UTC),
    )

    bars = stocks(gateway).get_stock_bars(request).data

    assert (len(bars["AAPL"]), len(bars["FB"])) == (1_000, 196)
    assert (bars["AAPL"][-1].close, bars["FB"][-1].close) == (430.47, 27.78)
    times = [bar.timestamp for bar in bars["AAPL"]]
    assert times == sorted(set(times))


def test_minute_and_hour_bars_without_a_key(gateway: Gateway) -> None:
    since = SystemClock().now() - timedelta(hours=4)
    hourly = CryptoBarsRequest(
        symbol_or_symbols="BTC/USD", timeframe=TimeFrame(1, TimeFrameUnit.Hour), start=since
    )
    limited = CryptoBarsRequest(
        symbol_or_symbols=["BTC/USD", "ETH/USD"], timeframe=TimeFrame.Minute, start=since, limit=7
    )

    hours = crypto(gateway).get_crypto_bars(hourly).data["BTC/USD"]
    minutes = crypto(gateway).get_crypto_bars(limited).data

    assert 3 <= len(hours) <= 4
    assert all(bar.timestamp.minute == 0 for bar in hours)
    assert {symbol: len(bars) for symbol, bars in minutes.items()} == {"BTC/USD": 7}


def test_newest_quote_trade_bar_and_book(gateway: Gateway, feed: Feed) -> None:
    feed.tell("quote:AAPL", QUOTE)
    feed.tell("bar:AAPL:1Min", BAR)
    feed.tell("trade:BTC/USD", TRADE)
    feed.tell("book:BTC/USD", BOOK)

    quotes = stocks(gateway).get_stock_latest_quote(
        StockLatestQuoteRequest(symbol_or_symbols=["AAPL", "IBM", "NOPE"], feed=DataFeed.IEX)
    )
    bars = stocks(gateway).get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="AAPL"))
    trades = crypto(gateway).get_crypto_latest_trade(
        CryptoLatestTradeRequest(symbol_or_symbols="BTC/USD")
    )
    books = crypto(gateway).get_crypto_latest_orderbook(
        CryptoLatestOrderbookRequest(symbol_or_symbols="BTC/USD")
    )

    assert list(quotes) == ["AAPL"]
    quote = quotes["AAPL"]
    assert (quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size) == (
        430.46,
        43,
        430.48,
        69,
    )
    assert quote.timestamp == AT_TIME
    assert (bars["AAPL"].high, bars["AAPL"].vwap, bars["AAPL"].trade_count) == (431.5, 430.1, 90)
    assert (trades["BTC/USD"].price, trades["BTC/USD"].id) == (430.48, TRADE["id"])
    assert books["BTC/USD"].bids[0].price == 64248
    assert books["BTC/USD"].asks[0].size == 0.3704


def test_snapshots(gateway: Gateway, feed: Feed) -> None:
    feed.tell("quote:AAPL", QUOTE)
    feed.tell("trade:AAPL", TRADE)

    stock = stocks(gateway).get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))
    pair = crypto(gateway).get_crypto_snapshot(CryptoSnapshotRequest(symbol_or_symbols="BTC/USD"))

    assert stock["AAPL"].latest_quote.ask_price == 430.48
    assert stock["AAPL"].latest_trade.size == 7
    assert stock["AAPL"].previous_daily_bar.close == 430.47
    assert pair["BTC/USD"].latest_quote is None
    assert pair["BTC/USD"].previous_daily_bar.close == 64250


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


def test_stock_stream_in_msgpack(gateway: Gateway, feed: Feed) -> None:
    stream = StockDataStream(gateway.key, gateway.secret, url_override=gateway.socket("/v2/iex"))
    kinds: dict[str, Any] = {}

    async def hear(item: Any) -> None:
        kinds[type(item).__name__] = item
        if len(kinds) == 3:
            await stream.stop_ws()

    stream.subscribe_quotes(hear, "AAPL")
    stream.subscribe_trades(hear, "*")
    stream.subscribe_bars(hear, "AAPL", "IBM")

    def tell() -> None:
        feed.tell("quote:AAPL", QUOTE)
        feed.tell("trade:IBM", TRADE)
        feed.tell("bar:AAPL:1Min", BAR)

    run_stream(stream, tell)

    assert sorted(kinds) == ["Bar", "Quote", "Trade"]
    assert (kinds["Quote"].symbol, kinds["Quote"].bid_price) == ("AAPL", 430.46)
    assert kinds["Quote"].timestamp == AT_TIME
    assert (kinds["Trade"].symbol, kinds["Trade"].id) == ("IBM", TRADE["id"])
    assert kinds["Bar"].close == 430.25


def test_crypto_stream_with_order_books(gateway: Gateway, feed: Feed) -> None:
    stream = CryptoDataStream(
        gateway.key, gateway.secret, url_override=gateway.socket("/v1beta3/crypto/us")
    )
    heard: list[Any] = []

    async def hear(item: Any) -> None:
        heard.append(item)
        await stream.stop_ws()

    stream.subscribe_orderbooks(hear, "BTC/USD")

    run_stream(stream, lambda: feed.tell("book:BTC/USD", BOOK))

    assert (heard[0].symbol, heard[0].bids[0].size) == ("BTC/USD", 0.5518)


def talk(gateway: Gateway, *requests: object, path: str = "/v2/iex") -> list[Any]:
    """Send JSON requests, one after another's answer; what the server answered, greeting first."""
    with connect(gateway.socket(path)) as program:
        answers = [msgspec.json.decode(program.recv(5))]
        for request in requests:
            program.send(
                request if isinstance(request, str) else msgspec.json.encode(request).decode()
            )
            answers.append(msgspec.json.decode(program.recv(5)))
    return answers


def test_json_stream_speaks_the_control_words(gateway: Gateway) -> None:
    auth = {"action": "auth", "key": gateway.key, "secret": gateway.secret}
    nothing = {
        "updatedBars": [],
        "dailyBars": [],
        "statuses": [],
        "lulds": [],
        "corrections": [],
        "cancelErrors": [],
    }

    answers = talk(
        gateway,
        {"action": "subscribe", "quotes": ["AAPL"]},
        auth,
        auth,
        {"action": "subscribe", "quotes": ["AAPL"], "trades": ["*"]},
        {"action": "unsubscribe", "trades": ["*"]},
        {"action": "subscribe", "quotes": ["NOPE"]},
        {"action": "subscribe", "quotes": "AAPL"},
        {"action": "dance"},
        "not json",
    )

    assert answers == [
        [{"T": "success", "msg": "connected"}],
        [{"T": "error", "code": 401, "msg": "not authenticated"}],
        [{"T": "success", "msg": "authenticated"}],
        [{"T": "error", "code": 403, "msg": "already authenticated"}],
        [{"T": "subscription", "trades": ["*"], "quotes": ["AAPL"], "bars": [], **nothing}],
        [{"T": "subscription", "trades": [], "quotes": ["AAPL"], "bars": [], **nothing}],
        [{"T": "error", "code": 400, "msg": "invalid syntax: unknown symbol NOPE"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
        [{"T": "error", "code": 410, "msg": "invalid subscribe action for this feed"}],
        [{"T": "error", "code": 400, "msg": "invalid syntax"}],
    ]


def test_wrong_key_is_told(gateway: Gateway) -> None:
    wrong = {"action": "auth", "key": gateway.key, "secret": "x" * 43}

    assert talk(gateway, wrong)[1] == [{"T": "error", "code": 402, "msg": "auth failed"}]


def test_json_events_carry_exact_numbers(gateway: Gateway, feed: Feed) -> None:
    with connect(gateway.socket("/v1beta3/crypto/us")) as program:
        program.recv(5)
        for request in (
            {"action": "auth", "key": gateway.key, "secret": gateway.secret},
            {"action": "subscribe", "trades": ["BTC/USD"]},
        ):
            program.send(msgspec.json.encode(request).decode())
            program.recv(5)

        heard = None
        while heard is None:
            feed.tell("trade:BTC/USD", TRADE)
            with contextlib.suppress(TimeoutError):
                heard = program.recv(0.2)

        assert heard == (
            '[{"T":"t","S":"BTC/USD","t":"2026-03-02T15:30:00.123456Z",'
            '"p":430.48,"s":7,"i":1795358828011000,"tks":"B"}]'
        )


def test_revoked_key_ends_its_sockets(
    gateway: Gateway, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from marketdata.consumers import key_watch

    monkeypatch.setattr(key_watch, "KEY_CHECK_SECONDS", 0.2)
    with (
        connect(gateway.socket("/v2/iex")) as leaving,
        connect(gateway.socket("/v2/iex")) as program,
    ):
        auth = {"action": "auth", "key": gateway.key, "secret": gateway.secret}
        for socket in (leaving, program):
            socket.recv(5)
            socket.send(msgspec.json.encode(auth).decode())
            socket.recv(5)
        leaving.close()  # both wait for the end of one key: it ends for who is left

        key = alice.api_keys.get()
        origin = Origin(now=SystemClock().now())
        revoke_api_key(key=key, reason="lost", actor=alice, origin=origin)

        assert msgspec.json.decode(program.recv(5))[0]["code"] == 402


def test_fragmented_request_is_one_request(gateway: Gateway) -> None:
    text = msgspec.json.encode(
        {"action": "auth", "key": gateway.key, "secret": gateway.secret}
    ).decode()
    with connect(gateway.socket("/v2/iex")) as program:
        program.recv(5)

        program.send([text[:10], text[10:30], text[30:]])

        assert msgspec.json.decode(program.recv(5)) == [{"T": "success", "msg": "authenticated"}]


def test_ccxt_pro_reads_books_and_bars_exactly(gateway: Gateway, feed: Feed) -> None:
    """Each book is a whole one: what the market took away does not stay."""
    heard = asyncio.run(_ccxt_hears(gateway, feed))

    assert heard["bars"] == [[1772465400000, 430.0, 431.5, 429.0, 430.25, 1200.0]]
    assert (heard["book"]["bids"], heard["book"]["asks"]) == ([[64247.0, 1.0]], [[64251.0, 0.3704]])
    assert (heard["trades"][-1]["price"], heard["trades"][-1]["side"]) == (430.48, "buy")


async def _ccxt_hears(gateway: Gateway, feed: Feed) -> dict[str, Any]:
    client = live_exchange(gateway.url, Key(gateway.key, gateway.secret))
    later = BOOK | {"bids": [["64247", "1"]]}

    async def heard(watch: Callable[[str], Any], topic: str, data: object) -> Any:
        """What one watch says after this was told, again until it listens."""
        task = asyncio.create_task(watch("BTC/USD"))
        while not task.done():
            feed.tell(topic, data)
            await asyncio.wait([task], timeout=0.2)
        return task.result()

    try:
        await heard(client.watch_order_book, "book:BTC/USD", BOOK)
        book = await heard(client.watch_order_book, "book:BTC/USD", later)
        while book["bids"][0][0] != 64247:  # the older one may have been told twice
            book = await heard(client.watch_order_book, "book:BTC/USD", later)
        return {
            "book": book,
            "bars": await heard(client.watch_ohlcv, "bar:BTC/USD:1Min", BAR),
            "trades": await heard(client.watch_trades, "trade:BTC/USD", TRADE),
        }
    finally:
        await client.close()
