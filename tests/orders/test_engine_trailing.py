"""Trailing stops through the whole engine: a kill, the rows, what is read from them, the replay."""

from decimal import Decimal

import pytest
from django.db import connection

from orders.domain.commands import CancelAllOrders, PrintStreetTrade
from orders.domain.replies import CanceledReply
from orders.domain.values import Side
from orders.models import Order, TrailPeak
from orders.selectors import order_view, orders_of
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, assert_clean, offline, quote

pytestmark = pytest.mark.django_db(transaction=True)


def traded_at(price: str) -> PrintStreetTrade:
    return PrintStreetTrade("AAPL", Decimal(price), Decimal(1), Side.BUY)


def marks(desk: Desk) -> list[tuple[str | None, str | None]]:
    """(mark, stop price) of Alice's open trailing stops, as the API reads them."""
    orders = orders_of(desk.accounts["alice"]).filter(closed_at=None, hwm__isnull=False)
    views = [order_view(order) for order in orders.order_by("sequence")]
    return [(view.hwm, view.stop_price) for view in views]


@pytest.mark.processes
def test_every_mark_survives_a_kill_and_is_read_exactly(engine: EngineProcess, desk: Desk) -> None:
    engine.ask(quote(bids="80x50", asks="100x50"))
    desk.place(engine, "alice", "BUY 5 MARKET")
    desk.place(engine, "alice", "SELL 1 TRAIL 5")
    engine.ask(quote(bids="80x50", asks="120x50"))
    for price in ("101", "107", "106"):
        engine.ask(traded_at(price))
    desk.place(engine, "alice", "SELL 1 TRAIL 1%")
    engine.ask(traded_at("106.5"))
    assert marks(desk) == [("107", "102"), ("106.5", "105.43")]
    assert TrailPeak.objects.count() == 2

    engine.restart_after_kill()

    engine.ask(quote(bids="104x1", asks="120x50"))
    engine.ask(traded_at("108"))
    assert marks(desk) == [("108", "103"), ("108", "106.92")]
    assert list(TrailPeak.objects.values_list("price", flat=True)) == [108]
    engine.ask(traded_at("106.9"))
    (gone,) = Order.objects.filter(status="FILLED", hwm__isnull=False)
    assert (gone.hwm, gone.stop_price) == (108, Decimal("106.92"))
    reply = engine.ask(CancelAllOrders(desk.accounts["alice"].pk, "cancel"))
    assert isinstance(reply, CanceledReply)
    assert [(order.hwm, order.stop_price) for order in reply.orders] == [("108", "103")]
    assert TrailPeak.objects.count() == 0
    assert_clean()


@pytest.fixture
def followed(desk: Desk) -> None:
    """A trailing stop of Alice's waits and has seen 107; another has entered and rests."""
    offline(
        quote(bids="80x50", asks="100x50"),
        desk.submit("alice", "BUY 5 MARKET"),
        desk.submit("alice", "SELL 1 TRAIL 5"),
        desk.submit("alice", "BUY 1 TRAIL 1"),
        quote(bids="80x50", asks="120x50"),
        traded_at("107"),
    )


def test_the_rows_of_trailing_stops_agree(followed: None) -> None:
    rows = Order.objects.filter(hwm__isnull=False).order_by("sequence")

    assert [row.status for row in rows] == ["ACCEPTED", "TRIGGERED"]
    assert [row.hwm for row in rows] == [100, 100]
    assert_clean()


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE orders_trailpeak SET price = 108",
        "DELETE FROM orders_trailpeak",
        "UPDATE orders_trailpeak SET after_sequence = 1",
        "UPDATE orders_order SET hwm = 101 WHERE status = 'ACCEPTED' AND hwm IS NOT NULL",
        "UPDATE orders_order SET trail_price = 6 WHERE status = 'ACCEPTED' AND hwm IS NOT NULL",
        "UPDATE orders_order SET limit_price = 120 WHERE status = 'TRIGGERED'",
    ],
)
def test_a_changed_trail_is_found(followed: None, tampering: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(tampering)

    with pytest.raises(AssertionError):
        assert_clean()
