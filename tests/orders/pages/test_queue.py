"""The operators' pages: what waits in every account, and who may see and end it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from core.domain.ages import age_text
from core.domain.clock import SystemClock
from marketdata.models import Instrument
from orders.models import Order
from portfolio.models import TradingAccount
from tests.orders.pages.asked import JSON


@pytest.fixture
def crowd(order: Order, charlie: User) -> dict[str, Order]:
    """Alice's order, then two of Charlie's: one behind it, one better; and a stop that waits."""
    other = TradingAccount.objects.create(
        name="Charlie's", currency=order.account.currency, owner=charlie,
        created_at=order.submitted_at,
    )  # fmt: skip
    found = {"first": order}
    for number, (name, changes) in enumerate(
        {
            "behind": {"quantity": Decimal(4)},
            "better": {"limit_price": Decimal("97.5")},
            "stop": {"type": "STOP_LIMIT", "stop_price": Decimal(120)},
        }.items(),
        start=2,
    ):
        copy = Order.objects.get(pk=order.pk)
        copy.pk, copy.sequence, copy.rank, copy.client_order_id = uuid4(), number, number, name
        copy.account = other
        for field, value in changes.items():
            setattr(copy, field, value)
        copy.save(force_insert=True)
        found[name] = copy
    return found


def rows_for(client: Client, **query: str) -> list[dict[str, Any]]:  # Any: JSON
    rows: list[dict[str, Any]] = client.get("/operate/orders", query, headers=JSON).json()["rows"]
    return rows


def test_the_queue_tells_what_stands_before_each_order(
    olga: User, crowd: dict[str, Order], signed_in: Callable[[User], Client]
) -> None:
    rows = rows_for(signed_in(olga))

    assert [(row["owner"], row["limit"], row["ahead"]) for row in rows] == [
        ("alice", "97", "first"),
        ("charlie", "97", "1 · 10"),
        ("charlie", "97.5", "first"),
        ("charlie", "97", "–"),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"state": "waiting_stop"}, ["stop"]),
        ({"state": "waiting_auction"}, []),
        ({"symbol": "NOPE"}, []),
        ({"limit": "2"}, ["first", "behind"]),
        ({"limit": "2", "after": "2"}, ["better", "stop"]),
    ],
)
def test_the_queue_is_filtered_and_paged(
    olga: User,
    crowd: dict[str, Order],
    signed_in: Callable[[User], Client],
    query: dict[str, str],
    names: list[str],
) -> None:
    rows = rows_for(signed_in(olga), **query)

    assert [row["id"] for row in rows] == [str(crowd[name].pk) for name in names]


def test_one_account_is_asked_for_by_its_id(
    olga: User, crowd: dict[str, Order], signed_in: Callable[[User], Client]
) -> None:
    account = str(crowd["first"].account.public_id)

    assert [row["owner"] for row in rows_for(signed_in(olga), account=account)] == ["alice"]


@pytest.mark.parametrize(
    "query", [{"limit": "0x1"}, {"limit": "201"}, {"state": "done"}, {"account": "17"}, {"x": "1"}]
)
def test_an_unreadable_question_is_refused(
    olga: User, signed_in: Callable[[User], Client], query: dict[str, str]
) -> None:
    assert signed_in(olga).get("/operate/orders", query).status_code == 422


def test_the_page_holds_groups_rows_and_a_form_each(
    olga: User, crowd: dict[str, Order], signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(olga).get("/operate/orders", {"limit": "2"}).content.decode()

    assert f'action="/operate/orders/{crowd["first"].pk}/cancel"' in html
    assert 'href="?after=2&amp;limit=2"' in html
    assert '<td class="num">3</td>' in html  # Charlie's group


@pytest.mark.parametrize(
    ("name", "role", "status"),
    [
        ("alice", "trader", 403),
        ("rita", "risk_manager", 200),
        ("olga", "operator", 200),
        ("audrey", "auditor", 200),
        ("sam", "support", 403),
    ],
)
def test_who_reads_every_account_sees_the_queue(
    order: Order,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
    name: str,
    role: str,
    status: int,
) -> None:
    client = signed_in(User.objects.filter(username=name).first() or make_user(name, role=role))

    pages = [client.get(path).status_code for path in ("/operate/orders", "/operate/markets")]

    assert pages == [status, status]


def test_an_auditor_reads_and_ends_nothing(
    order: Order,
    instrument: Instrument,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
) -> None:
    client = signed_in(make_user("audrey", role="auditor"))
    path = f"/operate/orders/{order.pk}/cancel"

    page = client.get("/operate/orders").content.decode()
    canceled = client.post(path, {"reason": "why not"}, headers=JSON)
    halted = client.post(
        "/operate/markets/set", {"symbol": "ACME", "status": "HALTED", "reason": "x"}
    )

    assert f'action="{path}"' not in page
    assert (canceled.status_code, halted.status_code) == (403, 403)


def test_a_cancel_without_a_reason_is_refused(
    olga: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    answer = signed_in(olga).post(f"/operate/orders/{order.pk}/cancel", headers=JSON)

    assert answer.status_code == 422
    assert answer.json()["facts"]["fields"].keys() == {"reason"}


def test_the_markets_page_shows_each_state_and_what_waits(
    olga: User, order: Order, instrument: Instrument, signed_in: Callable[[User], Client]
) -> None:
    Instrument.objects.filter(pk=instrument.pk).update(status="CANCEL_ONLY")

    html = signed_in(olga).get("/operate/markets").content.decode()

    assert '<span class="tag" data-level="warning">Cancel only</span>' in html
    assert 'href="/operate/orders?symbol=ACME">1</a>' in html
    assert '<option value="CANCEL_ONLY" selected>' in html


def test_a_row_grows_old(olga: User, order: Order, signed_in: Callable[[User], Client]) -> None:
    submitted_at = SystemClock().now() - timedelta(minutes=90, seconds=5)
    Order.objects.filter(pk=order.pk).update(submitted_at=submitted_at)

    assert rows_for(signed_in(olga))[0]["age"] == "90 min"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d")],
)
def test_an_age_is_as_long_as_it_matters(seconds: int, text: str) -> None:
    assert age_text(seconds) == text
