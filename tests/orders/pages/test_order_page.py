"""The page of one order: what it tells, and to whom."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.test import Client

from accounts.models import User
from core.domain.clock import to_ns, wire_time
from core.models import Event
from orders.domain.views import AccountEvent, BalanceView, ExecutionView, OrderView
from orders.models import Execution, Order
from orders.selectors import execution_view, order_view
from portfolio.models import TradingAccount
from tests.orders.pages.asked import JSON

BALANCE = BalanceView(currency="USD", total="0", locked="0", free="0")


@pytest.fixture
def filled(order: Order) -> Order:
    """The order after a part of it has filled and the rest was canceled by an operator."""
    start = order.submitted_at
    Execution.objects.create(
        id=1, trade_id=1, order=order, account=order.account, instrument=order.instrument,
        side="BUY", price=Decimal("96.5"), quantity=Decimal(4), liquidity="MAKER",
        fee=Decimal("0.25"), occurred_at=start + timedelta(seconds=1),
    )  # fmt: skip
    order.prevented_quantity = Decimal(0)
    accepted = order_view(order)
    tell(order, "OrderAccepted", accepted)
    order.filled_quantity, order.filled_notional = Decimal(4), Decimal(386)
    order.status = "PARTIALLY_FILLED"
    partly = order_view(order)
    tell(order, "OrderPartiallyFilled", partly, execution_view(Execution.objects.get()))
    order.status, order.reason = "CANCELED", "OPERATOR_REQUESTED"
    order.closed_at = order.updated_at = start + timedelta(seconds=2)
    order.save()
    tell(order, "OrderCanceled", order_view(order))
    return order


def tell(order: Order, event: str, view: OrderView, execution: ExecutionView | None = None) -> None:
    """Append an event of the order, a second after the one before."""
    number = Event.objects.filter(account_id=order.account_id).count()
    at = order.submitted_at + timedelta(seconds=number)
    told = AccountEvent(
        event=event, version=1, account_id=str(order.account.public_id),
        account_sequence=number + 1, occurred_at=wire_time(to_ns(at)), request_id=f"r-{number}",
        order=view, execution=execution, position=None, balance=BALANCE,
    )  # fmt: skip
    Event.objects.create(
        kind=event, account_id=order.account_id, account_sequence=number + 1,
        payload=msgspec.to_builtins(told), occurred_at=at,
    )  # fmt: skip


def shown_to(client: Client, order: Order) -> dict[str, Any]:  # Any: JSON
    answer: dict[str, Any] = client.get(f"/orders/{order.pk}", headers=JSON).json()
    return answer


def test_the_page_tells_every_event_with_its_reason(
    alice: User, filled: Order, signed_in: Callable[[User], Client]
) -> None:
    shown = shown_to(signed_in(alice), filled)

    assert (shown["name"], shown["status"]) == ("Buy 10 ACME, Limit 97.00", "Canceled")
    assert [(event["kind"], event["text"], event["reason"]) for event in shown["events"]] == [
        ("end", "Canceled with 6 unfilled.", "Canceled by an operator."),
        ("fill", "4 filled at 96.50, 6 left to fill.", ""),
        ("begin", "Accepted.", ""),
    ]
    assert [event["request_id"] for event in shown["events"]] == ["r-2", "r-1", "r-0"]
    facts = dict(shown["facts"])
    assert facts["Filled"] == "4 of 10"
    assert facts["Average price"] == "96.50"
    assert facts["Value of fills"] == "386.00 USD"
    assert facts["Fees"] == "0.25 USD"
    assert facts["Placed by"] == "alice"
    assert [(row["quantity"], row["fee"], row["filled"]) for row in shown["fills"]] == [
        ("4", "0.25", "4")
    ]


def test_the_page_holds_the_same_before_any_script(
    alice: User, filled: Order, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(alice).get(f"/orders/{filled.pk}").content.decode()

    assert "<title>Buy 10 ACME, Limit 97.00 · Paper · Tradeportal</title>" in html
    assert "Canceled with 6 unfilled. Canceled by an operator." in html
    assert html.count('<svg class="mark ') == 3
    assert 'action="/orders/' in html  # the form to cancel is there, hidden: the order is over
    assert 'data-part="acts" hidden' in html


def test_only_events_of_this_order_are_told(
    alice: User, filled: Order, signed_in: Callable[[User], Client]
) -> None:
    other = msgspec.structs.replace(order_view(filled), id=str(uuid4()))
    tell(filled, "OrderAccepted", other)

    assert len(shown_to(signed_in(alice), filled)["events"]) == 3


def test_the_chain_of_replaces_is_told_from_each_of_them(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    successor = Order.objects.get(pk=order.pk)
    successor.pk, successor.sequence, successor.rank = uuid4(), 2, 2
    successor.client_order_id, successor.replaces = "ticket-2", order.pk
    successor.quantity = Decimal(5)
    successor.save(force_insert=True)
    order.status, order.reason, order.replaced_by = "REPLACED", "REPLACED", successor.pk
    order.closed_at = order.submitted_at + timedelta(seconds=5)
    order.save()
    client = signed_in(alice)

    for chosen in (order, successor):
        shown = shown_to(client, chosen)
        assert [(link["text"], link["status"], link["is_chosen"]) for link in shown["chain"]] == [
            ("Buy 10 ACME, Limit 97.00", "Replaced", chosen is order),
            ("Buy 5 ACME, Limit 97.00", "Working", chosen is successor),
        ]
        assert [lane["is_open"] for lane in shown["picture"]["lanes"]] == [False, True]


@pytest.mark.parametrize(
    ("name", "role", "status"),
    [
        ("bob", "trader", 200),
        ("charlie", "trader", 404),
        ("olga", "operator", 200),
        ("sam", "support", 404),
    ],
)
def test_who_sees_the_account_sees_its_orders(
    order: Order,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
    name: str,
    role: str,
    status: int,
) -> None:
    viewer = User.objects.filter(username=name).first() or make_user(name, role=role)

    assert signed_in(viewer).get(f"/orders/{order.pk}").status_code == status


def test_an_operator_reads_and_has_no_form_of_the_owner(
    olga: User, order: Order, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(olga).get(f"/orders/{order.pk}").content.decode()

    assert f"/orders/{order.pk}/cancel" not in html
    assert '"account_topic": null' in html


def test_a_trailing_stop_tells_its_mark_and_its_distance(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    order.side, order.type, order.limit_price, order.is_opening = (
        "SELL",
        "TRAILING_STOP",
        None,
        False,
    )
    order.trail_percent, order.hwm, order.stop_price = Decimal(2), Decimal(110), Decimal("107.8")
    order.save()
    client = signed_in(alice)

    shown = shown_to(client, order)
    html = client.get(f"/orders/{order.pk}").content.decode()

    assert shown["name"] == "Sell 10 ACME, Trailing stop 2%"
    assert shown["trail"] == {
        "mark": "110.00",
        "stop": "107.80",
        "sentence": "It follows the highest price since it was accepted, 2% below it.",
    }
    assert dict(shown["facts"])["Trails by"] == "2%"
    assert [row["text"] for row in shown["scale"]["levels"]] == ["Mark 110.00", "Stop 107.80"]
    assert f'"trails_topic": "trails:{order.account.public_id}"' in html
    assert shown["group"] == []
    assert "Its group" not in html


def test_an_order_that_was_replaced_still_shows_who_it_stood_with(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    group = uuid4()
    old = leg_of(order, group, "TAKE_PROFIT", "REPLACED")
    leg_of(order, group, "TAKE_PROFIT", "HELD")
    leg_of(order, uuid4(), "TAKE_PROFIT", "HELD")
    order.group_id, order.order_class, order.leg = group, "OTO", "ENTRY"
    order.save()
    client = signed_in(alice)

    from_entry, from_old = (shown_to(client, chosen)["group"] for chosen in (order, old))

    assert [(row["part"], row["status"]) for row in from_entry] == [
        ("Entry", "Working"), ("Take profit", "Waits for its entry"),
    ]  # fmt: skip
    assert [(row["status"], row["is_chosen"]) for row in from_old] == [
        ("Working", False), ("Replaced", True), ("Waits for its entry", False),
    ]  # fmt: skip


def leg_of(order: Order, group: UUID, leg: str, status: str) -> Order:
    row = Order.objects.get(pk=order.pk)
    row.pk, row.sequence = uuid4(), Order.objects.count() + 1
    row.rank, row.client_order_id = row.sequence, str(row.pk)
    row.side, row.limit_price, row.is_opening = "SELL", Decimal(110), False
    row.group_id, row.order_class, row.leg, row.status = group, "OTO", leg, status
    row.closed_at = row.submitted_at if status == "REPLACED" else None
    row.reason = "REPLACED" if status == "REPLACED" else ""
    row.save(force_insert=True)
    return row
