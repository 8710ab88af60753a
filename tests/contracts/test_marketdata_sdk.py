"""Unmodified alpaca-py against a running gateway: data over REST."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from alpaca.common.enums import Sort, SupportedCurrencies
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import (
    CryptoBarsRequest,
    CryptoLatestBarRequest,
    CryptoLatestOrderbookRequest,
    CryptoLatestQuoteRequest,
    CryptoLatestTradeRequest,
    CryptoQuoteRequest,
    CryptoSnapshotRequest,
    CryptoTradesRequest,
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockQuotesRequest,
    StockSnapshotRequest,
    StockTradesRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import AssetClass
from alpaca.trading.requests import GetAssetsRequest, GetCalendarRequest

from core.domain.clock import SystemClock, to_ns
from marketdata.api import params
from marketdata.domain.stored import QuoteRow, TradeRow
from marketdata.models import Feed as StoredFeed
from marketdata.models import Instrument
from marketdata.services import save_quotes, save_trades
from tests.contracts.data_gateway import (
    AT_TIME,
    BAR,
    BOOK,
    QUOTE,
    TRADE,
    Feed,
    Gateway,
    crypto,
    feed,
    gateway,
    stocks,
)

__all__ = ["feed", "gateway"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


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


# --- trades and quotes of the past

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)


def store_past(symbol: str) -> list[tuple[datetime, int]]:
    """25 trades and quotes of `symbol`, five to each instant; their times and numbers."""
    instrument = Instrument.objects.get(symbol=symbol)
    source, _ = StoredFeed.objects.get_or_create(name="tape", defaults={"adapter": "import"})
    keys = [(MIDNIGHT + timedelta(microseconds=n // 5), n) for n in range(1, 26)]
    save_trades(
        [
            TradeRow(
                instrument.pk, to_ns(at), n, 10**10 + n, n * 10**4, (-1, 0, 1)[n % 3], source.pk
            )
            for at, n in keys
        ]
    )  # fmt: skip
    save_quotes(
        [
            QuoteRow(instrument.pk, to_ns(at), n, 10**10 + n, n, 10**10 + 2 * n, 7, source.pk)
            for at, n in keys
        ]
    )
    return keys


def test_stored_trades_and_quotes_come_out_exactly(gateway: Gateway, feed: Feed) -> None:
    keys = store_past("AAPL")
    client = stocks(gateway)

    for limit, sort in product((None, 1, 7, 25), (None, Sort.ASC, Sort.DESC)):
        ordered = (keys[::-1] if sort is Sort.DESC else keys)[:limit]
        window = {
            "symbol_or_symbols": ["AAPL", "IBM"],
            "start": MIDNIGHT, "end": MIDNIGHT + timedelta(hours=1), "limit": limit, "sort": sort,
        }  # fmt: skip
        trades = client.get_stock_trades(
            StockTradesRequest(**window, feed=DataFeed.SIP, asof="2026-03-02")
        )
        quotes = client.get_stock_quotes(StockQuotesRequest(**window))

        told = [(t.timestamp, t.id, t.price, t.size) for t in trades.data["AAPL"]]
        assert told == [(at, n, float(f"100.{n:08}"), n / 10_000) for at, n in ordered]
        bids = [(q.timestamp, q.bid_price, q.bid_size) for q in quotes.data["AAPL"]]
        assert bids == [(at, float(f"100.{n:08}"), n / 10**8) for at, n in ordered]
        assert set(trades.data) == set(quotes.data) == {"AAPL"}


def test_the_sdk_turns_the_pages_itself(
    gateway: Gateway, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of three, so that ends of pages lie within an instant."""
    monkeypatch.setattr(params, "DEFAULT_PAGE_LIMIT", 3)
    keys = store_past("AAPL")

    trades = stocks(gateway).get_stock_trades(
        StockTradesRequest(symbol_or_symbols="AAPL", start=MIDNIGHT)
    )

    assert [(trade.timestamp, trade.id) for trade in trades.data["AAPL"]] == keys


