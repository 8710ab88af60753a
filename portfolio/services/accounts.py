"""Creates trading accounts as rows; the engine is told of them by orders/services/money.py."""

from datetime import datetime

from accounts.models import User
from marketdata.models import Currency
from portfolio.models import TradingAccount

PORTAL_CURRENCY = "USD"
HOUSE_ACCOUNTS = {
    TradingAccount.Kind.STREET: "The street",
    TradingAccount.Kind.HOUSE: "The house",
}


def create_account(*, owner: User, name: str, now: datetime) -> TradingAccount:
    """A new cash account of `owner`, empty."""
    return TradingAccount.objects.create(
        name=name, currency=_currency(), owner=owner, created_at=now
    )


def create_house_accounts(*, now: datetime) -> list[TradingAccount]:
    """The two accounts on the other side of street trades and deposits; made once."""
    return [
        TradingAccount.objects.get_or_create(
            kind=kind, defaults={"name": name, "currency": _currency(), "created_at": now}
        )[0]
        for kind, name in HOUSE_ACCOUNTS.items()
    ]


def _currency() -> Currency:
    currency, _ = Currency.objects.get_or_create(pk=PORTAL_CURRENCY, defaults={"name": "US dollar"})
    return currency
