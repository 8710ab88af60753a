"""What ccxt makes of exchanges' messages becomes ticks without loss; exchanges' repeats do not."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.domain.clock import FixedClock, to_ns
from marketdata.domain.plan import Credentials, FeedOptionError, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.told_numbers import TellingError
from marketdata.domain.values import Aggressor, Level, Quote, Trade
from marketdata.feeds.ccxt_exchange.options import known_exchanges, read_options
from marketdata.feeds.ccxt_exchange.parse import (
    REMEMBERED_TRADES,
    BookStream,
    Told,
    TradeStream,
    bar_of,
    quote_of,
    whole_number,
)

AT_MS = 1_710_498_600_123
AT_NS = AT_MS * 1_000_000
NOW = datetime(2024, 3, 15, 10, 30, 1, tzinfo=UTC)
MARKETS = {
    "binance": ("BTCUSDT", "BTC/USDT"),
    "kraken": ("XXBTZUSD", "BTC/USD"),
    "coinbase": ("BTC-USD", "BTC/USD"),
    "bybit": ("BTCUSDT", "BTC/USDT"),
}
TRADES: dict[str, dict[str, Any]] = {
    "binance": {
        "e": "trade", "E": AT_MS + 1, "s": "BTCUSDT", "t": 3494013482, "p": "68123.45000000",
        "q": "0.00087000", "T": AT_MS, "m": True, "M": True,
    },
    "kraken": {
        "symbol": "BTC/USD", "side": "buy", "price": 68123.4, "qty": 0.00012345,
        "ord_type": "market", "trade_id": 69045678, "timestamp": "2024-03-15T10:30:00.123456Z",
    },
    "coinbase": {
        "trade_id": "612345678", "product_id": "BTC-USD", "price": "68123.45", "size": "0.00087",
        "side": "BUY", "time": "2024-03-15T10:30:00.123456Z",
    },
    "bybit": {
        "T": AT_MS, "s": "BTCUSDT", "S": "Sell", "v": "0.001", "p": "68123.45",
        "L": "MinusTick", "i": "20f43950-d8dd-5b31-9112-a178eb6023af", "BT": False,
    },
}  # fmt: skip
"""Public trades as the exchanges' sockets send them."""
EXPECTED = {
    "binance": (3494013482, "68123.45", "0.00087", Aggressor.SELL),
    "kraken": (69045678, "68123.4", "0.00012345", Aggressor.BUY),
    "coinbase": (612345678, "68123.45", "0.00087", Aggressor.BUY),
    "bybit": (AT_NS, "68123.45", "0.001", Aggressor.SELL),
}


def exchange_of(name: str) -> Any:  # Any: ccxt has no types
    """ccxt's own client, which knows one market and calls nobody."""
    import ccxt.pro

    there, symbol = MARKETS[name]
    base, quote = symbol.split("/")
    exchange = getattr(ccxt.pro, name)()
    exchange.set_markets(
        [
            {
                "id": there, "symbol": symbol, "base": base, "quote": quote, "baseId": base,
                "quoteId": quote, "type": "spot", "spot": True, "swap": False, "future": False,
                "option": False, "contract": False, "active": True, "limits": {},
                "precision": {"amount": 1e-8, "price": 0.01},
            }
        ]
    )  # fmt: skip
    return exchange


def told(**changed: Any) -> dict[str, Any]:
    return {"id": "1", "timestamp": AT_MS, "side": "buy", "price": 1.5, "amount": 2.0} | changed


def new(stream: TradeStream, messages: Sequence[Told], since_ns: int) -> list[Trade]:
    trades = [stream.take(message, since_ns) for message in messages]
    return [trade for trade in trades if trade is not None]


@pytest.mark.parametrize("name", sorted(TRADES))
def test_a_trade_of_an_exchange_is_told_exactly(name: str) -> None:
    exchange = exchange_of(name)
    market = exchange.market(MARKETS[name][1])
    is_own = name in {"binance", "bybit"}  # their sockets have a form of their own
    unified = (exchange.parse_ws_trade if is_own else exchange.parse_trade)(TRADES[name], market)

    (trade,) = new(TradeStream("BTC"), [unified], AT_NS)

    number, price, size, side = EXPECTED[name]
    assert trade == Trade("BTC", number, Decimal(price), Decimal(size), side, AT_NS)


def test_a_book_of_an_exchange_is_told_exactly() -> None:
    """Binance's depth: prices and sizes as text, no time."""
    depth = {
        "lastUpdateId": 44,
        "bids": [["68123.44000000", "4.46100000"], ["68123.43000000", "0.00008000"]],
        "asks": [["68123.45000000", "0.00000000"], ["68123.46000000", "12.10000000"]],
    }
    book = exchange_of("binance").parse_order_book(depth, "BTC/USDT", None)

    quote = quote_of("BTC", book, 77)

    assert quote == Quote(
        "BTC",
        (
            Level(Decimal("68123.44"), Decimal("4.461")),
            Level(Decimal("68123.43"), Decimal("0.00008")),
        ),
        (Level(Decimal("68123.46"), Decimal("12.1")),),
        77,
    )


