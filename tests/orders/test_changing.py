"""Changing an open order from a page: in its place where that is enough, else by a successor."""

from collections.abc import Callable
from decimal import Decimal
from html import unescape

import msgspec
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from core.domain.errors import ErrorReason, Refusal
from orders.domain.changing import ChangePlan, Wanted, fields_to_change, plan_change
from orders.domain.commands import PrintStreetTrade
from orders.domain.order_changes import OrderChanges
from orders.domain.order_class import GroupTerms, OrderClass
from orders.domain.order_request import OrderSpec
from orders.domain.values import OrderType, Side, TimeInForce
from orders.domain.views import GroupView, OrderView
from orders.models import Order
from orders.services.changing import change_order
from orders.services.ordering import submit_order
from risk.domain.reasons import DenialReason
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk, quote

RESTING = OrderView(
    id="1", client_order_id="c", symbol="AAPL", asset_class="us_equity", asset_id="a", side="BUY",
    type="LIMIT", time_in_force="GTC", quantity="10", limit_price="97", stop_price=None,
    filled_quantity="4", leaves_quantity="6", average_price="97", status="PARTIALLY_FILLED",
    reason=None, submitted_at="t", updated_at="t", closed_at=None, expires_at=None,
)  # fmt: skip
WAITING = msgspec.structs.replace(
    RESTING, type="STOP_LIMIT", stop_price="98", status="ACCEPTED", filled_quantity="0",
    leaves_quantity="10",
)  # fmt: skip


def test_less_to_fill_is_an_amend_of_the_whole_quantity() -> None:
    plan = plan_change(RESTING, Wanted(leaves=Decimal(2)))

    assert plan == ChangePlan(Decimal(6), OrderChanges(), keeps_place=True)


def test_what_prevention_took_counts_as_done() -> None:
    order = msgspec.structs.replace(RESTING, prevented_quantity="1", leaves_quantity="5")

    plan = plan_change(order, Wanted(leaves=Decimal(2)))

    assert plan is not None
    assert plan.amended == Decimal(7)


@pytest.mark.parametrize(
    ("wanted", "keeps_place"),
    [
        (Wanted(leaves=Decimal(7)), False),
        (Wanted(limit_price=Decimal("97.5")), False),
        (Wanted(leaves=Decimal(2), limit_price=Decimal("97.5")), False),
        (Wanted(leaves=Decimal(2), time_in_force=TimeInForce.DAY), True),
        (Wanted(time_in_force=TimeInForce.DAY), True),
        (Wanted(time_in_force=TimeInForce.IOC), False),
    ],
)
def test_whatever_else_is_a_replace(wanted: Wanted, keeps_place: bool) -> None:
    plan = plan_change(RESTING, wanted)

    assert plan is not None
    assert plan.amended is None
    assert plan.keeps_place is keeps_place
    assert plan.changes == OrderChanges(
        quantity=wanted.leaves,
        limit_price=wanted.limit_price,
        time_in_force=wanted.time_in_force,
    )


def test_a_stop_that_waits_has_no_place_to_keep() -> None:
    plan = plan_change(WAITING, Wanted(stop_price=Decimal(99)))

    assert plan == ChangePlan(None, OrderChanges(stop_price=Decimal(99)), keeps_place=False)


def test_what_is_already_so_is_no_change() -> None:
    same = Wanted(Decimal("6.0"), Decimal("97.00"), None, TimeInForce.GTC)

    assert plan_change(RESTING, same) is None


HELD_LOSS = msgspec.structs.replace(
    WAITING, status="HELD", group=GroupView(id="g", order_class="BRACKET", leg="STOP_LOSS")
)
TRAILING = msgspec.structs.replace(
    WAITING, type="TRAILING_STOP", limit_price=None, trail_percent="2", hwm="100"
)


