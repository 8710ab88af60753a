"""Trailing stops with stock alpaca-py: placed, followed, changed, canceled."""

from collections.abc import Iterator

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, OrderType, TimeInForce
from alpaca.trading.requests import ReplaceOrderRequest, TrailingStopOrderRequest

from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def http(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-trailing")
    key = live_portal.create_key("alice-trailing")
    headers = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
    with httpx.Client(base_url=live_portal.url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def trading(live_portal: LivePortal, http: httpx.Client) -> TradingClient:
    http.delete("/v2/orders")
    return TradingClient(
        http.headers["APCA-API-KEY-ID"],
        http.headers["APCA-API-SECRET-KEY"],
        url_override=live_portal.url,
    )


def trailing(**distance: float) -> TrailingStopOrderRequest:
    """A buy, far above whatever the demo market does meanwhile."""
    return TrailingStopOrderRequest(
        symbol="MSFT", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, **distance
    )


def test_a_trailing_stop_tells_its_mark_and_is_changed(trading: TradingClient) -> None:
    placed = trading.submit_order(trailing(trail_percent=50))

    assert (placed.type, placed.status) == (OrderType.TRAILING_STOP, OrderStatus.NEW)
    assert (placed.trail_percent, placed.trail_price) == ("50", None)
    assert placed.hwm is not None and placed.stop_price is not None
    assert float(placed.stop_price) == pytest.approx(float(placed.hwm) * 1.5, abs=0.01)
    read = trading.get_order_by_id(placed.id)
    assert read.hwm is not None
    assert float(read.hwm) <= float(placed.hwm)

    changed = trading.replace_order_by_id(placed.id, ReplaceOrderRequest(trail=60))

    assert changed.hwm is not None and changed.stop_price is not None
    assert (changed.replaces, changed.trail_percent) == (placed.id, "60")
    assert float(changed.hwm) <= float(read.hwm)
    assert float(changed.stop_price) == pytest.approx(float(changed.hwm) * 1.6, abs=0.01)
    trading.cancel_order_by_id(changed.id)
    assert trading.get_order_by_id(changed.id).status is OrderStatus.CANCELED


def test_a_distance_off_the_grid_is_refused(trading: TradingClient) -> None:
    with pytest.raises(APIError) as refused:
        trading.submit_order(trailing(trail_price=0.005))

    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    assert "trail_price must be above 0 and a multiple of 0.01" in refused.value.message
