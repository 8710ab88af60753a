"""The operators' pages of market data open, and change nothing that must not change."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from marketdata.models import Currency, Instrument, Venue


@pytest.fixture
def console(make_user: Callable[..., User]) -> Client:
    client = Client()
    admin = make_user("ada", role="admin")
    client.force_login(admin, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client


@pytest.fixture
def ibm(db: None) -> Instrument:
    usd = Currency.objects.create(code="USD", name="US dollar")
    venue = Venue.objects.create(code="SIM", name="Simulated", kind=Venue.Kind.SIMULATED)
    return Instrument.objects.create(
        symbol="IBM",
        name="IBM",
        asset_class="us_equity",
        venue=venue,
        quote_currency=usd,
        tick_size=Decimal("0.01"),
        lot_size=Decimal(1),
    )


@pytest.mark.parametrize("model", ["currency", "venue", "instrument", "bar"])
def test_lists_open(console: Client, ibm: Instrument, model: str) -> None:
    assert console.get(f"/admin/marketdata/{model}/").status_code == 200


def test_bars_cannot_be_added(console: Client, ibm: Instrument) -> None:
    assert console.get("/admin/marketdata/bar/add/").status_code == 403


def test_terms_and_status_stay_whatever_is_posted(console: Client, ibm: Instrument) -> None:
    console.post(
        f"/admin/marketdata/instrument/{ibm.pk}/change/",
        {"name": "International", "tick_size": "1", "status": "HALTED", "symbol": "XXX"},
    )

    ibm.refresh_from_db()
    assert (ibm.symbol, ibm.tick_size, ibm.status) == ("IBM", Decimal("0.01"), "OPEN")