def test_a_live_book_of_ccxt_gives_ten_levels_and_its_own_time() -> None:
    exchange = exchange_of("kraken")
    book = exchange.order_book(
        {
            "symbol": "BTC/USD",
            "timestamp": AT_MS,
            "bids": [[100 - step / 10, 1 + step] for step in range(15)],
            "asks": [[101 + step / 10, 1] for step in range(3)],
        }
    )
    book["bids"].store(100.0, 0)  # the best bid goes
    book["bids"].store(99.95, 3.25)

    quote = quote_of("BTC", book, 77)

    assert (len(quote.bids), len(quote.asks), quote.t_ns) == (10, 3, AT_NS)
    assert quote.bids[:2] == (
        Level(Decimal("99.95"), Decimal("3.25")),
        Level(Decimal("99.9"), Decimal(2)),
    )


def test_an_empty_side_stays_empty() -> None:
    assert quote_of("BTC", {"bids": [], "asks": [[1, 1]]}, 5).bids == ()


def test_what_the_exchange_repeats_is_told_once() -> None:
    stream = TradeStream("BTC")
    first = new(stream, [told(id="1"), told(id="2")], 0)

    again = new(stream, [told(id="1"), told(id="2"), told(id="3")], 0)

    assert [trade.trade_id for trade in first] == [1, 2]
    assert [trade.trade_id for trade in again] == [3]


def test_trades_without_an_id_are_told_once_however_often_the_exchange_is_asked() -> None:
    stream = TradeStream("BTC")

    def asked(*answer: dict[str, Any]) -> list[tuple[int, Decimal]]:
        return [(one.trade_id, one.price) for one in new(stream, stream.fresh(answer), 0)]

    one, other = told(id=None), told(id=None, price=2.5)
    assert asked(one, other) == [(AT_NS, Decimal("1.5")), (AT_NS + 1, Decimal("2.5"))]
    assert asked(one, other) == []
    assert asked() == []
    assert asked(other, one, one) == [(AT_NS + 2, Decimal("1.5"))]  # a second one just like it
    assert asked(one, one, other, told(id=None, side="sell")) == [(AT_NS + 3, Decimal("1.5"))]


def test_the_memory_of_trades_without_an_id_is_bounded_but_holds_a_whole_answer() -> None:
    stream = TradeStream("BTC")
    answer = [told(id=None, price=number + 1) for number in range(REMEMBERED_TRADES + 1)]

    assert len(stream.fresh(answer)) == REMEMBERED_TRADES + 1
    assert stream.fresh(answer) == []
    assert len(stream.fresh([told(id=None, side="sell")])) == 1
    assert stream.fresh(answer[:1]) == answer[:1], "the oldest are forgotten"
    assert stream.fresh(answer[-10:]) == []


def test_a_repeated_book_without_a_time_is_not_told_as_new() -> None:
    stream = BookStream("BTC")
    book: dict[str, Any] = {"bids": [[1, 1]], "asks": [[2, 1]]}

    told = [
        stream.take(one, received_ns)
        for received_ns, one in enumerate(
            [book, book, book | {"nonce": 5}, book | {"bids": [[1, 3]]}, book]
        )
    ]

    assert [None if quote is None else quote.t_ns for quote in told] == [0, None, 2, 3, 4]


def test_a_repeated_book_with_a_time_of_its_own_is_told_as_it_is() -> None:
    stream = BookStream("BTC")
    book = {"bids": [[1, 1]], "asks": [[2, 1]], "timestamp": AT_MS}

    assert [stream.take(book, 5), stream.take(book, 6)] == [quote_of("BTC", book, 5)] * 2


def test_the_memory_of_trades_is_bounded() -> None:
    stream = TradeStream("BTC")
    new(stream, [told(id=str(number)) for number in range(REMEMBERED_TRADES + 1)], 0)

    assert len(new(stream, [told(id="0")], 0)) == 1
    assert new(stream, [told(id=str(REMEMBERED_TRADES))], 0) == []


def test_trades_from_before_the_opening_are_neither_told_nor_told_later() -> None:
    stream = TradeStream("BTC")

    assert new(stream, [told(id="1")], AT_NS + 1) == []
    assert new(stream, [told(id="1")], 0) == []


def test_trades_without_a_number_are_numbered_by_time_and_rise() -> None:
    stream = TradeStream("BTC")
    ids = [None, "a-b", None, "20f43950-d8dd-5b31-9112-a178eb6023af"]

    numbers = [trade.trade_id for trade in new(stream, [told(id=one) for one in ids], 0)]

    assert numbers == [AT_NS, AT_NS + 1, AT_NS + 2, AT_NS + 3]