@pytest.mark.parametrize(
    ("order", "offered"),
    [
        (RESTING, {"quantity", "limit_price", "time_in_force"}),
        (WAITING, {"quantity", "limit_price", "stop_price", "time_in_force"}),
        (
            msgspec.structs.replace(WAITING, status="TRIGGERED"),
            {"quantity", "limit_price", "time_in_force"},
        ),
        (TRAILING, {"quantity", "trail", "time_in_force"}),
        (msgspec.structs.replace(TRAILING, status="TRIGGERED"), {"quantity", "time_in_force"}),
        (HELD_LOSS, {"limit_price", "stop_price"}),
        (msgspec.structs.replace(HELD_LOSS, type="STOP", status="TRIGGERED"), set()),
    ],
)
def test_only_what_may_change_is_offered(order: OrderView, offered: set[str]) -> None:
    assert fields_to_change(order) == offered


def test_a_distance_is_compared_in_the_kind_that_the_order_has() -> None:
    assert plan_change(TRAILING, Wanted(trail=Decimal("2.0"))) is None
    assert plan_change(TRAILING, Wanted(trail=Decimal(3))) == ChangePlan(
        None, OrderChanges(trail=Decimal(3)), keeps_place=False
    )


def placed(desk: Desk, quantity: str = "10") -> Order:
    order = submit_order(
        account=desk.accounts["alice"],
        spec=OrderSpec(
            symbol="AAPL", side=Side.BUY, type=OrderType.LIMIT, time_in_force=TimeInForce.GTC,
            quantity=Decimal(quantity), limit_price=Decimal(97),
        ),
        submitted_by=User.objects.get(username="alice"),
        request_id="placed",
    )  # fmt: skip
    return Order.objects.select_related("account", "instrument").get(pk=order.id)


@pytest.fixture
def change(desk: Desk, engine: EngineProcess) -> Callable[..., OrderView]:
    def change_it(order: Order, wanted: Wanted, seen_filled: str = "0") -> OrderView:
        return change_order(
            order=order,
            wanted=wanted,
            seen_filled=Decimal(seen_filled),
            submitted_by=User.objects.get(username="alice"),
            request_id="changed",
        )

    return change_it


def test_an_amended_order_is_the_same_order(desk: Desk, change: Callable[..., OrderView]) -> None:
    order = placed(desk)

    changed = change(order, Wanted(leaves=Decimal(4)))

    assert (changed.id, changed.quantity, changed.leaves_quantity) == (str(order.pk), "4", "4")
    assert Order.objects.count() == 1


def test_a_replaced_order_names_its_successor(desk: Desk, change: Callable[..., OrderView]) -> None:
    order = placed(desk)

    changed = change(order, Wanted(leaves=Decimal(12), limit_price=Decimal(96)))

    order.refresh_from_db()
    assert (order.status, str(order.replaced_by)) == ("REPLACED", changed.id)
    assert (changed.quantity, changed.limit_price, changed.replaces) == ("12", "96", str(order.pk))


def test_a_change_meant_for_another_state_of_the_order_is_not_made(
    desk: Desk, change: Callable[..., OrderView]
) -> None:
    order = placed(desk)

    with pytest.raises(Refusal) as caught:
        change(order, Wanted(leaves=Decimal(4)), seen_filled="3")

    order.refresh_from_db()
    assert (caught.value.status, caught.value.reason) == (409, ErrorReason.CONFLICT)
    assert "has filled 0 meanwhile, and 10 are left" in caught.value.message
    assert (order.quantity, order.status) == (Decimal(10), "ACCEPTED")


def test_a_change_of_nothing_and_of_a_closed_order_are_refused_before_the_engine(
    desk: Desk, engine: EngineProcess, change: Callable[..., OrderView]
) -> None:
    order = placed(desk)
    with pytest.raises(Refusal) as unchanged:
        change(order, Wanted(leaves=Decimal(10)))
    desk.cancel_all(engine, "alice")
    order.refresh_from_db()

    with pytest.raises(Refusal) as closed:
        change(order, Wanted(leaves=Decimal(4)))

    assert unchanged.value.reason is DenialReason.ORDER_UNCHANGED
    assert closed.value.reason is DenialReason.ORDER_NOT_OPEN


Send = Callable[..., HttpResponse]


