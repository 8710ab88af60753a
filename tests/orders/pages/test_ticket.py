"""The ticket without scripts, and its JSON: what it may say, what no is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from core.domain.errors import Refusal
from marketdata.models import Instrument
from orders.domain.order_class import GroupTerms, OrderClass
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


EXITS = {"take_profit": "110", "stop_loss": "90"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": ""}, "quantity"),
        ({"type": "MARKET", "size_by": "VALUE"}, "notional"),
        ({"type": "MARKET", "size_by": "VALUE", "notional": "much"}, "notional"),
        ({"type": "TRAILING_STOP"}, "trail"),
        ({"type": "TRAILING_STOP", "trail": "-1"}, "trail"),
        ({"order_class": "BRACKET", "stop_loss": "90"}, "take_profit"),
        ({"order_class": "BRACKET", "take_profit": "110"}, "stop_loss"),
        ({"order_class": "OCO"}, "stop_loss"),
        ({"order_class": "OTO"}, "take_profit"),
        ({"order_class": "OTO", **EXITS}, "take_profit"),
        ({"order_class": "LADDER"}, "order_class"),
        ({"display_quantity": "some"}, "display_quantity"),
        (
            {"type": "MARKET", "size_by": "VALUE", "notional": "50", "order_class": "BRACKET"}
            | EXITS,
            "order_class",
        ),
    ],
)
def test_what_the_order_lacks_is_asked_for_beside_its_field(
    account: TradingAccount, changes: dict[str, str], field: str
) -> None:
    form = TicketForm(ticket(**changes))

    assert not form.is_valid()
    assert list(form.errors) == [field]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {}),
        (
            {"type": "MARKET", "size_by": "VALUE", "notional": "250"},
            {"quantity": 0, "notional": 250},
        ),
        ({"size_by": "VALUE", "notional": "250"}, {}),
        ({"type": "TRAILING_STOP", "trail": "2", "trail_by": "PERCENT"}, {"trail_percent": 2}),
        (
            {"type": "TRAILING_STOP", "trail": "1.5", "trail_by": "PRICE"},
            {"trail_price": Decimal("1.5")},
        ),
        ({"trail": "2", "stop_price": "90", **EXITS}, {}),
        ({"display_quantity": "2"}, {"display_quantity": 2}),
        (
            {"order_class": "BRACKET", **EXITS, "stop_loss_limit": "89"},
            {"group": GroupTerms(OrderClass.BRACKET, Decimal(110), Decimal(90), Decimal(89))},
        ),
        (
            {"order_class": "OTO", "stop_loss": "90"},
            {"group": GroupTerms(OrderClass.OTO, None, Decimal(90))},
        ),
        (
            {"order_class": "OCO", **EXITS},
            {"group": GroupTerms(OrderClass.OCO, None, Decimal(90))},
        ),
    ],
)
def test_a_ticket_is_the_order_that_shows_and_nothing_of_what_does_not(
    account: TradingAccount, changes: dict[str, str], expected: dict[str, object]
) -> None:
    names = (
        "quantity",
        "notional",
        "stop_price",
        "trail_price",
        "trail_percent",
        "display_quantity",
        "group",
    )
    form = TicketForm(ticket(**changes))
    assert form.is_valid(), form.errors

    spec = form.spec()

    plain = dict.fromkeys(names) | {"quantity": 10}
    assert {name: getattr(spec, name) for name in names} == plain | expected


@pytest.mark.parametrize(
    ("reason", "facts", "field"),
    [
        ("PRICE_OFF_TICK", {"limit_price": "97"}, "limit_price"),
        ("PRICE_OFF_TICK", {"limit_price": "110"}, "take_profit"),
        ("PRICE_OFF_TICK", {"limit_price": "89"}, "stop_loss_limit"),
        ("STOP_PRICE_OFF_TICK", {"stop_price": "90"}, "stop_loss"),
        ("GROUP_PRICES_INVALID", {"price": "the entry"}, "take_profit"),
        ("GROUP_PRICES_INVALID", {"price": "stop_loss.stop_price"}, "stop_loss"),
        ("GROUP_PRICES_INVALID", {"price": "stop_loss.limit_price"}, "stop_loss_limit"),
        ("GROUP_DIRECTION_INVALID", {}, "order_class"),
        ("FUNDS_INSUFFICIENT", {}, None),
    ],
)
def test_a_refusal_of_a_leg_stands_beside_the_legs_own_field(
    account: TradingAccount, reason: str, facts: dict[str, str], field: str | None
) -> None:
    form = TicketForm(ticket(order_class="BRACKET", stop_loss_limit="89", **EXITS))
    assert form.is_valid()

    refusal = Refusal(
        status=422, code=42210000, reason=DenialReason(reason), message="No.", facts=facts
    )

    assert form.field_of(refusal) == field


def test_the_exits_come_back_as_they_were_typed(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    form = ticket(order_class="BRACKET", take_profit="110", stop_loss="low", trail_by="PRICE")

    html = signed_in(alice).post("/orders/place", form).content.decode()

    assert re.search(r'name="order_class" value="BRACKET" checked', html)
    assert re.search(r'name="take_profit"[^>]*value="110"', html)
    assert re.search(r'name="stop_loss"[^>]*value="low" aria-invalid="true"', html)
    assert '<option value="PRICE" selected>' in html


def test_exits_are_offered_where_the_instrument_takes_them(
    alice: User,
    account: TradingAccount,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
) -> None:
    client = signed_in(alice)
    stock = client.get("/terminal").content.decode()
    Instrument.objects.update(asset_class="crypto")
    coin = client.get("/terminal").content.decode()

    assert '<div class="exits">' in stock
    assert '<div class="exits" hidden>' in coin
