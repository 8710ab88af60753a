"""Where trailing stops stand, live: the topic `trails:<account>`, and who may hear it."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from orders.domain.commands import PrintStreetTrade
from orders.domain.values import Side
from orders.models import Order
from orders.selectors.trailing import waiting_trails
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, quote
from tests.orders.test_order_entry import Socket, opened, program

__all__ = ["opened", "program"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def traded_at(price: str) -> PrintStreetTrade:
    return PrintStreetTrade("AAPL", Decimal(price), Decimal(1), Side.BUY)


def test_the_newest_mark_of_every_order_is_told(
    engine: EngineProcess, desk: Desk, program: Callable[..., Socket]
) -> None:
    account = desk.accounts["alice"]
    topic = f"trails:{account.public_id}"
    engine.ask(quote(bids="80x50", asks="100x50"))
    desk.place(engine, "alice", "BUY 5 MARKET")
    desk.place(engine, "alice", "SELL 1 TRAIL 5")
    engine.ask(quote(bids="80x50", asks="120x50"))
    engine.ask(traded_at("101"))
    order_id = str(Order.objects.get(hwm__isnull=False).pk)
    socket = program("bob")

    socket.tell({"op": "subscribe", "topics": [topic]})
    first = socket.hear("snapshot")
    for price in ("102", "107", "105"):
        engine.ask(traded_at(price))
    told = socket.hear("event")["data"]
    while told["trails"][0]["hwm"] != "107":
        told = socket.hear("event")["data"]

    assert first["data"] == {"trails": [{"id": order_id, "hwm": "101", "stop_price": "96"}]}
    assert told == {"trails": [{"id": order_id, "hwm": "107", "stop_price": "102"}]}
    assert waiting_trails(account) == told["trails"]


def test_nobody_else_may_hear_it(desk: Desk, program: Callable[..., Socket]) -> None:
    socket = program("charlie")

    socket.tell({"op": "subscribe", "topics": [f"trails:{desk.accounts['alice'].public_id}"]})

    assert socket.hear("error")["topic"] == f"trails:{desk.accounts['alice'].public_id}"
