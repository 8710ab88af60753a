"""Unmodified ccxt against a whole running portal: markets, orders, refusals, live orders.

ccxt knows pairs only, sends decimals as text and names each order itself.
"""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.ccxt_client import exchange, live_exchange
from tests.live_portal import Key, LivePortal

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("contracts")]
PAIR = "BTC/USD"
FAR = 1000.0
"""A price that the simulated market, near 64000, does not come to."""
PATIENCE_SECONDS = 30
Client = Any  # ccxt has no types


@pytest.fixture(scope="module")
def key(live_portal: LivePortal) -> Key:
    live_portal.create_trader("alice-ccxt")
    return live_portal.create_key("alice-ccxt")


@pytest.fixture(scope="module")
def ccxt(live_portal: LivePortal, key: Key) -> Client:
    return exchange(live_portal.url, key)


def orders_and_cash(ccxt: Client) -> tuple[list[str], float]:
    orders = [order["id"] for order in ccxt.fetch_orders(PAIR, limit=500)]
    return orders, ccxt.fetch_balance()["USD"]["free"]


def test_the_market_is_read(ccxt: Client) -> None:
    markets = ccxt.load_markets()
    ticker = ccxt.fetch_ticker(PAIR)
    book = ccxt.fetch_order_book(PAIR)
    minutes = ccxt.fetch_ohlcv(PAIR, "1m", limit=5)
    days = ccxt.fetch_ohlcv(PAIR, "1d", since=ccxt.milliseconds() - 5 * 86_400_000)
    trades = ccxt.fetch_trades(PAIR, limit=12_000)

    assert sorted(markets) == ["BTC/USD", "ETH/USD"]
    assert markets[PAIR]["precision"] == {"amount": 0.0001, "price": 0.01}
    assert markets[PAIR]["limits"]["amount"]["min"] == 0.0001
    assert abs(ccxt.fetch_time() - time.time() * 1000) < 60_000
    assert 0 < ticker["bid"] < ticker["ask"]
    assert book["bids"] == sorted(book["bids"], reverse=True)
    assert book["asks"] == sorted(book["asks"])
    assert book["bids"][0][0] < book["asks"][0][0]
    starts = [bar[0] for bar in minutes]
    assert len(minutes) == 5
    assert starts == sorted(start - start % 60_000 for start in starts)
    assert all(low <= open_ <= high for _, open_, high, low, _, _ in days)
    assert trades[-1]["price"] > 0
    assert {trade["side"] for trade in trades} <= {"buy", "sell"}


def test_market_orders_fill_and_stand_in_trades_and_balance(ccxt: Client) -> None:
    cash = ccxt.fetch_balance()["USD"]["free"]

    bought = ccxt.create_order(PAIR, "market", "buy", 0.01)
    spent = ccxt.create_market_order_with_cost(PAIR, "buy", 100)
    sold = ccxt.create_order(PAIR, "market", "sell", 0.01)

    assert [order["status"] for order in (bought, spent, sold)] == ["closed"] * 3
    assert (bought["filled"], sold["filled"]) == (0.01, 0.01)
    assert 90 < spent["cost"] <= 100
    trades = ccxt.fetch_my_trades(PAIR)
    ours = [trade for trade in trades if trade["order"] == bought["id"]]
    assert sum(Decimal(str(trade["amount"])) for trade in ours) == Decimal("0.01")
    paid = sum(Decimal(str(order["cost"])) for order in (bought, spent))
    assert Decimal(str(ccxt.fetch_balance()["USD"]["free"])) == (
        Decimal(str(cash)) - paid + Decimal(str(sold["cost"]))
    )


def test_a_resting_order_is_found_changed_and_canceled(ccxt: Client) -> None:
    cash = ccxt.fetch_balance()["USD"]["free"]
    placed = ccxt.create_order(PAIR, "limit", "buy", 0.01, FAR)

    assert (placed["status"], placed["price"], placed["amount"]) == ("open", FAR, 0.01)
    assert placed["clientOrderId"].startswith("ccxt_")
    found = ccxt.fetch_order(placed["id"])
    assert (found["clientOrderId"], found["remaining"]) == (placed["clientOrderId"], 0.01)
    assert ccxt.fetch_balance()["USD"]["free"] == cash - 10

    edited = ccxt.edit_order(placed["id"], PAIR, "limit", "buy", 0.02, FAR + 1)

    assert edited["info"]["replaces"] == placed["id"]
    assert (edited["price"], edited["amount"]) == (FAR + 1, 0.02)
    assert ccxt.fetch_order(placed["id"])["info"]["replaced_by"] == edited["id"]
    assert [order["id"] for order in ccxt.fetch_open_orders(PAIR)] == [edited["id"]]
    assert ccxt.fetch_open_orders("ETH/USD") == []

    ccxt.cancel_order(edited["id"])

    assert ccxt.fetch_order(edited["id"])["status"] == "canceled"
    closed = ccxt.fetch_closed_orders(PAIR)
    assert {placed["id"], edited["id"]} <= {order["id"] for order in closed}
    assert ccxt.fetch_balance()["USD"]["free"] == cash


def test_conditions_go_through_and_cancel_all_ends_what_waits(ccxt: Client) -> None:
    held = ccxt.create_order(PAIR, "market", "buy", 0.01)

    stop = ccxt.create_order(PAIR, "limit", "sell", 0.01, FAR, {"triggerPrice": FAR + 1})
    at_once = ccxt.create_order(PAIR, "limit", "buy", 0.01, FAR, {"timeInForce": "ioc"})

    assert held["status"] == "closed"
    assert (stop["info"]["type"], stop["triggerPrice"], stop["price"]) == (
        "stop_limit",
        FAR + 1,
        FAR,
    )
    assert (at_once["status"], at_once["filled"]) == ("canceled", 0)
    assert [order["id"] for order in ccxt.cancel_all_orders()] == [stop["id"]]
    assert ccxt.fetch_open_orders() == []
    ccxt.create_order(PAIR, "market", "sell", 0.01)


