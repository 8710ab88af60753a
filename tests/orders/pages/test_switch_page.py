"""The kill switch on the pages: what it would do, and what is shown while trading is restricted."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from marketdata.models import Instrument
from orders.models import Order
from portfolio.models import TradingAccount
from risk.models import ChangeRequest, TradingState
from tests.orders.pages.asked import JSON


def restrict(scope: str, now: datetime, account: TradingAccount | None = None) -> TradingState:
    return TradingState.objects.create(
        scope=scope, account=account, state="HALTED", version=3, is_clearing=False,
        reason="a fat finger", request_id="r", changed_at=now,
    )  # fmt: skip


def shown_to(client: Client) -> dict[str, list[dict[str, object]]]:
    answer: dict[str, list[dict[str, object]]] = client.get("/risk/switch", headers=JSON).json()
    return answer


def test_the_switch_says_what_it_would_cancel(
    alice: User, order: Order, signed_in: Callable[[User], Client]
) -> None:
    Order.objects.update(strategy="momentum")
    client, account = signed_in(alice), order.account

    assert shown_to(client)["switches"] == [
        {"scope": f"account:{account.public_id}", "name": "Account Alice's account",
         "open_orders": 1},
        {"scope": f"strategy:{account.public_id}:momentum", "name": "Strategy momentum",
         "open_orders": 1},
    ]  # fmt: skip
    assert (
        "Account Alice&#x27;s account, 1 open order<" in client.get("/risk/switch").content.decode()
    )


def test_who_manages_risk_is_offered_every_scope(
    account: TradingAccount,
    order: Order,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
) -> None:
    rita = make_user("rita", role="risk_manager")
    account.members.add(rita)

    scopes = [row["scope"] for row in shown_to(signed_in(rita))["switches"]]

    assert scopes[1:] == ["firm", "symbol:ACME"]


def test_the_terminal_shows_what_binds_the_account_and_nothing_else(
    alice: User,
    charlie: User,
    account: TradingAccount,
    instrument: Instrument,
    now: datetime,
    signed_in: Callable[[User], Client],
) -> None:
    other = TradingAccount.objects.create(
        name="Other", currency=account.currency, owner=charlie, created_at=now
    )
    restrict(f"account:{account.pk}", now, account)
    restrict(f"account:{other.pk}", now, other)
    restrict(f"symbol:{instrument.pk}", now)
    client = signed_in(alice)

    rows = shown_to(client)["restrictions"]
    html = client.get("/terminal").content.decode()

    assert [(row["name"], row["word"], row["may_ask"]) for row in rows] == [
        ("Account Alice's account", "Halted", True),
        ("ACME", "Halted", False),
    ]
    assert html.count('class="restriction"') == 2
    assert "a fat finger" in html
    assert html.count('action="/risk/enable"') == 1


def test_a_free_terminal_has_no_banner(
    alice: User, account: TradingAccount, signed_in: Callable[[User], Client]
) -> None:
    html = signed_in(alice).get("/terminal").content.decode()

    assert 'aria-label="Trading is restricted" hidden' in html
    assert "data-kill" in html


@pytest.mark.parametrize(("hours", "is_shown"), [(1, True), (-1, False)])
def test_a_request_that_waits_is_shown_until_it_expires(
    alice: User,
    account: TradingAccount,
    now: datetime,
    signed_in: Callable[[User], Client],
    hours: int,
    is_shown: bool,
) -> None:
    restrict(f"account:{account.pk}", now, account)
    real_now = datetime.now(now.tzinfo)
    ChangeRequest.objects.create(
        scope=f"account:{account.pk}", account=account, state="ACTIVE", version=3, reason="again",
        asked_by=alice, asked_at=now, expires_at=real_now + timedelta(hours=hours),
    )  # fmt: skip

    (row,) = shown_to(signed_in(alice))["restrictions"]

    assert (row["asked_at"] is not None) is is_shown


def test_who_may_only_watch_has_no_switch(
    account: TradingAccount,
    make_user: Callable[..., User],
    signed_in: Callable[[User], Client],
) -> None:
    analyst = make_user("anna", role="analyst")
    account.members.add(analyst)

    assert "data-kill" not in signed_in(analyst).get("/terminal").content.decode()
