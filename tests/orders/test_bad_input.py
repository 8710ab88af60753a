"""Numbers that are none, that nobody means, or that are one unit off, through every way in.

Each gets a refusal with a reason code, and nothing of orders, ledger, events or audit changes.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.apps import apps
from websockets.sync.client import ClientConnection, connect

from orders.domain import commands
from orders.models import Order
from tests.engine_process import EngineProcess
from tests.orders.conftest import key_of
from tests.orders.desk import Desk, assert_clean, quote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

Fields = dict[str, object]
NO_NUMBERS = (
    "NaN", "Infinity", "-Infinity", "1e400", "1e-400", "1E999999999", "true", "[]", "{}", '""',
    '"NaN"', '"sNaN"', '"Infinity"', '"-Infinity"', '"1e400"', '"1E999999999"',
    '"1_000"', '"１２"', '"٣"', '" 5 "', '"+5"', '"1E3"', '"1,5"', '"0x10"',
)  # fmt: skip
"""As JSON text: what no field takes for a number."""

OUT_OF_RANGE = ("0", "-0", "-1", '"0"', '"-1"', "1000000000000000000", '"1000000000000000000"')
BAD = (*NO_NUMBERS, *OUT_OF_RANGE)
KEPT_ANYWAY = {"orders.Journal", "orders.EngineLease", "portfolio.EquitySample"}
"""What goes on whether orders are refused or not; the journal holds refused commands, too."""

ORDER: Fields = {
    "symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "gtc",
    "limit_price": "10",
}  # fmt: skip
STOP: Fields = {"limit_price": None, "type": "stop", "stop_price": "200"}
TRAIL: Fields = {"limit_price": None, "type": "trailing_stop", "side": "sell", "trail_price": "1"}
PERCENT: Fields = {
    "limit_price": None,
    "type": "trailing_stop",
    "side": "sell",
    "trail_percent": "1",
}
VALUE: Fields = {"limit_price": None, "qty": None, "type": "market", "notional": "100"}
BRACKET: Fields = {
    "order_class": "bracket", "take_profit": {"limit_price": "20"}, "stop_loss": {"stop_price": "5"}
}  # fmt: skip
FIELDS: dict[str, Fields] = {
    "qty": {"qty": "@"},
    "limit_price": {"limit_price": "@"},
    "stop_price": STOP | {"stop_price": "@"},
    "stop_limit": {"type": "stop_limit", "stop_price": "200", "limit_price": "@"},
    "trail_price": TRAIL | {"trail_price": "@"},
    "trail_percent": PERCENT | {"trail_percent": "@"},
    "notional": VALUE | {"notional": "@"},
    "display_qty": {"qty": "10", "display_qty": "@"},
    "take_profit": BRACKET | {"take_profit": {"limit_price": "@"}},
    "stop_loss": BRACKET | {"stop_loss": {"stop_price": "@"}},
}
"""Where an order has a number: the order with `@` in that place."""


def order(**changes: object) -> Fields:
    return {name: value for name, value in (ORDER | changes).items() if value is not None}


def written(body: object, literal: str) -> str:
    """JSON with the literal where `@` stands."""
    return json.dumps(body).replace('"@"', literal)


@pytest.fixture
def market(engine: EngineProcess, desk: Desk) -> EngineProcess:
    """Alice has 10 AAPL bought at 100 and 9000 in cash; 90 is bid, 110 offered."""
    engine.ask(quote(asks="100x10"))
    desk.place(engine, "alice", "BUY 10 MARKET")
    engine.ask(quote(bids="90x50", asks="110x50"))
    return engine


@pytest.fixture
def http(market: EngineProcess, http_for: Callable[..., httpx.Client]) -> httpx.Client:
    return http_for("alice", headers={"Content-Type": "application/json"})


@pytest.fixture
def resting(http: httpx.Client) -> str:
    """The id of an open order for 5 AAPL at 50."""
    placed = http.post("/v2/orders", content=json.dumps(order(qty="5", limit_price="50")))
    return str(placed.json()["id"])


@pytest.fixture
def socket(market: EngineProcess, gateway: str, desk: Desk) -> Iterator[ClientConnection]:
    with ExitStack() as opened:
        connection = opened.enter_context(connect(f"ws://{gateway}/api/v1/stream"))
        key_id, secret = key_of(desk, "alice")
        connection.send(json.dumps({"op": "auth", "key_id": key_id, "secret": secret}))
        connection.recv(20)
        yield connection


def everything() -> dict[str, list[Any]]:
    """Every row of orders, money, events and audit."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for name in ("orders", "portfolio", "risk", "core")
        for model in apps.get_app_config(name).get_models()
        if model._meta.label not in KEPT_ANYWAY
    }


def assert_refused(status: int, body: dict[str, Any], what: object) -> None:
    assert status in {422, 403}, (what, status, body)
    assert body["reason"], what
    assert body["message"], what
    assert body["code"] // 100_000 in {400, status}, what


def test_no_field_of_an_order_takes_what_is_no_number_in_range(http: httpx.Client) -> None:
    before = everything()

    for field, changes in FIELDS.items():
        for literal in BAD:
            answer = http.post("/v2/orders", content=written(order(**changes), literal))
            assert_refused(answer.status_code, answer.json(), (field, literal))

    assert everything() == before