@pytest.fixture
def send(desk: Desk) -> Send:
    """POST Alice's change of the newest order, or of the chosen one, as its form does."""
    client = Client()
    client.force_login(User.objects.get(username="alice"))

    def send_it(order: Order | None = None, **changes: str) -> HttpResponse:
        order = order or Order.objects.order_by("-sequence")[0]
        answer = client.post(f"/orders/{order.pk}/change", {"filled": "0", **changes})
        assert isinstance(answer, HttpResponse)
        return answer

    return send_it


def beside(field: str, answer: HttpResponse) -> str:
    """What a refused change says beside a field."""
    assert answer.status_code == 422
    html = unescape(answer.content.decode())
    return html.partition(f'data-error="{field}">')[2].partition("</p>")[0]


def trail_of_newest() -> tuple[str, Decimal | None, Decimal | None, Decimal | None]:
    order = Order.objects.order_by("-sequence")[0]
    return order.status, order.trail_price, order.trail_percent, order.stop_price


def test_the_page_changes_how_far_a_trailing_stop_trails_as_far_as_the_engine_lets_it(
    desk: Desk, engine: EngineProcess, send: Send
) -> None:
    engine.ask(quote("100x5", "101x5"))
    assert desk.place(engine, "alice", "BUY 3 @ 101 IOC") == "FILLED 3/3"
    assert desk.place(engine, "alice", "SELL 2 TRAIL 3") == "ACCEPTED 0/2"

    moved = send(trail="5")

    at_five = ("ACCEPTED", Decimal(5), None, Decimal(96))
    assert (moved.status_code, trail_of_newest()) == (302, at_five)
    engine.ask(quote("98x5", "99x5"))
    engine.ask(PrintStreetTrade("AAPL", Decimal(98), Decimal(1), Side.SELL))
    assert [beside("trail", send(trail=trail)) for trail in ("5.005", "101", "2")] == [
        "trail_price must be above 0 and a multiple of 0.01 for AAPL.",
        "The trail puts the stop price in AAPL at 0: it must be above 0 and at most 10000000.",
        "AAPL last traded at 98, which has passed the stop price 99 already. Choose one that lies"
        " ahead of the market, or send a market order.",
    ]
    assert trail_of_newest() == at_five

    desk.cancel_all(engine, "alice")
    assert desk.place(engine, "alice", "SELL 2 TRAIL 3%") == "ACCEPTED 0/2"
    assert send(trail="10", quantity="1").status_code == 302
    assert trail_of_newest() == ("ACCEPTED", None, Decimal(10), Decimal("88.2"))
    assert Order.objects.get(closed_at__isnull=True).quantity == Decimal(1)


def test_the_page_moves_the_prices_of_a_held_leg_and_its_place_in_the_group_is_kept(
    desk: Desk, engine: EngineProcess, send: Send
) -> None:
    exits = GroupTerms(OrderClass.BRACKET, take_profit=Decimal(110), stop_price=Decimal(90))
    entry = msgspec.structs.replace(desk.submit("alice", "BUY 5 @ 97"), group=exits)
    engine.ask(entry)
    loss = Order.objects.get(leg="STOP_LOSS")

    moved = send(loss, stop_price="91")
    wrong = send(Order.objects.get(leg="TAKE_PROFIT"), limit_price="96")
    larger = send(Order.objects.get(leg="ENTRY"), quantity="6")

    loss.refresh_from_db()
    successor = Order.objects.get(replaces=loss.pk)
    assert (moved.status_code, loss.status) == (302, "REPLACED")
    assert (successor.status, successor.leg, successor.group_id) == (
        "HELD", "STOP_LOSS", loss.group_id,
    )  # fmt: skip
    assert (successor.stop_price, successor.quantity) == (Decimal(91), Decimal(5))
    assert [answer.status_code for answer in (wrong, larger)] == [422, 422]
    assert "the entry 97 is on the wrong side of take_profit 96" in wrong.content.decode()
    assert "its quantity and time in force cannot" in larger.content.decode()
    assert Order.objects.count() == 4
