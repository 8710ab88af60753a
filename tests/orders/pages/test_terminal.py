"""The terminal without scripts: who sees what, and that the page holds up."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import User
from core.domain.clock import SystemClock
from marketdata.models import Bar, Currency, Instrument
from orders.models import Order
from portfolio.models import Position, TradingAccount


def page_data(html: str) -> dict[str, object]:
    found = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', html)
    assert found is not None
    data: dict[str, object] = json.loads(found.group(1))
    return data


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/terminal"),
        ("get", "/orders/preview"),
        ("get", "/charts/bars"),
        ("post", "/orders/place"),
        ("post", "/orders/cancel-all"),
        ("post", f"/orders/{UUID(int=1)}/cancel"),
    ],
)
def test_a_stranger_is_led_to_the_sign_in(client: Client, db: None, method: str, path: str) -> None:
    response = getattr(client, method)(path)

    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/sign-in?next=")


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_owner_and_member_see_the_account(
    name: str, account: TradingAccount, order: Order, signed_in: Callable[[User], Client]
) -> None:
    response = signed_in(User.objects.get(username=name)).get("/terminal?symbol=ACME")

    html = response.content.decode()
    shown = page_data(html)["account"]
    assert isinstance(shown, dict)
    assert shown["account"]["id"] == str(account.public_id)
    assert [row["id"] for row in shown["orders"]] == [str(order.pk)]
    assert "9,030.00" in html  # buying power: total without what the order holds
    assert f'action="/orders/{order.pk}/cancel"' in html


def test_charlie_sees_nothing_of_it(
    charlie: User, account: TradingAccount, order: Order, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(charlie).get("/terminal").content.decode()

    assert "You have no trading account" in html
    assert str(account.public_id) not in html
    assert str(order.pk) not in html


def test_a_portal_without_instruments_says_so(
    alice: User, now: datetime, signed_in: Callable[[User], Client]
) -> None:
    dollar = Currency.objects.get_or_create(code="USD", defaults={"name": "US dollar"})[0]
    TradingAccount.objects.create(name="a", currency=dollar, owner=alice, created_at=now)
    Instrument.objects.all().delete()

    assert "Nothing trades here yet" in signed_in(alice).get("/terminal").content.decode()


def test_the_page_works_under_the_strict_policy(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    response = signed_in(alice).get("/terminal")

    policy = response.headers["Content-Security-Policy"]
    html = response.content.decode()
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"\sstyle=|\son\w+=|<style", html)
    for tag in re.findall(r"<script\b[^>]*>", html):
        assert "nonce=" in tag or 'type="application/json"' in tag


def test_positions_are_valued_at_the_last_price(
    alice: User,
    account: TradingAccount,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
) -> None:
    today = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    close = Decimal("98.5")
    Bar.objects.create(
        instrument=instrument, timeframe="1Day", start=today - timedelta(days=1),
        open=close, high=close, low=close, close=close, volume=1, source="test",
    )  # fmt: skip
    Position.objects.create(
        account=account, instrument=instrument, quantity=Decimal(10), locked=Decimal(0),
        cost_basis=Decimal("1000"), realized_pnl=Decimal("5"),
    )  # fmt: skip

    html = signed_in(alice).get("/terminal").content.decode()

    assert "−15.00" in html
    assert "10,985.00" in html  # equity: 10,000 cash + 10 × 98.5


def test_the_charting_library_is_credited_beside_the_chart(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(alice).get("/terminal").content.decode()

    link = re.search(r'<a href="https://www.tradingview.com/"([^>]*)>([^<]*)</a>', html)
    assert link is not None
    assert 'rel="noopener noreferrer"' in link.group(1)
    assert link.group(2) == "Charts by TradingView Lightweight Charts"


def test_the_queries_do_not_grow_with_the_instruments(
    alice: User,
    account: TradingAccount,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
    django_assert_max_num_queries: Callable[[int], object],
) -> None:
    client = signed_in(alice)
    for number in range(20):
        Instrument.objects.create(
            symbol=f"T{number}", name="t", venue=instrument.venue, asset_class="us_equity",
            quote_currency=instrument.quote_currency, tick_size="0.01", lot_size="1",
        )  # fmt: skip

    with django_assert_max_num_queries(24):  # type: ignore[attr-defined]  # pytest-django's fixture
        client.get("/terminal")
