"""Unmodified alpaca-py and ccxt.pro against a whole running portal: what their streams tell is what
REST tells.
"""

import asyncio
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.live import CryptoDataStream, StockDataStream
from alpaca.data.requests import (
    CryptoTradesRequest,
    StockBarsRequest,
    StockLatestQuoteRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame

from tests.ccxt_client import live_exchange
from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
TRADES_HEARD = 20
FEW = 5
PAIR = "BTC/USD"
SAME = ("id", "timestamp", "price", "amount", "side", "symbol")
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-data")
    return live_portal.create_key("alice-data", scopes="read")


@pytest.fixture(scope="module")
def client(live_portal: LivePortal, key: Key) -> StockHistoricalDataClient:
    return StockHistoricalDataClient(key.key_id, key.secret, url_override=live_portal.url)


@pytest.fixture(scope="module")
def heard(live_portal: LivePortal, key: Key) -> Iterator[list[Any]]:
    """The trades of AAPL that a stream has heard, from one on without a gap."""
    url = live_portal.url.replace("http", "ws") + "/v2/iex"
    stream = StockDataStream(key.key_id, key.secret, url_override=url)
    trades: list[Any] = []

    async def hear(trade: Any) -> None:
        trades.append(trade)
        if len(trades) == TRADES_HEARD:
            await stream.stop_ws()

    stream.subscribe_trades(hear, "AAPL")
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    yield trades


def test_each_trade_that_the_stream_told_is_one_of_the_past(
    client: StockHistoricalDataClient, heard: list[Any]
) -> None:
    """Once, and with the same price, size and time, whether stored by now or not."""
    window = {"symbol_or_symbols": "AAPL", "start": heard[0].timestamp}

    told = client.get_stock_trades(StockTradesRequest(**window)).data["AAPL"]
    in_small_pages = client.get_stock_trades(
        StockTradesRequest(**window, end=heard[-1].timestamp, limit=len(heard))
    ).data["AAPL"]

    by_id = {trade.id: trade for trade in told}
    assert len(by_id) == len(told)
    assert [by_id.get(trade.id) for trade in heard] == heard
    assert in_small_pages == told[: len(in_small_pages)]
    assert all(one.timestamp <= other.timestamp for one, other in pairwise(told))


def test_each_crypto_trade_that_the_stream_told_is_one_of_the_past(
    live_portal: LivePortal, key: Key
) -> None:
    url = live_portal.url.replace("http", "ws") + "/v1beta3/crypto/us"
    stream = CryptoDataStream(key.key_id, key.secret, url_override=url)
    client = CryptoHistoricalDataClient(key.key_id, key.secret, url_override=live_portal.url)
    heard: list[Any] = []
    books: list[Any] = []

    async def hear(trade: Any) -> None:
        heard.append(trade)
        if len(heard) >= FEW and books:
            await stream.stop_ws()

    async def hear_book(book: Any) -> None:
        books.append(book)

    stream.subscribe_trades(hear, PAIR)
    stream.subscribe_orderbooks(hear_book, PAIR)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()

    told = client.get_crypto_trades(
        CryptoTradesRequest(symbol_or_symbols=PAIR, start=heard[0].timestamp)
    ).data[PAIR]

    by_id = {trade.id: trade for trade in told}
    assert len(by_id) == len(told)
    assert [by_id.get(trade.id) for trade in heard] == heard
    assert books[0].bids[0].price < books[0].asks[0].price


def test_what_ccxt_pro_watches_is_what_it_fetches(live_portal: LivePortal, key: Key) -> None:
    asyncio.run(_watched_and_fetched(live_portal.url, key))


async def _watched_and_fetched(url: str, key: Key) -> None:
    client = live_exchange(url, key)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            trades = await client.watch_trades(PAIR)
            book = await client.watch_order_book(PAIR)
            ticker = await client.watch_ticker(PAIR)
            bars = await client.watch_ohlcv(PAIR, "1m")
        fetched = await client.fetch_trades(PAIR, since=trades[0]["timestamp"], limit=1000)
        minutes: list[Any] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not minutes:  # it is told first and stored a moment later
                # ccxt asks from the beginning of the day and leaves out what comes before.
                minutes = await client.fetch_ohlcv(PAIR, "1m", since=bars[-1][0], limit=10_000)
    finally:
        await client.close()

    by_id = {trade["id"]: trade for trade in fetched}
    for trade in trades:
        there = by_id[trade["id"]]
        assert [there[name] for name in SAME] == [trade[name] for name in SAME]
    assert book["bids"][0][0] < book["asks"][0][0]
    assert 0 < ticker["bid"] < ticker["ask"]
    assert minutes[0] == bars[-1]


def test_newest_prices_are_young_and_name_their_feed(
    live_portal: LivePortal, key: Key, client: StockHistoricalDataClient
) -> None:
    raw = StockHistoricalDataClient(
        key.key_id, key.secret, raw_data=True, url_override=live_portal.url
    )

    quote = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))
    told = raw.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))

    assert 0 < quote["AAPL"].bid_price < quote["AAPL"].ask_price
    assert isinstance(told["AAPL"]["age_ms"], int)


def test_a_closed_minute_is_what_the_snapshot_and_the_day_hold(
    client: StockHistoricalDataClient,
) -> None:
    start = datetime.now(UTC) - timedelta(minutes=30)
    minutes = client.get_stock_bars(
        StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, start=start)
    ).data["AAPL"]
    snapshot = client.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="AAPL"))["AAPL"]

    assert len(minutes) >= 25
    assert all(one.timestamp < other.timestamp for one, other in pairwise(minutes))
    assert snapshot.daily_bar.high >= max(bar.high for bar in minutes if _is_today(bar, snapshot))
    assert snapshot.minute_bar.timestamp >= minutes[-1].timestamp


def _is_today(bar: Any, snapshot: Any) -> bool:
    return bool(bar.timestamp >= snapshot.daily_bar.timestamp)
