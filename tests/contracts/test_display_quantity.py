"""Orders that hide a part, with stock alpaca-py: what it may ask, what everybody sees."""

from collections.abc import Iterator

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import LimitOrderRequest

from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


class IcebergRequest(LimitOrderRequest):
    """As in docs/order-types/iceberg.md."""

    display_qty: float


@pytest.fixture(scope="module")
def http(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-iceberg")
    key = live_portal.create_key("alice-iceberg")
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


def iceberg(display: float) -> IcebergRequest:
    return IcebergRequest(
        symbol="MSFT",
        qty=20,
        display_qty=display,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.GTC,
        limit_price=1.5,
    )


def test_an_order_that_shows_a_part_rests_and_tells_its_owner(
    trading: TradingClient, http: httpx.Client
) -> None:
    placed = trading.submit_order(iceberg(2))

    assert (placed.status, placed.qty) == (OrderStatus.NEW, "20")
    answer = http.get(f"/v2/orders/{placed.id}").json()
    assert (answer["qty"], answer["display_qty"]) == ("20", "2")
    trading.cancel_order_by_id(placed.id)


def test_a_slice_that_is_too_small_is_refused(trading: TradingClient) -> None:
    with pytest.raises(APIError) as refused:
        trading.submit_order(iceberg(0.5))

    assert (refused.value.status_code, refused.value.code) == (422, 42210000)
    assert "display_qty must be a multiple of" in refused.value.message