def test_stored_pairs_are_read_without_a_key(gateway: Gateway, feed: Feed) -> None:
    keys = store_past("BTC/USD")
    window = {"symbol_or_symbols": "BTC/USD", "start": MIDNIGHT, "end": MIDNIGHT + timedelta(1)}

    trades = crypto(gateway).get_crypto_trades(CryptoTradesRequest(**window))
    quotes = crypto(gateway).get_crypto_quotes(CryptoQuoteRequest(**window, limit=3))

    assert [trade.id for trade in trades.data["BTC/USD"]] == [n for _, n in keys]
    assert len(quotes.data["BTC/USD"]) == 3


def test_a_key_may_come_as_basic_authentication(gateway: Gateway, feed: Feed) -> None:
    feed.tell("quote:AAPL", QUOTE)
    client = StockHistoricalDataClient(
        gateway.key, gateway.secret, use_basic_auth=True, url_override=gateway.url
    )

    quotes = client.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))

    assert quotes["AAPL"].bid_price == 430.46


def test_every_newest_request_of_both_clients(gateway: Gateway, feed: Feed) -> None:
    for symbol in ("AAPL", "BTC/USD"):
        feed.tell(f"quote:{symbol}", QUOTE | {"feed": "simulated"})
        feed.tell(f"trade:{symbol}", TRADE | {"feed": "simulated", "side": None})
        feed.tell(f"bar:{symbol}:1Min", BAR)

    trade = stocks(gateway).get_stock_latest_trade(
        StockLatestTradeRequest(symbol_or_symbols="AAPL")
    )
    quote = crypto(gateway).get_crypto_latest_quote(
        CryptoLatestQuoteRequest(symbol_or_symbols="BTC/USD")
    )
    bar = crypto(gateway).get_crypto_latest_bar(CryptoLatestBarRequest(symbol_or_symbols="BTC/USD"))

    assert (trade["AAPL"].price, trade["AAPL"].id) == (430.48, TRADE["id"])
    assert (quote["BTC/USD"].ask_price, quote["BTC/USD"].timestamp) == (430.48, AT_TIME)
    assert (bar["BTC/USD"].open, bar["BTC/USD"].volume) == (430, 1200)


LENGTHS = [
    TimeFrame.Day,
    TimeFrame.Week,
    TimeFrame.Month,
    TimeFrame(3, TimeFrameUnit.Month),
    TimeFrame(30, TimeFrameUnit.Minute),
    TimeFrame(23, TimeFrameUnit.Hour),
]


def test_bars_of_every_length_and_adjustment(gateway: Gateway) -> None:
    start = SystemClock().now() - timedelta(days=300)
    client = stocks(gateway)

    for timeframe, adjustment in product(LENGTHS, Adjustment):
        request = StockBarsRequest(
            symbol_or_symbols="AAPL", timeframe=timeframe, adjustment=adjustment,
            start=start, limit=2, sort=Sort.DESC, currency=SupportedCurrencies.USD,
        )  # fmt: skip

        bars = client.get_stock_bars(request).data["AAPL"]

        # The minutes are those of one day.
        is_hours = timeframe.unit_value is TimeFrameUnit.Hour
        assert len(bars) in ({1, 2} if is_hours else {2}), timeframe
        assert all(one.low <= one.open <= one.high for one in bars)
        assert [bar.timestamp for bar in bars] == sorted({b.timestamp for b in bars}, reverse=True)


def test_what_there_is_not_is_an_error_of_the_sdk(gateway: Gateway) -> None:
    request = StockLatestQuoteRequest(symbol_or_symbols="AAPL", currency=SupportedCurrencies.EUR)

    with pytest.raises(APIError) as refused:
        stocks(gateway).get_stock_latest_quote(request)

    assert refused.value.status_code == 400
    assert refused.value.code == 40010001
    assert "prices are in USD" in refused.value.message
