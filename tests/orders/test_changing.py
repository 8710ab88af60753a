"""Changing an open order from a page: in its place where that is enough, else by a successor."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from accounts.models import User
from core.domain.errors import ErrorReason, Refusal
from orders.domain.changing import ChangePlan, Wanted, plan_change
from orders.domain.order_changes import OrderChanges
from orders.domain.order_request import OrderSpec
from orders.domain.values import OrderType, Side, TimeInForce
from orders.domain.views import OrderView
from orders.models import Order
from orders.services.changing import change_order
from orders.services.ordering import submit_order
from risk.domain.reasons import DenialReason
from tests.engine_process import EngineProcess
from tests.orders.desk import Desk

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
