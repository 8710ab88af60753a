"""A stock alpaca-py script, unmodified: account, quote, orders, stream, cancel, positions.

Only addresses differ from a script against the vendor. The server is a whole running portal.
"""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from queue import Empty, Queue

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import CryptoHistoricalDataClient, StockHistoricalDataClient
from alpaca.data.requests import CryptoLatestQuoteRequest, StockLatestQuoteRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.models import TradeUpdate
from alpaca.trading.requests import (
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    StopLimitOrderRequest,
    StopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PATIENCE_SECONDS = 60
ORDER = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "limit_price": "1"}


class Updates:
    """The trade updates of one key, in the order of their arrival."""

    def __init__(self, key: Key, url: str) -> None:
        self._queue: Queue[TradeUpdate] = Queue()
        self._stream = TradingStream(
            key.key_id, key.secret, url_override=url.replace("http", "ws") + "/stream"
        )
        self._stream.subscribe_trade_updates(self._take)
        self._thread = threading.Thread(target=self._stream.run, daemon=True)
        self._thread.start()

    async def _take(self, update: TradeUpdate) -> None:
        self._queue.put(update)

    def next(self) -> TradeUpdate:
        return self._queue.get(timeout=PATIENCE_SECONDS)

    def is_silent(self) -> bool:
        try:
            self._queue.get(timeout=1)
        except Empty:
            return True
        return False

    def stop(self) -> None:
        self._stream.stop()
        self._thread.join(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-alpaca")
    return live_portal.create_key("alice-alpaca")


@pytest.fixture
def trading(live_portal: LivePortal, key: Key) -> TradingClient:
    return TradingClient(key.key_id, key.secret, url_override=live_portal.url)


@pytest.fixture
def updates(live_portal: LivePortal, key: Key, trading: TradingClient) -> Iterator[Updates]:
    updates = Updates(key, live_portal.url)
    _wait_until_heard(updates, trading)
    yield updates
    updates.stop()


def _wait_until_heard(updates: Updates, trading: TradingClient) -> None:
    """The SDK does not say when it listens: place and cancel far-away orders until one is heard."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while updates.is_silent():
        assert time.monotonic() < deadline, "the stream never spoke"
        trading.cancel_order_by_id(trading.submit_order(_far_away()).id)
    while not updates.is_silent():
        pass


def _far_away(**extra: str) -> LimitOrderRequest:
    return LimitOrderRequest(
        symbol="MSFT", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=1.5,
        **extra,
    )  # fmt: skip


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_whole_session_runs(
    live_portal: LivePortal, key: Key, trading: TradingClient, updates: Updates
) -> None:
    account = trading.get_account()
    assert (account.status, account.currency, account.cash) == ("ACTIVE", "USD", "100000")
    data = StockHistoricalDataClient(key.key_id, key.secret, url_override=live_portal.url)
    quote = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))["AAPL"]
    assert 0 < quote.bid_price < quote.ask_price

    bought = trading.submit_order(
        MarketOrderRequest(symbol="AAPL", qty=5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    )

    assert bought.status is OrderStatus.FILLED
    assert updates.next().event == "new"
    told: list[TradeUpdate] = []
    while not told or told[-1].event != "fill":
        told.append(updates.next())
    assert sum(update.qty for update in told) == 5
    assert told[-1].position_qty == 5
    assert all(update.order.id == bought.id for update in told)
    position = trading.get_open_position("AAPL")
    assert (position.qty, position.avg_entry_price) == ("5", bought.filled_avg_price)
    spent = Decimal("100000") - Decimal(str(trading.get_account().cash))
    assert spent == sum(Decimal(str(update.price)) * Decimal(str(update.qty)) for update in told)


def test_a_resting_order_is_found_listed_and_canceled(
    trading: TradingClient, updates: Updates
) -> None:
    before = trading.get_account().cash
    placed = trading.submit_order(_far_away(client_order_id="resting-1"))

    assert placed.status is OrderStatus.NEW
    assert Decimal(str(trading.get_account().cash)) == Decimal(str(before)) - Decimal("1.5")
    assert trading.get_order_by_client_id("resting-1").id == placed.id
    assert [order.id for order in trading.get_orders()] == [placed.id]
    trading.cancel_order_by_id(placed.id)

    assert trading.get_order_by_id(placed.id).status is OrderStatus.CANCELED
    assert trading.get_account().cash == before
    assert [updates.next().event, updates.next().event] == ["new", "canceled"]
    closed = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED, limit=1))
    assert [order.id for order in closed] == [placed.id]


def test_a_limit_order_that_reaches_the_quote_fills_and_cancel_all_takes_the_rest(
    live_portal: LivePortal, trading: TradingClient
) -> None:
    crypto = CryptoHistoricalDataClient(url_override=live_portal.url)
    ask = crypto.get_crypto_latest_quote(CryptoLatestQuoteRequest(symbol_or_symbols="BTC/USD"))[
        "BTC/USD"
    ].ask_price

    filled = trading.submit_order(
        LimitOrderRequest(
            symbol="BTC/USD", qty=0.01, side=OrderSide.BUY, time_in_force=TimeInForce.GTC,
            limit_price=round(ask * 1.01, 2),
        )
    )  # fmt: skip
    waiting = [trading.submit_order(_far_away()) for _ in range(3)]

    assert filled.status is OrderStatus.FILLED
    assert Decimal(str(filled.filled_avg_price)) <= Decimal(str(round(ask * 1.01, 2)))
    canceled = trading.cancel_orders()
    assert {entry.id for entry in canceled} == {order.id for order in waiting}
    assert {entry.status for entry in canceled} == {200}
    assert trading.get_orders() == []


def test_stop_orders_wait_with_their_prices_and_are_canceled(
    trading: TradingClient, updates: Updates
) -> None:
    buy = trading.submit_order(
        StopOrderRequest(
            symbol="MSFT", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, stop_price=9000
        )
    )
    limited = trading.submit_order(
        StopLimitOrderRequest(
            symbol="MSFT", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY,
            stop_price=9000, limit_price=9001.5,
        )
    )  # fmt: skip

    assert (buy.status, buy.order_type) == (OrderStatus.NEW, OrderType.STOP)
    assert (buy.stop_price, buy.limit_price) == ("9000", "9225")
    assert (limited.order_type, limited.stop_price) == (OrderType.STOP_LIMIT, "9000")
    assert limited.limit_price == "9001.5"
    assert {order.id for order in trading.get_orders()} == {buy.id, limited.id}
    trading.cancel_orders()
    assert trading.get_orders() == []
    assert [updates.next().event for _ in range(4)] == ["new", "new", "canceled", "canceled"]


def test_gtd_order_is_read_by_a_stock_client(trading: TradingClient) -> None:
    """As `gtc` with its end, for the client knows no `gtd`."""
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    sent = trading.post(
        "/orders",
        {**ORDER, "time_in_force": "gtd", "expires_at": end.isoformat()},
    )

    order = trading.get_order_by_id(sent["id"])

    assert order.time_in_force is TimeInForce.GTC
    assert order.expires_at == end
    trading.cancel_order_by_id(order.id)
    with pytest.raises(APIError, match="expires_at"):
        trading.post("/orders", {**ORDER, "time_in_force": "gtd", "expires_at": "tomorrow"})
    with pytest.raises(APIError, match="needs expires_at"):
        trading.post("/orders", {**ORDER, "time_in_force": "gtd"})


def test_the_market_elects_a_stop_order(
    live_portal: LivePortal, trading: TradingClient, updates: Updates
) -> None:
    """Whichever way the simulated market goes, one of the two is reached within seconds."""
    trading.submit_order(
        MarketOrderRequest(
            symbol="BTC/USD", qty=0.01, side=OrderSide.BUY, time_in_force=TimeInForce.GTC
        )
    )
    while updates.next().event != "fill":
        pass
    crypto = CryptoHistoricalDataClient(url_override=live_portal.url)
    quote = crypto.get_crypto_latest_quote(CryptoLatestQuoteRequest(symbol_or_symbols="BTC/USD"))[
        "BTC/USD"
    ]
    for side, price in (
        (OrderSide.BUY, quote.ask_price + 10),
        (OrderSide.SELL, quote.bid_price - 10),
    ):
        trading.submit_order(
            StopOrderRequest(
                symbol="BTC/USD", qty=0.01, side=side, time_in_force=TimeInForce.GTC,
                stop_price=round(price, 2),
            )
        )  # fmt: skip

    told = [updates.next()]
    while told[-1].event != "fill":
        told.append(updates.next())

    elected = told[-1].order.id
    events = [update.event for update in told if update.order.id == elected]
    assert (events[:2], events[-1]) == (["new", "restated"], "fill")
    trading.cancel_orders()


def test_a_stop_that_cannot_wait_is_refused(trading: TradingClient) -> None:
    with pytest.raises(APIError) as refused:
        trading.submit_order(
            StopOrderRequest(
                symbol="AAPL", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.IOC,
                stop_price=9000,
            )
        )  # fmt: skip

    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    assert trading.get_orders() == []


def test_a_refusal_tells_the_dialects_code_and_changes_nothing(trading: TradingClient) -> None:
    before = trading.get_account().cash

    with pytest.raises(APIError) as unknown:
        trading.submit_order(
            MarketOrderRequest(
                symbol="NOPE", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
        )
    with pytest.raises(APIError) as poor:
        trading.submit_order(
            LimitOrderRequest(
                symbol="AAPL", qty=100_000, side=OrderSide.BUY, time_in_force=TimeInForce.GTC,
                limit_price=100,
            )
        )  # fmt: skip

    assert (unknown.value.status_code, unknown.value.code) == (422, 42210000)
    assert (poor.value.status_code, poor.value.code) == (403, 40310000)
    assert trading.get_account().cash == before
    assert trading.get_orders() == []


def test_another_users_order_is_not_there(live_portal: LivePortal, trading: TradingClient) -> None:
    order = trading.submit_order(_far_away())
    live_portal.create_trader("charlie-alpaca", cash="10")
    stranger_key = live_portal.create_key("charlie-alpaca")
    stranger = TradingClient(stranger_key.key_id, stranger_key.secret, url_override=live_portal.url)

    for attempt in (stranger.get_order_by_id, stranger.cancel_order_by_id):
        with pytest.raises(APIError) as refused:
            attempt(order.id)
        assert refused.value.status_code == 404

    assert trading.get_order_by_id(order.id).status is OrderStatus.NEW
    assert stranger.get_orders() == []
    trading.cancel_order_by_id(order.id)
