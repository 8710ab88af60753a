"""Changing orders over HTTP: stock alpaca-py's replace, a PATCH as ccxt writes it, and our own
routes for an amend and for a cancel of some.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import LimitOrderRequest, ReplaceOrderRequest, StopOrderRequest

from tests.live_portal import LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]


@pytest.fixture(scope="module")
def http(live_portal: LivePortal) -> Iterator[httpx.Client]:
    live_portal.create_trader("alice-replacing")
    key = live_portal.create_key("alice-replacing")
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


def far_away(symbol: str = "MSFT", **extra: Any) -> LimitOrderRequest:  # Any: fields of a request
    fields: dict[str, Any] = {"qty": 5, "limit_price": 1.5, **extra}
    return LimitOrderRequest(
        symbol=symbol, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, **fields
    )


def test_replace_order_by_id_gives_a_new_order(trading: TradingClient) -> None:
    placed = trading.submit_order(far_away())

    replaced = trading.replace_order_by_id(
        placed.id, ReplaceOrderRequest(qty=3, limit_price=1.25, client_order_id=f"r-{placed.id}")
    )

    assert replaced.status is OrderStatus.NEW
    assert (replaced.qty, replaced.limit_price, replaced.filled_qty) == ("3", "1.25", "0")
    assert (replaced.replaces, replaced.client_order_id) == (placed.id, f"r-{placed.id}")
    old = trading.get_order_by_id(placed.id)
    assert (old.status, old.replaced_by) == (OrderStatus.REPLACED, replaced.id)
    assert old.replaced_at is not None
    assert [order.id for order in trading.get_orders()] == [replaced.id]


def test_a_stop_is_moved(trading: TradingClient) -> None:
    placed = trading.submit_order(
        StopOrderRequest(
            symbol="MSFT", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, stop_price=9000
        )
    )

    moved = trading.replace_order_by_id(placed.id, ReplaceOrderRequest(stop_price=8000))

    assert (moved.stop_price, moved.limit_price) == ("8000", "8200")


def test_what_cannot_be_replaced_is_refused(trading: TradingClient) -> None:
    placed = trading.submit_order(far_away())

    with pytest.raises(APIError) as unchanged:
        trading.replace_order_by_id(placed.id, ReplaceOrderRequest(limit_price=1.5))
    with pytest.raises(APIError) as unknown:
        trading.replace_order_by_id(uuid4(), ReplaceOrderRequest(qty=3))
    trading.cancel_order_by_id(placed.id)
    with pytest.raises(APIError) as closed:
        trading.replace_order_by_id(placed.id, ReplaceOrderRequest(qty=3))

    assert (unchanged.value.status_code, unchanged.value.code) == (422, 42210000)
    assert "order parameters are not changed" in unchanged.value.message
    assert unknown.value.status_code == 404
    assert closed.value.status_code == 422
    assert closed.value.message == 'order is already in "canceled" state'


def test_a_patch_as_ccxt_writes_it(http: httpx.Client, trading: TradingClient) -> None:
    """What ccxt's edit_order sends: strings, its own client order id, the time in force again."""
    placed = trading.submit_order(far_away())

    answer = http.patch(
        f"/v2/orders/{placed.id}",
        json={
            "qty": "2",
            "limit_price": "1.4",
            "time_in_force": "gtc",
            "client_order_id": f"ccxt_{placed.id.hex[:16]}",
        },
    )

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in ("qty", "limit_price", "replaces")} == {
        "qty": "2",
        "limit_price": "1.4",
        "replaces": str(placed.id),
    }


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        ({"quantity": "3"}, 40010001, "FIELD_UNKNOWN"),
        ({"qty": "x"}, 40010001, "FIELD_INVALID"),
        ({"trail": "1"}, 42210000, "TRAIL_NOT_ALLOWED"),
        ({"time_in_force": "never"}, 40010001, "FIELD_INVALID"),
        ({"qty": "0"}, 42210000, "QUANTITY_OUT_OF_RANGE"),
        ({}, 42210000, "ORDER_UNCHANGED"),
    ],
)
def test_a_senseless_patch_is_refused(
    http: httpx.Client, trading: TradingClient, body: dict[str, str], code: int, reason: str
) -> None:
    placed = trading.submit_order(far_away())

    answer = http.patch(f"/v2/orders/{placed.id}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["reason"] == reason
    assert [order.id for order in trading.get_orders()] == [placed.id]


def test_a_patch_with_an_idempotency_key_is_done_once(
    http: httpx.Client, trading: TradingClient
) -> None:
    placed = trading.submit_order(far_away())
    sent = [
        http.patch(
            f"/v2/orders/{placed.id}",
            json={"qty": "2"},
            headers={"Idempotency-Key": f'"{placed.id}"'},
        )
        for _ in range(2)
    ]

    assert [answer.status_code for answer in sent] == [200, 200]
    assert sent[0].json() == sent[1].json()
    assert len(trading.get_orders()) == 1


def test_an_amend_keeps_the_order(http: httpx.Client, trading: TradingClient) -> None:
    placed = trading.submit_order(far_away())

    answer = http.patch(f"/api/v1/orders/{placed.id}", json={"quantity": "2"})
    refused = http.patch(f"/api/v1/orders/{placed.id}", json={"quantity": "5"})
    nothing = http.patch(f"/api/v1/orders/{placed.id}", json={})

    assert answer.status_code == 200
    told = {name: answer.json()[name] for name in ("id", "quantity", "status", "leaves_quantity")}
    assert told == {
        "id": str(placed.id),
        "quantity": "2",
        "status": "ACCEPTED",
        "leaves_quantity": "2",
    }
    assert (refused.status_code, refused.json()["reason"]) == (422, "AMEND_NOT_LESS")
    assert (nothing.status_code, nothing.json()["reason"]) == (422, "FIELD_MISSING")
    assert trading.get_order_by_id(placed.id).qty == "2"


def test_cancel_all_of_some(http: httpx.Client, trading: TradingClient) -> None:
    microsoft, apple = trading.submit_order(far_away()), trading.submit_order(far_away("AAPL"))

    misspelt = http.delete("/v2/orders", params={"symbols": "MSFT,APPL"})
    of_another_side = http.delete("/v2/orders", params={"side": "sell"})
    of_one = http.delete("/v2/orders", params={"symbols": "MSFT", "side": "buy"})
    native = http.delete("/api/v1/orders", params={"symbols": "AAPL"})

    assert (misspelt.status_code, misspelt.json()["reason"]) == (422, "INSTRUMENT_UNKNOWN")
    assert (of_another_side.status_code, of_another_side.json()) == (207, [])
    assert [entry["id"] for entry in of_one.json()] == [str(microsoft.id)]
    assert native.status_code == 200
    assert [order["id"] for order in native.json()] == [str(apple.id)]
    assert http.delete("/v2/orders", params={"sides": "buy"}).status_code == 422


def test_self_trade_prevention_is_a_field_of_the_order(
    http: httpx.Client, trading: TradingClient
) -> None:
    """The SDK's own fields, with ours beside them."""
    fields = far_away(limit_price=1.25).to_request_fields()

    answer = http.post("/v2/orders", json={**fields, "stp_mode": "expire_maker"})
    unknown = http.post("/v2/orders", json={**fields, "stp_mode": "transfer"})

    assert (answer.status_code, answer.json()["stp_mode"]) == (200, "expire_maker")
    assert answer.json()["prevented_qty"] == "0"
    assert (unknown.status_code, unknown.json()["facts"]["field"]) == (422, "stp_mode")
    assert trading.get_order_by_id(answer.json()["id"]).status is OrderStatus.NEW


def test_conditions_are_fields_of_the_order(http: httpx.Client, trading: TradingClient) -> None:
    fields = far_away(limit_price=1.25).to_request_fields()

    resting = http.post("/v2/orders", json={**fields, "post_only": True})
    taking = http.post("/v2/orders", json={**fields, "limit_price": 9000, "post_only": True})
    growing = http.post("/v2/orders", json={**fields, "reduce_only": True})
    late = http.post("/v2/orders", json={**fields, "deadline": "2020-01-31T12:00:00Z"})
    odd = [
        http.post("/v2/orders", json={**fields, name: value}).json()["reason"]
        for name, value in (("post_only", "yes"), ("deadline", "soon"), ("deadline", "2020-01-31"))
    ]

    assert (resting.status_code, resting.json()["post_only"]) == (200, True)
    refused = [(answer.status_code, answer.json()["reason"]) for answer in (taking, growing, late)]
    assert refused == [
        (422, "POST_ONLY_WOULD_TAKE"),
        (422, "REDUCE_ONLY_EXCEEDS"),
        (422, "DEADLINE_PASSED"),
    ]
    assert set(odd) == {"FIELD_INVALID"}
    assert len(trading.get_orders()) == 1