REFUSALS: dict[str, tuple[Callable[[Client], object], str, str]] = {
    "more than the cash": (
        lambda ccxt: ccxt.create_order(PAIR, "limit", "buy", 100, 60_000),
        "InsufficientFunds",
        "insufficient balance for USD",
    ),
    "more than is held": (
        lambda ccxt: ccxt.create_order("ETH/USD", "market", "sell", 1),
        "InsufficientFunds",
        "insufficient balance for ETH",
    ),
    "an order that is not there": (
        lambda ccxt: ccxt.cancel_order("00000000-0000-4000-8000-000000000000"),
        "InvalidOrder",
        "order not found",
    ),
    "a type that is not there": (
        lambda ccxt: ccxt.create_order(PAIR, "pegged", "buy", 1),
        "BadRequest",
        "type must be one of",
    ),
    "a side that is not there": (
        lambda ccxt: ccxt.create_order(PAIR, "market", "up", 1),
        "BadRequest",
        "side must be one of",
    ),
    "worth less than the minimum": (
        lambda ccxt: ccxt.create_order(PAIR, "limit", "buy", 0.0001, 10),
        "ExchangeError",
        "below the minimum of 1",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_the_error_that_ccxt_has_for_it(ccxt: Client, name: str) -> None:
    attempt, error, text = REFUSALS[name]
    before = orders_and_cash(ccxt)

    with pytest.raises(Exception, match=text) as refused:
        attempt(ccxt)

    assert type(refused.value).__name__ == error
    assert orders_and_cash(ccxt) == before


def test_a_client_order_id_counts_once(ccxt: Client) -> None:
    named = {"clientOrderId": "ccxt-once"}
    placed = ccxt.create_order(PAIR, "limit", "buy", 0.01, FAR, named)
    before = orders_and_cash(ccxt)

    with pytest.raises(Exception, match="client_order_id must be unique"):
        ccxt.create_order(PAIR, "limit", "buy", 0.01, FAR, named)

    assert orders_and_cash(ccxt) == before
    ccxt.cancel_order(placed["id"])


def test_what_a_key_may_not_is_permission_denied(
    live_portal: LivePortal, key: Key, ccxt: Client
) -> None:
    import ccxt as library

    before = orders_and_cash(ccxt)
    wrong = exchange(live_portal.url, Key(key.key_id, "x" * 43))
    reader = exchange(live_portal.url, live_portal.create_key("alice-ccxt", scopes="read"))

    with pytest.raises(library.PermissionDenied):
        wrong.fetch_balance()
    with pytest.raises(library.PermissionDenied):
        reader.create_order(PAIR, "limit", "buy", 0.01, FAR)

    assert reader.fetch_balance()["USD"]["free"] == before[1]
    assert orders_and_cash(ccxt) == before


def test_too_many_requests_are_rate_limit_exceeded(live_portal: LivePortal, key: Key) -> None:
    import ccxt as library

    hasty = exchange(live_portal.url, live_portal.create_key("alice-ccxt", rate_limit=3))
    for _ in range(3):
        hasty.fetch_time()

    with pytest.raises(library.RateLimitExceeded):
        hasty.fetch_time()

    sent = {name.lower(): value for name, value in hasty.last_response_headers.items()}
    assert (sent["x-ratelimit-limit"], sent["x-ratelimit-remaining"]) == ("3", "0")
    assert 1 <= int(sent["retry-after"]) <= 60


def test_ccxt_pro_hears_the_market_and_its_own_orders(live_portal: LivePortal, key: Key) -> None:
    asyncio.run(_live_session(live_portal.url, key))


async def _live_session(url: str, key: Key) -> None:
    client = live_exchange(url, key)
    try:
        book = await soon(client.watch_order_book(PAIR))
        trades = await soon(client.watch_trades(PAIR))
        ticker = await soon(client.watch_ticker(PAIR))
        assert book["bids"][0][0] < book["asks"][0][0]
        assert trades[-1]["price"] > 0
        assert ticker["bid"] < ticker["ask"]

        told = asyncio.create_task(client.watch_orders(PAIR))
        fills = asyncio.create_task(client.watch_my_trades(PAIR))
        resting = await _placed_until_heard(client, told)
        await client.cancel_order(resting["id"])
        heard: dict[str, str] = {}
        while heard.get(resting["id"]) != "canceled":
            heard |= {o["id"]: o["status"] for o in await soon(client.watch_orders(PAIR))}

        bought = await client.create_order(PAIR, "market", "buy", 0.01)
        mine = await soon(fills)
        assert (mine[-1]["order"], mine[-1]["side"]) == (bought["id"], "buy")
        await client.create_order(PAIR, "market", "sell", 0.01)
    finally:
        await client.close()


async def _placed_until_heard(client: Client, told: "asyncio.Task[Any]") -> Client:
    """ccxt does not say when it listens: orders are placed until it is told of one."""
    while True:
        order = await client.create_order(PAIR, "limit", "buy", 0.01, FAR)
        heard, _ = await asyncio.wait([told], timeout=1)
        if heard:
            assert told.result()[-1]["symbol"] == PAIR
            return order
        await client.cancel_order(order["id"])


async def soon(awaited: Any) -> Any:  # Any: ccxt has no types
    return await asyncio.wait_for(awaited, PATIENCE_SECONDS)
