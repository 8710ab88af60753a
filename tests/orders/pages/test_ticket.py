"""The ticket without scripts, and its JSON: what it may say, what no is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.models import User
from core.domain.errors import Refusal
from orders.forms import REFUSAL_FIELDS
from orders.models import Order
from orders.ticket_form import TicketForm
from portfolio.models import TradingAccount
from risk.domain.reasons import DenialReason
from tests.orders.pages.asked import JSON, ticket


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "1_000"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"limit_price": ""}, "limit_price"),
        ({"limit_price": "1e5"}, "limit_price"),
        ({"type": "STOP"}, "stop_price"),
        ({"type": "STOP_LIMIT", "stop_price": "97", "limit_price": ""}, "limit_price"),
        ({"side": "HOLD"}, "side"),
        ({"stp_mode": "NONE"}, "stp_mode"),
        ({"symbol": "NOPE"}, "symbol"),
        ({"time_in_force": "GTD"}, "expires_at"),
        ({"time_in_force": "GTD", "expires_at": "tomorrow"}, "expires_at"),
        ({"client_order_id": "with space"}, "client_order_id"),
    ],
)
def test_an_unreadable_ticket_is_refused_and_named(
    alice: User,
    account: TradingAccount,
    signed_in: Callable[[User], Client],
    changes: dict[str, str],
    field: str,
) -> None:
    response = signed_in(alice).post("/orders/place", ticket(**changes), headers=JSON)

    body = response.json()
    assert response.status_code == 422
    assert body["reason"] == "FIELD_INVALID"
    assert list(body["facts"]["fields"]) == [field]
    assert not Order.objects.exists()


def test_without_scripts_an_unreadable_ticket_comes_back_as_it_was_typed(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    response = signed_in(alice).post("/orders/place", ticket(quantity="ten"))

    html = response.content.decode()
    assert response.status_code == 422
    assert "Write a plain number such as 12.50." in html
    assert 'value="ten"' in html
    assert 'value="97"' in html


def test_without_an_engine_nothing_is_done_and_the_ticket_says_so(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(alice).post("/orders/place", ticket(), headers=JSON)
    page = signed_in(alice).post("/orders/place", ticket())

    assert answer.status_code == 503
    assert answer.json()["reason"] == "UNAVAILABLE"
    assert page.status_code == 503
    assert "The order engine cannot be reached. Nothing was done" in page.content.decode()
    assert not Order.objects.exists()


def test_who_may_only_watch_cannot_place_or_cancel(
    account: TradingAccount,
    order: Order,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
) -> None:
    analyst = make_user("anna", role="analyst")
    account.members.add(analyst)
    client = signed_in(analyst)

    answers = [
        client.post("/orders/place", ticket(), headers=JSON),
        client.post(f"/orders/{order.pk}/cancel", headers=JSON),
        client.post("/orders/cancel-all", headers=JSON),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "Your role lets you watch" in client.get("/terminal").content.decode()


def test_a_place_request_without_the_forms_token_is_refused(
    alice: User, account: TradingAccount
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    assert client.post("/orders/place", ticket()).status_code == 403


def test_the_conditions_come_back_as_they_were_set(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    form = ticket(quantity="ten", post_only="on", stp_mode="DECREMENT", type="STOP_LIMIT")

    html = signed_in(alice).post("/orders/place", form | {"stop_price": "96"}).content.decode()

    assert '<details class="conditions" open>' in html
    assert re.search(r'name="post_only" value="on" checked', html)
    assert '<option value="DECREMENT" selected>' in html
    assert re.search(r'value="STOP_LIMIT" checked', html)
    assert re.search(r'name="stop_price"[^>]*value="96"', html)


@pytest.mark.parametrize(
    ("reason", "field"),
    [("TIF_NOT_ALLOWED", "time_in_force"), ("SELF_TRADE", "stp_mode"), ("FUNDS_INSUFFICIENT", "")],
)
def test_a_refusal_stands_beside_the_field_that_it_is_about(
    account: TradingAccount, reason: str, field: str
) -> None:
    form = TicketForm(ticket())
    assert form.is_valid()

    form.show(Refusal(status=422, code=42210000, reason=DenialReason(reason), message="No."))

    assert form.errors == {field or "__all__": ["No."]}


def test_every_field_that_a_refusal_names_is_on_the_ticket() -> None:
    assert set(REFUSAL_FIELDS.values()) <= set(TicketForm.base_fields)
    assert set(REFUSAL_FIELDS) <= {str(reason) for reason in DenialReason}


def test_a_time_that_is_named_is_the_orders_when_it_is_until_a_time(
    account: TradingAccount,
) -> None:
    until = datetime(2026, 3, 5, 15, 30, tzinfo=UTC)
    typed = {"expires_at": "2026-03-05T15:30"}

    gtd, gtc = (TicketForm(ticket(time_in_force=name) | typed) for name in ("GTD", "GTC"))

    assert gtd.is_valid()
    assert gtc.is_valid()
    assert (gtd.spec().expires_at, gtc.spec().expires_at) == (until, None)
