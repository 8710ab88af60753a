"""Bracket, OCO and OTO over HTTP, as an unmodified alpaca-py script uses them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import StockLatestQuoteRequest
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.models import Order
from alpaca.trading.requests import (
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLossRequest,
    TakeProfitRequest,
)

from tests.contracts.test_alpaca_session import Updates, _wait_until_heard
from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-classes")
    return live_portal.create_key("alice-classes")


@pytest.fixture
def trading(live_portal: LivePortal, key: Key) -> Iterator[TradingClient]:
    trading = TradingClient(key.key_id, key.secret, url_override=live_portal.url)
    yield trading
    trading.cancel_orders()
    trading.close_all_positions(cancel_orders=True)


@pytest.fixture
def price(live_portal: LivePortal, key: Key) -> int:
    """What AAPL is asked for now, in whole dollars."""
    data = StockHistoricalDataClient(key.key_id, key.secret, url_override=live_portal.url)
    asked = StockLatestQuoteRequest(symbol_or_symbols="AAPL")
    return int(data.get_stock_latest_quote(asked)["AAPL"].ask_price)


def bought_with_legs(trading: TradingClient, price: int) -> Order:
    """Five shares with a take profit and a stop loss that the market does not reach."""
    return trading.submit_order(
        MarketOrderRequest(
            symbol="AAPL",
            qty=5,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=price * 3),
            stop_loss=StopLossRequest(stop_price=price // 3, limit_price=price // 4),
        )
    )


def by_id(trading: TradingClient, order: Order) -> Order:
    return trading.get_order_by_id(order.id)


def test_a_bracket_runs_from_its_entry_to_its_end(
    live_portal: LivePortal, key: Key, trading: TradingClient, price: int
) -> None:
    updates = Updates(key, live_portal.url)
    _wait_until_heard(updates, trading)

    entry = bought_with_legs(trading, price)

    assert (entry.status, entry.order_class) == (OrderStatus.FILLED, OrderClass.BRACKET)
    profit, loss = entry.legs
    assert (profit.order_type, profit.side) == (OrderType.LIMIT, OrderSide.SELL)
    assert (loss.order_type, loss.stop_price) == (OrderType.STOP_LIMIT, str(price // 3))
    assert [leg.status for leg in (profit, loss)] == [OrderStatus.NEW] * 2
    assert len({entry.id, profit.id, loss.id}) == 3
    assert len({order.client_order_id for order in (entry, profit, loss)}) == 3
    assert trading.get_open_position("AAPL").qty_available == "0"

    moved = trading.replace_order_by_id(profit.id, ReplaceOrderRequest(limit_price=price * 4))
    assert (moved.replaces, moved.status) == (profit.id, OrderStatus.NEW)
    trading.cancel_order_by_id(loss.id)

    assert by_id(trading, moved).status is OrderStatus.CANCELED
    assert trading.get_open_position("AAPL").qty_available == "5"
    told = []
    while len([event for event, _ in told if event == "canceled"]) < 2:
        update = updates.next()
        told.append((update.event, update.order.id))
    updates.stop()
    fills = [pair for pair in told if pair[0] in ("fill", "partial_fill")]
    assert {order_id for _, order_id in fills} == {entry.id}
    assert [pair for pair in told if pair not in fills] == [
        ("new", entry.id),
        ("held", profit.id),
        ("held", loss.id),
        ("new", profit.id),
        ("new", loss.id),
        ("replaced", profit.id),
        ("new", moved.id),
        ("canceled", loss.id),
        ("canceled", moved.id),
    ]


def test_a_bracket_far_from_the_market_holds_its_legs(trading: TradingClient, price: int) -> None:
    entry = trading.submit_order(
        LimitOrderRequest(
            symbol="AAPL",
            qty=5,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            limit_price=price // 2,
            order_class=OrderClass.BRACKET,
            take_profit=TakeProfitRequest(limit_price=price),
            stop_loss=StopLossRequest(stop_price=price // 3),
        )
    )

    assert [leg.status for leg in entry.legs] == [OrderStatus.HELD] * 2
    flat = trading.get_orders(GetOrdersRequest(nested=False))
    assert {order.id for order in flat} == {entry.id, *(leg.id for leg in entry.legs)}
    assert [order.legs for order in flat] == [None] * 3
    (nested,) = trading.get_orders(GetOrdersRequest(nested=True))
    assert [leg.id for leg in nested.legs] == [leg.id for leg in entry.legs]
    one = trading.get_order_by_id(entry.id, GetOrderByIdRequest(nested=True))
    assert [leg.id for leg in one.legs] == [leg.id for leg in entry.legs]
    moved = trading.replace_order_by_id(
        entry.legs[0].id, ReplaceOrderRequest(limit_price=price + 1)
    )
    assert moved.status is OrderStatus.HELD

    trading.cancel_order_by_id(entry.id)

    assert trading.get_orders() == []
    assert [by_id(trading, leg).status for leg in (moved, entry.legs[1])] == [
        OrderStatus.CANCELED
    ] * 2


def test_an_oco_closes_a_position_once(trading: TradingClient, price: int) -> None:
    trading.submit_order(
        MarketOrderRequest(symbol="AAPL", qty=5, side=OrderSide.BUY, time_in_force=TimeInForce.GTC)
    )

    profit = trading.submit_order(
        LimitOrderRequest(
            symbol="AAPL",
            qty=5,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.GTC,
            order_class=OrderClass.OCO,
            take_profit=TakeProfitRequest(limit_price=price * 3),
            stop_loss=StopLossRequest(stop_price=price // 3),
        )
    )

    (loss,) = profit.legs
    assert (profit.limit_price, loss.stop_price) == (str(price * 3), str(price // 3))
    assert trading.get_open_position("AAPL").qty_available == "0"
    moved = trading.replace_order_by_id(profit.id, ReplaceOrderRequest(limit_price=price // 2))

    assert moved.status is OrderStatus.FILLED
    assert by_id(trading, loss).status is OrderStatus.CANCELED
    assert [item.symbol for item in trading.get_all_positions()] == []
    closed = trading.get_orders(
        GetOrdersRequest(status=QueryOrderStatus.CLOSED, nested=True, limit=3)
    )
    assert [(order.id, order.order_class) for order in closed] == [
        (moved.id, OrderClass.OCO),
        (profit.id, OrderClass.OCO),
        (closed[2].id, OrderClass.SIMPLE),
    ]
    assert [leg.id for leg in closed[0].legs] == [loss.id]
    assert closed[1].legs is None


def test_an_oto_protects_what_it_bought(trading: TradingClient, price: int) -> None:
    entry = trading.submit_order(
        MarketOrderRequest(
            symbol="AAPL",
            qty=2,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            order_class=OrderClass.OTO,
            stop_loss=StopLossRequest(stop_price=price // 3),
        )
    )

    (loss,) = entry.legs
    assert (entry.status, loss.status) == (OrderStatus.FILLED, OrderStatus.NEW)
    assert (loss.order_type, loss.qty) == (OrderType.STOP, "2")
    nested = trading.get_orders(GetOrdersRequest(nested=True))
    assert [(order.id, [leg.id for leg in order.legs]) for order in nested] == [
        (entry.id, [loss.id])
    ]


ORDER = {
    "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "limit_price": "100",
    "time_in_force": "gtc",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order_class": "bracket", "take_profit": {"limit_price": "110"}}, "needs take_profit"),
        ({"order_class": "oto"}, "does not go with these legs"),
        ({"order_class": "mleg"}, "order_class must be one of"),
        ({"take_profit": {"limit_price": "110"}}, "goes with order_class"),
        ({"order_class": "oto", "stop_loss": {"limit_price": "9"}}, "stop_loss must be an object"),
        ({"order_class": "oto", "stop_loss": "95"}, "stop_loss must be an object"),
        ({"order_class": "oto", "stop_loss": {"stop_price": "105"}}, "wrong side"),
        ({"order_class": "oto", "stop_loss": {"stop_price": "1e999"}}, "plain decimal|too"),
        ({"order_class": "oto", "stop_loss": {"stop_price": 95}, "symbol": "BTC/USD"}, "simple"),
        ({"order_class": "oco", "stop_loss": {"stop_price": 95}}, "take_profit is required"),
        (
            {
                "order_class": "oco",
                "stop_loss": {"stop_price": 95},
                "take_profit": {"limit_price": 99},
            },
            "must be that of take_profit",
        ),
        (
            {"order_class": "oto", "stop_loss": {"stop_price": 95}, "time_in_force": "ioc"},
            "takes time_in_force day or gtc",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    trading: TradingClient, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(APIError, match=message) as refused:
        trading.post("/orders", {**ORDER, **changes})

    assert refused.value.status_code == 422
    assert trading.get_orders() == []


def test_quantity_of_a_group_cannot_be_replaced(trading: TradingClient, price: int) -> None:
    entry = bought_with_legs(trading, price)

    with pytest.raises(APIError, match="its prices can be changed"):
        trading.replace_order_by_id(entry.legs[0].id, ReplaceOrderRequest(qty=2))

    assert [by_id(trading, leg).qty for leg in entry.legs] == ["5", "5"]


def test_a_request_sent_again_answers_with_the_same_legs(
    live_portal: LivePortal, key: Key, trading: TradingClient, price: int
) -> None:
    headers = {
        "APCA-API-KEY-ID": key.key_id,
        "APCA-API-SECRET-KEY": key.secret,
        "Idempotency-Key": '"classes-1"',
    }
    body = {
        **ORDER,
        "limit_price": str(price // 2),
        "order_class": "bracket",
        "take_profit": {"limit_price": price},
        "stop_loss": {"stop_price": price // 3},
    }
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=30) as http:
        first, again = [http.post("/v2/orders", json=body).json() for _ in range(2)]

    assert first == again
    assert len(first["legs"]) == 2
    assert Decimal(first["legs"][1]["stop_price"]) == price // 3
    assert len(trading.get_orders()) == 3


def test_another_users_legs_are_not_there(
    live_portal: LivePortal, trading: TradingClient, price: int
) -> None:
    entry = bought_with_legs(trading, price)
    live_portal.create_trader("charlie-classes", cash="10")
    stranger_key = live_portal.create_key("charlie-classes")
    stranger = TradingClient(stranger_key.key_id, stranger_key.secret, url_override=live_portal.url)

    for order in entry.legs:
        with pytest.raises(APIError) as refused:
            stranger.get_order_by_id(order.id)
        assert refused.value.status_code == 404
    assert stranger.get_orders(GetOrdersRequest(nested=True)) == []