def test_a_batch_with_a_bad_number_does_nothing_of_it_or_refuses_that_entry(
    http: httpx.Client,
) -> None:
    """What cannot be read refuses all; what is out of range, its own entry."""
    before = everything()

    for field in ("qty", "limit_price"):
        for literal in BAD:
            orders = [order(**FIELDS[field])] * 2
            answer = http.post("/api/v1/orders/batch", content=written({"orders": orders}, literal))
            if answer.status_code == 207:
                for entry in answer.json():
                    assert_refused(entry["status"], entry["error"], literal)
            else:
                assert_refused(answer.status_code, answer.json(), literal)

    assert everything() == before


def test_a_socket_takes_no_bad_number_either(socket: ClientConnection) -> None:
    before = everything()

    for field in ("qty", "limit_price"):
        for literal in BAD:
            bad = order(**FIELDS[field])
            for op, data in (("order.place", bad), ("order.batch", {"orders": [bad]})):
                socket.send(written({"op": op, "id": 1, "data": data}, literal))
                reply = json.loads(socket.recv(20))
                if reply["op"] == "error":  # a frame that is no JSON is no request either
                    assert reply["code"] == "REQUEST_MALFORMED", literal
                elif reply["status"] == 207:
                    entry = reply["data"][0]
                    assert_refused(entry["status"], entry["error"], literal)
                else:
                    assert_refused(reply["status"], reply["error"], literal)

    assert everything() == before


def test_an_open_order_is_not_changed_by_a_bad_number(http: httpx.Client, resting: str) -> None:
    before = everything()

    for literal in (*BAD, "null"):
        for path, name in (
            (f"/v2/orders/{resting}", "qty"),
            (f"/v2/orders/{resting}", "limit_price"),
            (f"/api/v1/orders/{resting}", "quantity"),
        ):
            answer = http.patch(path, content=written({name: "@"}, literal))
            assert_refused(answer.status_code, answer.json(), (path, name, literal))

    assert everything() == before


def test_a_position_is_not_closed_by_a_bad_number(http: httpx.Client) -> None:
    texts = {literal.strip('"') for literal in BAD} - {"true", "[]", "{}"}
    before = everything()

    for name in ("qty", "percentage"):
        for text in sorted(texts):
            answer = http.delete("/v2/positions/AAPL", params={name: text})
            assert_refused(answer.status_code, answer.json(), (name, text))

    assert everything() == before


BOUNDS: dict[str, tuple[Fields, Fields, str]] = {
    "tick": ({"limit_price": "10.001"}, {"limit_price": "10.01"}, "PRICE_OFF_TICK"),
    "lot": ({"qty": "1.5"}, {"qty": "2"}, "QUANTITY_OFF_LOT"),
    "lot of a pair": (
        {"symbol": "BTC/USD", "qty": "0.10001"},
        {"symbol": "BTC/USD", "qty": "0.1001"},
        "QUANTITY_OFF_LOT",
    ),
    "least value": (
        {"symbol": "BTC/USD", "qty": "0.1", "limit_price": "9.99"},
        {"symbol": "BTC/USD", "qty": "0.1", "limit_price": "10"},
        "NOTIONAL_BELOW_MINIMUM",
    ),
    "cash": ({"limit_price": "9000.01"}, {"limit_price": "9000"}, "FUNDS_INSUFFICIENT"),
    "position": (
        {"side": "sell", "qty": "11", "limit_price": "200"},
        {"side": "sell", "qty": "10", "limit_price": "200"},
        "POSITION_INSUFFICIENT",
    ),
}
"""One unit off; exactly on it; the reason."""


def test_one_unit_off_is_refused_and_exactly_on_the_bound_is_taken(http: httpx.Client) -> None:
    for name, (off, exact, reason) in BOUNDS.items():
        if name == "cash":  # whatever is offered would be taken, and cost less
            off, exact = off | {"symbol": "BTC/USD"}, exact | {"symbol": "BTC/USD"}
        before = everything()
        refused = http.post("/v2/orders", content=json.dumps(order(**off)))
        assert_refused(refused.status_code, refused.json(), name)
        assert (refused.json()["reason"], everything() == before) == (reason, True), name

        taken = http.post("/v2/orders", content=json.dumps(order(**exact)))

        assert (taken.status_code, taken.json()["status"]) == (200, "new"), name
        if name == "cash":
            assert http.get("/v2/account").json()["cash"] == "0"
        assert http.delete(f"/v2/orders/{taken.json()['id']}").status_code == 204
    assert_clean()


def test_funds_for_all_but_the_last_unit_of_the_fee_are_not_enough(
    http: httpx.Client, desk: Desk, market: EngineProcess
) -> None:
    """10 at 899.1 cost 8991, and 0.1 % of it 8.991."""
    account = desk.accounts["alice"].pk
    market.ask(commands.SetFeeTier("GOLD", "Gold", Decimal(1), Decimal(10), "r"))
    market.ask(commands.SetAccountTier(account, "GOLD", "r"))
    market.ask(commands.MoveCash(account, Decimal("-0.00900001"), "ADJUSTMENT", "r", "less"))
    body = json.dumps(order(symbol="BTC/USD", qty="10", limit_price="899.1"))
    before = everything()

    short = http.post("/v2/orders", content=body)

    assert (short.status_code, short.json()["reason"]) == (403, "FUNDS_INSUFFICIENT")
    assert (short.json()["required"], short.json()["available"]) == ("8999.991", "8999.99099999")
    assert everything() == before

    market.ask(commands.MoveCash(account, Decimal("0.00000001"), "ADJUSTMENT", "r", "more"))
    exact = http.post("/v2/orders", content=body)

    assert exact.status_code == 200
    assert http.get("/v2/account").json()["cash"] == "0"
    assert Order.objects.get(pk=UUID(exact.json()["id"])).closed_at is None
    assert_clean()
