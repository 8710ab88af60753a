"""`seed_demo`: the first two people of an empty portal, whom mail reaches, and nothing twice."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command

from accounts.models import User
from marketdata.models import Instrument
from portfolio.models import TradingAccount
from portfolio.selectors import balance_of

pytestmark = pytest.mark.django_db(transaction=True)


def seed() -> dict[str, object]:
    out = io.StringIO()
    call_command("seed_demo", "--json", stdout=out)
    document: dict[str, object] = json.loads(out.getvalue())
    return document


def test_an_empty_portal_gets_two_people_with_addresses_and_later_seeds_change_nothing() -> None:
    first = seed()
    people = {user.username: user for user in User.objects.all()}
    made = (User.objects.count(), TradingAccount.objects.count(), Instrument.objects.count())

    again = seed()

    assert {name: user.email for name, user in people.items()} == {
        "admin": "admin@portal.invalid",
        "demo": "demo@portal.invalid",
    }
    assert all(user.is_email_wanted for user in people.values())
    assert people["demo"].check_password(str(first["password"]))
    assert people["admin"].check_password(str(first["admin_password"]))
    account = TradingAccount.objects.get(owner=people["demo"])
    assert balance_of(account).total == Decimal(100_000)
    assert first["created"] is True
    assert (again["created"], again["password"], again["admin_password"]) == (False, None, None)
    assert (
        User.objects.count(),
        TradingAccount.objects.count(),
        Instrument.objects.count(),
    ) == made


def test_a_portal_with_people_of_its_own_gets_no_demo(alice: User) -> None:
    answer = seed()

    assert answer["created"] is False
    assert list(User.objects.values_list("username", flat=True)) == [alice.username]
    assert not TradingAccount.objects.filter(owner__isnull=False).exists()
