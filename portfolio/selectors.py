"""Reads of accounts, balances, positions and the ledger, always scoped by who is looking."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Q, QuerySet

from accounts.models import User
from core.domain.units import divide_half_up
from marketdata.selectors import LiveDataUnavailableError, latest_quotes
from portfolio.models import Balance, Position, TradingAccount


def accounts_visible_to(user: User) -> QuerySet[TradingAccount]:
    """The cash accounts that `user` owns or shares, oldest first."""
    return (
        TradingAccount.objects.filter(Q(owner=user) | Q(members=user), kind="CASH")
        .select_related("currency")
        .distinct()
        .order_by("pk")
    )


def default_account(user: User) -> TradingAccount | None:
    """What pages and API keys of `user` work on: the oldest own account, else a shared one."""
    accounts = list(accounts_visible_to(user))
    own = [account for account in accounts if account.owner_id == user.pk]
    return next(iter(own or accounts), None)


def balance_of(account: TradingAccount) -> Balance:
    """The account's balance; zero when no money was ever moved."""
    balance = Balance.objects.filter(account=account, currency_id=account.currency_id).first()
    return balance or Balance(
        account=account, currency_id=account.currency_id, total=Decimal(0), locked=Decimal(0)
    )


def open_positions(account: TradingAccount) -> QuerySet[Position]:
    """Positions with a quantity, by symbol."""
    return (
        Position.objects.filter(account=account)
        .exclude(quantity=0)
        .select_related("instrument")
        .order_by("instrument__symbol", "pk")
    )


def all_positions(account: TradingAccount) -> QuerySet[Position]:
    """Open and closed positions, by symbol: closed ones keep their realised profit."""
    return (
        Position.objects.filter(account=account)
        .select_related("instrument")
        .order_by("instrument__symbol", "pk")
    )


def average_entry_price(position: Position) -> Decimal:
    """Cost per unit, rounded half up to 8 decimals; 0 for a closed position."""
    if not position.quantity:
        return Decimal(0)
    return divide_half_up(abs(position.cost_basis), abs(position.quantity))


def mark_prices(symbols: Sequence[str]) -> dict[str, Decimal]:
    """The middle of each symbol's newest quote; a symbol without one is missing."""
    try:
        quotes = latest_quotes(symbols) if symbols else {}
    except LiveDataUnavailableError:
        return {}
    return {symbol: (quote.bid + quote.ask) / 2 for symbol, quote in quotes.items()}
