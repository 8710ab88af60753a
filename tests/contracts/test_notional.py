"""Orders for a value with stock alpaca-py."""

from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def http(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-notional")
    key = live_portal.create_key("alice-notional")
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def trading(live_portal: LivePortal, http: httpx.Client) -> TradingClient:
    return TradingClient(
        http.headers["APCA-API-KEY-ID"],
        http.headers["APCA-API-SECRET-KEY"],
        url_override=live_portal.url,
    )


def for_a_value(notional: float) -> MarketOrderRequest:
    return MarketOrderRequest(
        symbol="BTC/USD", notional=notional, side=OrderSide.BUY, time_in_force=TimeInForce.GTC
    )


def test_an_order_for_a_value_costs_no_more(trading: TradingClient) -> None:
    placed = trading.submit_order(for_a_value(250))

    assert (placed.status, placed.notional) == (OrderStatus.FILLED, "250")
    quantity, price = Decimal(str(placed.filled_qty)), Decimal(str(placed.filled_avg_price))
    assert 0 < quantity * price <= Decimal("250.00000001")  # the average is rounded
    assert quantity < 1
    read = trading.get_order_by_id(placed.id)
    assert (read.notional, read.filled_qty) == ("250", placed.filled_qty)


def test_a_quantity_beside_the_value_is_refused(trading: TradingClient, http: httpx.Client) -> None:
    body = {"symbol": "BTC/USD", "side": "buy", "type": "market", "time_in_force": "gtc"}

    both = http.post("/v2/orders", json={**body, "qty": "1", "notional": "5"})
    neither = http.post("/v2/orders", json=body)
    with pytest.raises(APIError) as small:
        trading.submit_order(for_a_value(0.00001))

    assert (both.status_code, both.json()["code"]) == (422, 40010001)
    assert (neither.status_code, neither.json()["code"]) == (422, 40010001)
    assert small.value.status_code == 422
