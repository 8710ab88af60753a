"""An instrument, Alice's account with Bob in it, one open order, a book: no engine runs."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import settings
from redis import Redis

from accounts.models import User
from core.domain.clock import to_ns, wire_time
from marketdata.models import Currency, Instrument, Venue
from orders.models import Order
from portfolio.models import Balance, TradingAccount


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
        rank=1,
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
        is_opening=True,
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