def test_only_numbers_that_can_be_stored_are_taken_over() -> None:
    assert whole_number("9223372036854775807") == 2**63 - 1
    assert [
        whole_number(text) for text in ("9223372036854775808", "-1", "1.5", "１", "", None)
    ] == [None] * 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"price": 0.0},
        {"price": None},
        {"price": float("nan")},
        {"amount": -1.0},
        {"amount": None},
        {"timestamp": None},
        {"timestamp": "2024"},
    ],
)
def test_a_trade_that_cannot_be_right_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TellingError):
        new(TradeStream("BTC"), [told(**wrong)], 0)


@pytest.mark.parametrize("side", [None, [[0, 1]], [[1, -1]], [[None, 1]], [["x", 1]], [[1]], [5]])
def test_a_book_that_cannot_be_right_is_refused(side: object) -> None:
    with pytest.raises(TellingError):
        quote_of("BTC", {"bids": side, "asks": []}, 0)


def test_a_bar_is_closed_and_has_what_exchanges_tell() -> None:
    bar = bar_of("BTC", [AT_MS, 1.1, 2.2, 0.3, 1.5, None])

    assert (bar.start_ns, bar.open, bar.high, bar.low, bar.close) == (
        AT_NS,
        Decimal("1.1"),
        Decimal("2.2"),
        Decimal("0.3"),
        Decimal("1.5"),
    )
    assert [bar.volume, bar.trade_count, bar.vwap, bar.is_closed] == [0, 0, None, True]


# --- options ---


def test_the_exchanges_of_ccxt_are_known_without_loading_it() -> None:
    import ccxt

    assert set(ccxt.exchanges) <= known_exchanges()
    assert len(ccxt.exchanges) > 100


def test_another_portal_is_an_exchange_by_its_address() -> None:
    urls = read_options({"exchange": "alpaca", "base_url": "http://127.0.0.1:8001"}).urls

    assert urls["market"] == "http://127.0.0.1:8001"
    assert urls["ws"]["crypto"] == "ws://127.0.0.1:8001/v1beta3/crypto/us"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "must be an exchange that ccxt knows"),
        ({"exchange": "../../etc"}, "must be an exchange that ccxt knows"),
        ({"exchange": "__init__"}, "must be an exchange that ccxt knows"),
        ({"exchange": "kraken", "base_url": "https://x"}, "is for the exchange alpaca"),
        ({"exchange": "kraken", "apiKey": "x"}, "There is no option 'apiKey'"),
        ({"exchange": "kraken", "urls": "http://x"}, "must be an object of addresses"),
        ({"exchange": "kraken", "urls": {"a": {"b": 5}}}, "must hold addresses"),
        ({"exchange": "kraken", "urls": {"public": "file:///etc/passwd"}}, "must be an address"),
        ({"exchange": "kraken", "urls": {"a": {"b": "http://x"}}}, "must begin with https://"),
        ({"exchange": "kraken", "poll_seconds": 0}, "whole number from 1 to 3600"),
        ({"exchange": "kraken", "market_type": "casino"}, "one of spot, swap"),
    ],
)
def test_wrong_options_are_refused_with_their_reason(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(FeedOptionError, match=reason):
        read_options(options)


# --- the client ---


def test_the_client_is_made_with_timeouts_and_the_configured_addresses() -> None:
    from marketdata.feeds.ccxt_exchange.client import away, made_exchange

    options = read_options({"exchange": "alpaca", "base_url": "http://127.0.0.1:8001"})
    setup = FeedSetup("x", FixedClock(NOW), [], credentials=Credentials("the-key", "the-secret"))

    exchange = made_exchange(options, setup)

    assert (exchange.timeout, exchange.enableRateLimit) == (10_000, True)
    assert exchange.urls["api"]["market"] == "http://127.0.0.1:8001"
    assert (exchange.apiKey, exchange.secret) == ("the-key", "the-secret")
    text = str(away(OSError("GET http://x/?key=the-key&sig=the-secret"), setup))
    assert text == "OSError: GET http://x/?key=(key)&sig=(key)"


def test_nearly_every_exchange_of_ccxt_can_be_followed() -> None:
    import ccxt

    from marketdata.feeds.ccxt_exchange.client import has_all, made_exchange

    setup = FeedSetup("x", FixedClock(NOW), [])

    without = [
        name
        for name in ccxt.exchanges
        if not has_all(made_exchange(read_options({"exchange": name}), setup))
    ]

    assert without == ["mudrex", "onetrading"]


def test_an_exchange_that_cannot_be_followed_is_away_and_says_so() -> None:
    from marketdata.feeds.ccxt_exchange.client import CcxtFeed

    feed = CcxtFeed(FeedSetup("x", FixedClock(NOW), [], {"exchange": "mudrex"}))

    with pytest.raises(FeedAwayError, match="does not read order books and trades of mudrex"):
        asyncio.run(feed.open())


def test_the_time_of_the_tests_is_the_time_of_the_messages() -> None:
    assert to_ns(datetime(2024, 3, 15, 10, 30, tzinfo=UTC)) + 123_000_000 == AT_NS
