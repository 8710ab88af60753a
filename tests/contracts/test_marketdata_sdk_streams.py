"""Unmodified alpaca-py against a running gateway: every subscription that its streams have."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from alpaca.data.live import CryptoDataStream, StockDataStream

from marketdata.consumers import news
from marketdata.models import Instrument
from tests.contracts.data_gateway import (
    AT_TIME,
    BAR,
    BOOK,
    QUOTE,
    TRADE,
    Feed,
    Gateway,
    feed,
    gateway,
    run_stream,
)

__all__ = ["feed", "gateway"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


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


CHANGED = BAR | {"c": "429.5", "n": 91, "amended": True}
DAY = BAR | {"t": "2026-03-02T00:00:00.000000Z", "n": 4_000, "closed": False}


def book(state: str) -> dict[str, Any]:
    return BOOK | {"state": state, "indicative": None}


def test_every_channel_of_the_stock_stream(gateway: Gateway, feed: Feed) -> None:
    """A changed bar is no bar, and a bar no changed one; nothing comes twice under two names."""
    stream = StockDataStream(gateway.key, gateway.secret, url_override=gateway.socket("/v2/sip"))
    heard: dict[str, list[Any]] = {}
    states = iter(["OPEN", "HALTED"] * 500)

    def hear(name: str) -> Any:
        async def keep(item: Any) -> None:
            heard.setdefault(name, []).append(item)
            if len(heard) == 6 and len(heard["status"]) > 2:
                await stream.stop_ws()

        return keep

    async def never(item: Any) -> None:
        raise AssertionError(item)

    stream.subscribe_trades(hear("trade"), "AAPL")
    stream.subscribe_quotes(hear("quote"), "AAPL")
    stream.subscribe_bars(hear("bar"), "AAPL")
    stream.subscribe_updated_bars(hear("changed"), "IBM", "AAPL")
    stream.subscribe_daily_bars(hear("day"), "*")
    stream.subscribe_trading_statuses(hear("status"), "AAPL")
    stream.register_trade_corrections(never)
    stream.register_trade_cancels(never)

    def tell() -> None:
        feed.tell("trade:AAPL", TRADE)
        feed.tell("quote:AAPL", QUOTE)
        feed.tell("bar:AAPL:1Min", BAR)
        feed.tell("bar:IBM:1Min", CHANGED)
        feed.tell("bar:IBM:1Day", DAY)
        feed.tell("book:AAPL", book(next(states)))

    run_stream(stream, tell)

    assert {bar.close for bar in heard["bar"]} == {430.25}
    assert {(bar.symbol, bar.close, bar.trade_count) for bar in heard["changed"]} == {
        ("IBM", 429.5, 91)
    }
    day = heard["day"][0]
    assert (day.symbol, day.trade_count) == ("IBM", 4_000)
    assert day.timestamp == datetime(2026, 3, 2, tzinfo=UTC)
    assert len(heard["day"]) <= 3  # one in a minute, however many are told
    codes = [status.status_code for status in heard["status"]]
    assert set(codes) == {"H", "T"}
    assert all(one != other for one, other in pairwise(codes))
    assert heard["status"][0].timestamp == AT_TIME


def test_every_channel_of_the_crypto_stream(gateway: Gateway, feed: Feed) -> None:
    stream = CryptoDataStream(
        gateway.key, gateway.secret, url_override=gateway.socket("/v1beta3/crypto/us")
    )
    heard: dict[str, Any] = {}

    def hear(name: str) -> Any:
        async def keep(item: Any) -> None:
            heard[name] = item
            if len(heard) == 6:
                await stream.stop_ws()

        return keep

    stream.subscribe_trades(hear("trade"), "*")
    stream.subscribe_quotes(hear("quote"), "BTC/USD")
    stream.subscribe_bars(hear("bar"), "BTC/USD")
    stream.subscribe_updated_bars(hear("changed"), "ETH/USD")
    stream.subscribe_daily_bars(hear("day"), "BTC/USD")
    stream.subscribe_orderbooks(hear("book"), "BTC/USD")

    def tell() -> None:
        feed.tell("trade:ETH/USD", TRADE | {"side": None})
        feed.tell("quote:BTC/USD", QUOTE)
        feed.tell("bar:BTC/USD:1Min", BAR)
        feed.tell("bar:ETH/USD:1Min", CHANGED)
        feed.tell("bar:BTC/USD:1Day", DAY)
        feed.tell("book:BTC/USD", book("OPEN"))

    run_stream(stream, tell)

    assert heard["trade"].symbol == "ETH/USD"
    assert heard["changed"].close == 429.5
    assert heard["day"].trade_count == 4_000
    assert heard["book"].asks[0].price == 64251


def test_an_order_book_starts_at_once_with_what_there_is(gateway: Gateway, feed: Feed) -> None:
    """Nobody trades, nothing is told: the book that stands is there all the same."""
    feed.tell("book:BTC/USD", book("OPEN"))
    stream = CryptoDataStream(
        gateway.key, gateway.secret, url_override=gateway.socket("/v1beta3/crypto/us")
    )
    heard: list[Any] = []

    async def hear(item: Any) -> None:
        heard.append(item)
        await stream.stop_ws()

    stream.subscribe_orderbooks(hear, "BTC/USD")

    run_stream(stream, lambda: None)

    assert (heard[0].reset, heard[0].bids[0].price) == (True, 64248)


def test_unsubscribed_is_heard_no_more(gateway: Gateway, feed: Feed) -> None:
    stream = StockDataStream(gateway.key, gateway.secret, url_override=gateway.socket("/v2/iex"))
    heard: list[str] = []

    async def hear(item: Any) -> None:
        heard.append(type(item).__name__)
        if len(heard) > 5 and set(heard[-3:]) == {"Trade"}:
            await stream.stop_ws()
        elif "Quote" in heard and "quotes" in {k for k, v in stream._handlers.items() if v}:
            handlers = stream._handlers["quotes"]
            await stream._send_unsubscribe_msg("quotes", ["AAPL"])
            handlers.pop("AAPL")

    stream.subscribe_quotes(hear, "AAPL")
    stream.subscribe_trades(hear, "AAPL")

    def tell() -> None:
        feed.tell("quote:AAPL", QUOTE)
        feed.tell("trade:AAPL", TRADE)

    run_stream(stream, tell)

    assert heard[-3:] == ["Trade"] * 3


def test_price_bands_are_told_to_who_comes_and_when_they_move(
    gateway: Gateway, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "BAND_CHECK_SECONDS", 0.1)
    since = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    aapl = Instrument.objects.filter(symbol="AAPL")
    aapl.update(volatility_bps=500, window_price="100.01", window_at=since)
    stream = StockDataStream(
        gateway.key, gateway.secret, raw_data=True, url_override=gateway.socket("/v2/iex")
    )
    heard: list[Any] = []

    async def hear(item: Any) -> None:
        heard.append(item)
        if len(heard) == 2:
            await stream.stop_ws()

    stream._subscribe(hear, ("AAPL", "IBM"), stream._handlers["lulds"])

    def tell() -> None:
        if heard:
            later = since + timedelta(minutes=5)
            aapl.update(window_price="200", window_at=later)

    run_stream(stream, tell)

    first, second = heard
    assert (first["T"], first["S"], first["u"], first["d"]) == ("l", "AAPL", 105.01, 95.01)
    assert first["t"].to_datetime() == since
    assert (second["u"], second["d"]) == (210, 190)
