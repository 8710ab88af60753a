"""The terminal without scripts, and its JSON: who sees what, what a ticket may say, what no is."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client
from redis import Redis

from accounts.models import User
from core.domain.clock import SystemClock, to_ns, wire_time
from marketdata.models import Bar, Currency, Instrument, Venue
from orders.models import Order
from portfolio.models import Balance, Position, TradingAccount

JSON = {"accept": "application/json"}


@pytest.fixture
def instrument(db: None) -> Instrument:
    dollar, _ = Currency.objects.get_or_create(code="USD", defaults={"name": "US dollar"})
    venue, _ = Venue.objects.get_or_create(
        code="XSIM", defaults={"name": "Simulated market", "kind": "SIMULATED"}
    )
    return Instrument.objects.create(
        symbol="ACME",
        name="Acme Corporation",
        venue=venue,
        asset_class="us_equity",
        quote_currency=dollar,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
        min_notional=Decimal(1),
    )


@pytest.fixture
def account(alice: User, bob: User, instrument: Instrument, now: datetime) -> TradingAccount:
    account = TradingAccount.objects.create(
        name="Alice's account", currency=instrument.quote_currency, owner=alice, created_at=now
    )
    account.members.add(bob)
    Balance.objects.create(
        account=account,
        currency=instrument.quote_currency,
        total=Decimal("10000"),
        locked=Decimal("970"),
    )
    return account


@pytest.fixture
def order(account: TradingAccount, instrument: Instrument, now: datetime) -> Order:
    return Order.objects.create(
        id=uuid4(),
        sequence=1,
        account=account,
        instrument=instrument,
        client_order_id="ticket-1",
        side="BUY",
        type="LIMIT",
        time_in_force="GTC",
        quantity=Decimal(10),
        limit_price=Decimal("97"),
        filled_quantity=Decimal(0),
        filled_notional=Decimal(0),
        status="ACCEPTED",
        submitted_by_id=account.owner_id or 0,
        request_id="r",
        submitted_at=now,
        updated_at=now,
    )


@pytest.fixture
def book(instrument: Instrument) -> Iterator[None]:
    """Depth in the live cache: 5 @ 100, 10 @ 100.5 offered; 5 @ 99 bid."""
    redis = Redis.from_url(settings.REDIS_URL)
    key = f"{settings.REDIS_PREFIX}latest:book:{instrument.symbol}"
    data = {
        "bids": [["99", "5"]],
        "asks": [["100", "5"], ["100.5", "10"]],
        "t": wire_time(to_ns(datetime(2026, 3, 2, tzinfo=UTC))),
    }
    frame = {"op": "event", "topic": f"book:{instrument.symbol}", "epoch": "e", "seq": 1}
    redis.set(key, json.dumps({**frame, "data": data}))
    yield
    redis.delete(key)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


def page_data(html: str) -> dict[str, object]:
    found = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', html)
    assert found is not None
    data: dict[str, object] = json.loads(found.group(1))
    return data


def ticket(**changes: str) -> dict[str, str]:
    return {
        "symbol": "ACME",
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "DAY",
        "quantity": "10",
        "limit_price": "97",
        "client_order_id": "ticket-2",
        **changes,
    }


# --- Who sees what --------------------------------------------------------------------------------


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


# --- The page -------------------------------------------------------------------------------------


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


# --- The ticket -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity": "1_000"}, "quantity"),
        ({"quantity": "NaN"}, "quantity"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"limit_price": ""}, "limit_price"),
        ({"limit_price": "1e5"}, "limit_price"),
        ({"side": "HOLD"}, "side"),
        ({"symbol": "NOPE"}, "symbol"),
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


# --- The preview ----------------------------------------------------------------------------------


def test_a_market_preview_walks_the_book(
    alice: User, account: TradingAccount, book: None, signed_in: Callable[[User], Client]
) -> None:
    query = ticket(type="MARKET", limit_price="", quantity="10")

    answer = signed_in(alice).get("/orders/preview", query, headers=JSON)

    assert answer.json() == {
        "estimated_price": "100.25",
        "estimated_notional": "1002.5",
        "takeable_quantity": "10",
        "accepted": True,
        "reason": None,
        "message": "",
    }


def test_a_limit_preview_takes_what_it_may_and_rests_the_remainder(
    alice: User, account: TradingAccount, book: None, signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(alice).get("/orders/preview", ticket(limit_price="100"), headers=JSON).json()

    assert answer["estimated_price"] == "100"
    assert answer["estimated_notional"] == "1000"
    assert answer["takeable_quantity"] == "5"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": "100"}, "FUNDS_INSUFFICIENT"),
        ({"side": "SELL"}, "POSITION_INSUFFICIENT"),
        ({"limit_price": "97.005"}, "PRICE_OFF_TICK"),
        ({"quantity": "1.5"}, "QUANTITY_OFF_LOT"),
    ],
)
def test_a_preview_names_why_the_order_would_not_pass(
    alice: User,
    account: TradingAccount,
    book: None,
    signed_in: Callable[[User], Client],
    changes: dict[str, str],
    reason: str,
) -> None:
    answer = signed_in(alice).get("/orders/preview", ticket(**changes), headers=JSON).json()

    assert answer["accepted"] is False
    assert answer["reason"] == reason
    assert answer["message"]


def test_a_market_preview_without_a_book_has_no_price(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    query = ticket(type="MARKET", limit_price="")

    answer = signed_in(alice).get("/orders/preview", query, headers=JSON).json()

    assert answer["estimated_price"] is None
    assert answer["reason"] == "LIQUIDITY_NONE"


# --- Bars -----------------------------------------------------------------------------------------


def test_bars_come_oldest_first_as_decimal_strings(
    alice: User, instrument: Instrument, signed_in: Callable[[User], Client]
) -> None:
    minute = SystemClock().now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    for offset in (0, 1):
        Bar.objects.create(
            instrument=instrument, timeframe="1Min", start=minute + timedelta(minutes=offset),
            open="100", high="101.50", low="99", close="100.25", volume="7", source="test",
        )  # fmt: skip

    answer = signed_in(alice).get(
        "/charts/bars", {"symbol": "ACME", "timeframe": "1Min", "limit": "10"}, headers=JSON
    )

    bars = answer.json()["bars"]
    assert [bar["t"] < bars[-1]["t"] for bar in bars] == [True, False]
    assert {key: bars[0][key] for key in "ohlcv"} == {
        "o": "100", "h": "101.5", "l": "99", "c": "100.25", "v": "7",
    }  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        {"symbol": "NOPE", "timeframe": "1Min"},
        {"symbol": "ACME", "timeframe": "7Min"},
        {"symbol": "ACME", "timeframe": "1Min", "limit": "100000"},
    ],
)
def test_an_unreadable_request_for_bars_is_refused(
    alice: User,
    instrument: Instrument,
    signed_in: Callable[[User], Client],
    query: dict[str, str],
) -> None:
    answer = signed_in(alice).get("/charts/bars", query, headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["reason"] == "FIELD_INVALID"
