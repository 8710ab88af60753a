"""Changing and canceling orders by pages: what the form shows, what it would do, who may."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.models import User
from marketdata.models import Instrument
from orders.models import Order
from portfolio.models import Hold, Position, TradingAccount
from tests.orders.pages.asked import JSON

SAME = {"quantity": "10", "limit_price": "97", "time_in_force": ""}
IN_PLACE = "Done in place: the order keeps its number and its place in the queue."
LAST = "A new order takes over, last in the queue at its price."


@pytest.fixture
def held(order: Order) -> Order:
    """The order with the hold that the balance counts as locked."""
    Hold.objects.create(
        order_id=order.pk, account=order.account, currency=order.account.currency,
        amount=Decimal(970), remaining=Decimal(970), state="PENDING",
    )  # fmt: skip
    return order


def test_the_form_shows_the_order_as_it_is(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(alice).get(f"/orders/{order.pk}/change").content.decode()

    assert '<span class="side buy">Buy</span> 10 ACME, Limit GTC: Working' in html
    assert 'name="quantity" inputmode="decimal" value="10"' in html
    assert 'name="limit_price" inputmode="decimal" value="97"' in html
    assert '<option value="GTC" selected>' in html
    assert 'name="stop_price"' not in html


def test_the_form_tells_what_a_change_would_do_without_scripts(
    alice: User, held: Order, signed_in: Callable[[User], Client]
) -> None:
    query = {**SAME, "quantity": "4"}

    html = signed_in(alice).get(f"/orders/{held.pk}/change", query).content.decode()

    assert IN_PLACE in html
    assert '<dd data-field="notional">388.00</dd>' in html
    assert '<dd data-field="left">9,612.00</dd>' in html


@pytest.mark.parametrize(
    ("changes", "how", "left"),
    [
        ({"quantity": "4"}, IN_PLACE, "9612"),
        ({"quantity": "12"}, LAST, "8836"),
        ({"limit_price": "90"}, LAST, "9100"),
        (
            {"quantity": "4", "time_in_force": "DAY"},
            "A new order takes over, in the same place in the queue.",
            "9612",
        ),
    ],
)
def test_what_the_order_holds_counts_as_free(
    alice: User,
    held: Order,
    signed_in: Callable[[User], Client],
    changes: dict[str, str],
    how: str,
    left: str,
) -> None:
    answer = signed_in(alice).get(f"/orders/{held.pk}/change/preview", {**SAME, **changes})

    told = answer.json()
    assert (told["how"], told["accepted"]) == (how, True)
    assert Decimal(told["buying_power_after"]) == Decimal(left)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"limit_price": "97.005"}, "PRICE_OFF_TICK"),
        ({"quantity": "4.5"}, "QUANTITY_OFF_LOT"),
        ({"quantity": "200"}, "FUNDS_INSUFFICIENT"),
    ],
)
def test_what_would_be_refused_is_told_before(
    alice: User,
    held: Order,
    signed_in: Callable[[User], Client],
    changes: dict[str, str],
    reason: str,
) -> None:
    answer = signed_in(alice).get(f"/orders/{held.pk}/change/preview", {**SAME, **changes})

    assert (answer.json()["accepted"], answer.json()["reason"]) == (False, reason)


def test_what_would_change_nothing_is_a_refusal(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    client, path = signed_in(alice), f"/orders/{order.pk}/change"

    asked = client.get(f"{path}/preview", SAME, headers=JSON)
    sent = client.post(path, SAME, headers=JSON)
    page = client.post(path, SAME)

    assert [answer.status_code for answer in (asked, sent, page)] == [422, 422, 422]
    assert sent.json()["reason"] == "ORDER_UNCHANGED"
    assert "order parameters are not changed" in page.content.decode()


def test_an_unreadable_change_comes_back_beside_its_field(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(alice).post(f"/orders/{order.pk}/change", {**SAME, "quantity": "ten"})

    html = page.content.decode()
    assert page.status_code == 422
    assert "Write a plain number such as 12.50." in html
    assert 'name="quantity" inputmode="decimal" value="ten" aria-invalid="true"' in html


GROUP_NOTE = (
    "The order belongs to a group. Its orders stand for the same quantity and are in force for"
)


def in_group(order: Order, leg: str, status: str, **changes: object) -> Order:
    """The order as a part of a bracket."""
    order.group_id, order.order_class, order.leg = uuid4(), "BRACKET", leg
    order.status = status
    for name, value in changes.items():
        setattr(order, name, value)
    order.save()
    return order


def test_of_an_order_of_a_group_only_prices_are_offered_and_the_page_says_why(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    in_group(
        order, "STOP_LOSS", "HELD", side="SELL", type="STOP_LIMIT", is_opening=False,
        stop_price=Decimal(95), limit_price=Decimal(94),
    )  # fmt: skip

    html = signed_in(alice).get(f"/orders/{order.pk}/change").content.decode()

    assert f'<p class="sub" data-part="group-note">{GROUP_NOTE}' in html
    assert 'name="limit_price" inputmode="decimal" value="94"' in html
    assert 'name="stop_price" inputmode="decimal" value="95"' in html
    for name in ("quantity", "time_in_force", "trail"):
        assert f'name="{name}"' not in html


def test_of_a_simple_order_the_page_says_nothing_of_groups(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(alice).get(f"/orders/{order.pk}/change").content.decode()

    assert '<p class="sub" data-part="group-note" hidden>' in html


def test_where_nothing_can_be_changed_nothing_is_offered(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    in_group(order, "ENTRY", "QUEUED", type="MARKET", limit_price=None)

    html = signed_in(alice).get(f"/orders/{order.pk}/change").content.decode()

    assert "None of it can be changed now. It can still be canceled." in html
    assert '<button class="button primary" type="submit">' not in html


@pytest.mark.parametrize("changes", [{"quantity": "4"}, {"time_in_force": "DAY"}])
def test_what_a_group_shares_is_refused_before_the_engine(
    alice: User, order: Order, signed_in: Callable[[User], Client], changes: dict[str, str]
) -> None:
    in_group(order, "ENTRY", "ACCEPTED")
    client, path = signed_in(alice), f"/orders/{order.pk}/change"

    asked = client.get(f"{path}/preview", {**SAME, **changes}, headers=JSON)
    sent = client.post(path, {**SAME, **changes}, headers=JSON)

    assert [answer.json()["reason"] for answer in (asked, sent)] == ["GROUP_TERMS_FIXED"] * 2


def test_a_held_leg_needs_nothing_before_its_entry_has_filled(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    in_group(
        order, "STOP_LOSS", "HELD", side="SELL", type="STOP", is_opening=False,
        stop_price=Decimal(95), limit_price=None,
    )  # fmt: skip

    told = signed_in(alice).get(f"/orders/{order.pk}/change/preview", {"stop_price": "96"}).json()

    assert told["how"] == "A new order takes over and goes on waiting for its entry."
    assert (told["accepted"], told["estimated_notional"]) == (True, "960")


def test_a_stop_loss_may_use_what_the_take_profit_holds_for_both(
    alice: User,
    order: Order,
    account: TradingAccount,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
) -> None:
    Position.objects.create(
        account=account, instrument=instrument, quantity=Decimal(10), locked=Decimal(10),
        cost_basis=Decimal(970), realized_pnl=Decimal(0),
    )  # fmt: skip
    in_group(
        order, "STOP_LOSS", "ACCEPTED", side="SELL", type="STOP", is_opening=False,
        stop_price=Decimal(95), limit_price=None,
    )  # fmt: skip
    profit = Order.objects.create(
        id=uuid4(), sequence=2, rank=2, account=account, instrument=instrument,
        client_order_id="profit", side="SELL", type="LIMIT", time_in_force="GTC",
        quantity=Decimal(10), limit_price=Decimal(120), filled_quantity=0, filled_notional=0,
        is_opening=False, status="ACCEPTED", submitted_by_id=alice.pk, request_id="r",
        submitted_at=order.submitted_at, updated_at=order.updated_at,
        group_id=order.group_id, order_class="BRACKET", leg="TAKE_PROFIT",
    )  # fmt: skip
    Hold.objects.create(
        order_id=profit.pk, account=account, instrument=instrument, amount=Decimal(10),
        remaining=Decimal(10), state="PENDING",
    )  # fmt: skip

    told = signed_in(alice).get(f"/orders/{order.pk}/change/preview", {"stop_price": "96"}).json()

    assert (told["accepted"], told["reason"]) == (True, None)


@pytest.fixture
def trailing(order: Order, instrument: Instrument) -> Order:
    """A sell that trails by 3, of a position that is there; its mark stands at 110."""
    order.side, order.type, order.limit_price = "SELL", "TRAILING_STOP", None
    order.is_opening = False
    order.trail_price, order.hwm, order.stop_price = Decimal(3), Decimal(110), Decimal(107)
    order.save()
    Position.objects.create(
        account=order.account, instrument=instrument, quantity=Decimal(10), locked=Decimal(0),
        cost_basis=Decimal(970), realized_pnl=Decimal(0),
    )  # fmt: skip
    return order


def test_a_trailing_stop_is_offered_its_distance_in_its_own_kind(
    alice: User, trailing: Order, signed_in: Callable[[User], Client]
) -> None:
    client, path = signed_in(alice), f"/orders/{trailing.pk}/change"

    by_price = client.get(path).content.decode()
    trailing.trail_price, trailing.trail_percent = None, Decimal("2.5")
    trailing.save()
    by_percent = client.get(path).content.decode()

    assert 'name="trail" inputmode="decimal" value="3"' in by_price
    assert "as a distance in price" in by_price
    assert 'name="trail" inputmode="decimal" value="2.5"' in by_percent
    assert "in percent of the best price" in by_percent
    for name in ("limit_price", "stop_price"):
        assert f'name="{name}"' not in by_price


def test_another_distance_is_told_by_the_stop_price_that_it_gives(
    alice: User, trailing: Order, signed_in: Callable[[User], Client]
) -> None:
    path = f"/orders/{trailing.pk}/change/preview"

    told = signed_in(alice).get(path, {"trail": "5"}).json()

    assert told["how"] == "A new order takes over and waits for its stop price."
    assert (told["accepted"], told["estimated_price"]) == (True, "105")


@pytest.mark.parametrize(
    ("kind", "trail", "reason"),
    [
        ("trail_price", "3.005", "TRAIL_PRICE_INVALID"),
        ("trail_price", "110", "TRAIL_OUT_OF_RANGE"),
        ("trail_percent", "100", "TRAIL_PERCENT_INVALID"),
        ("trail_percent", "0.00001", "TRAIL_PERCENT_INVALID"),
    ],
)
def test_a_distance_that_would_be_refused_is_told_before(
    alice: User,
    trailing: Order,
    signed_in: Callable[[User], Client],
    kind: str,
    trail: str,
    reason: str,
) -> None:
    trailing.trail_price = None
    setattr(trailing, kind, Decimal(3))
    trailing.save()
    path = f"/orders/{trailing.pk}/change/preview"

    told = signed_in(alice).get(path, {"trail": trail}).json()

    assert (told["accepted"], told["reason"], told["field"]) == (False, reason, "trail")


def test_an_unreadable_distance_comes_back_beside_its_field(
    alice: User, trailing: Order, signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(alice).post(f"/orders/{trailing.pk}/change", {"trail": "three"})

    html = page.content.decode()
    assert page.status_code == 422
    assert 'data-error="trail">Write a plain number such as 12.50.' in html
    assert 'name="trail" inputmode="decimal" value="three" aria-invalid="true"' in html


def test_an_order_until_a_time_keeps_it_without_scripts(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    order.time_in_force = "GTD"
    order.save()
    query = {**SAME, "quantity": "4", "time_in_force": "GTD"}

    html = signed_in(alice).get(f"/orders/{order.pk}/change", query).content.decode()

    assert IN_PLACE in html
    assert '<option value="GTD" selected>' in html


def test_without_an_engine_nothing_is_changed_and_the_page_says_so(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(alice).post(f"/orders/{order.pk}/change", {**SAME, "quantity": "4"})

    order.refresh_from_db()
    assert page.status_code == 503
    assert "The order engine cannot be reached. Nothing was done" in page.content.decode()
    assert order.quantity == Decimal(10)


@pytest.mark.parametrize("path", ["change", "change/preview", "cancel", ""])
def test_for_charlie_there_is_no_such_order(
    charlie: User, order: Order, signed_in: Callable[[User], Client], path: str
) -> None:
    client, address = signed_in(charlie), f"/orders/{order.pk}/{path}".rstrip("/")
    send = client.post if path == "cancel" else client.get

    assert send(address).status_code == 404
    assert client.post(f"/orders/{UUID(int=1)}/cancel").status_code == 404


def test_who_may_only_watch_reads_the_form_and_changes_nothing(
    order: Order,
    account: TradingAccount,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
) -> None:
    analyst = make_user("anna", role="analyst")
    account.members.add(analyst)

    answer = signed_in(analyst).post(
        f"/orders/{order.pk}/change", {**SAME, "quantity": "4"}, headers=JSON
    )

    assert answer.status_code == 403


def test_the_cancel_page_counts_what_is_open(
    alice: User, order: Order, instrument: Instrument, signed_in: Callable[[User], Client]
) -> None:
    Order.objects.create(
        id=uuid4(), sequence=2, rank=2, account=order.account, instrument=instrument,
        client_order_id="ticket-9", side="SELL", type="LIMIT", time_in_force="GTC",
        quantity=Decimal(3), limit_price=Decimal(120), filled_quantity=0, filled_notional=0,
        is_opening=False, status="ACCEPTED", submitted_by_id=alice.pk, request_id="r",
        submitted_at=order.submitted_at, updated_at=order.updated_at,
    )  # fmt: skip

    html = signed_in(alice).get("/orders/cancel-all?symbol=ACME&side=SELL").content.decode()

    assert "<li>1 open order: Buy ACME</li><li>1 open order: Sell ACME</li>" in html
    assert '<option value="ACME" selected>' in html
    assert 'name="side" value="SELL" checked' in html
