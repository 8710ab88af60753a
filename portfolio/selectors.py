"""Reads of accounts, balances, positions and the ledger, always scoped by who is looking."""

from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from django.db.models import Q, QuerySet

from accounts.models import User
from core.domain.units import decimal_to_units, divide_half_up
from marketdata.models import Instrument
from marketdata.selectors import LiveDataUnavailableError, latest_quotes
from portfolio.domain.fees import RATE_PER_BPS
from portfolio.domain.history import Sample
from portfolio.domain.margin import Exposure, MarginState, margin_state
from portfolio.models import Balance, EquitySample, FeeTier, Position, TradingAccount

UNIT = Decimal("0.00000001")


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


def fee_rates_of(account: TradingAccount) -> tuple[int, int]:
    """What the account's fills pay now, as maker and as taker (portfolio.domain.fees)."""
    tier = FeeTier.objects.filter(tradingaccount=account).first()
    if tier is None:
        return 0, 0
    return int(tier.maker_bps * RATE_PER_BPS), int(tier.taker_bps * RATE_PER_BPS)


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


def position_of(account: TradingAccount, instrument: Instrument) -> Position | None:
    """What the account has, or once had, in the instrument."""
    return Position.objects.filter(account=account, instrument=instrument).first()


def average_entry_price(position: Position) -> Decimal:
    """Cost per unit, rounded half up to 8 decimals; 0 for a closed position."""
    if not position.quantity:
        return Decimal(0)
    return divide_half_up(abs(position.cost_basis), abs(position.quantity))


def margin_of(account: TradingAccount, balance: Balance) -> MarginState:
    """What the account is worth and must keep, by the newest quotes (docs/fees-and-margin.md)."""
    positions = list(open_positions(account))
    marks = mark_prices([position.instrument.symbol for position in positions])
    return margin_state(
        cash=_units(balance.total),
        held=_units(balance.locked),
        multiplier=account.margin_multiplier,
        exposures=[
            Exposure(
                _units(_value(position, marks)), is_marginable=position.instrument.is_marginable
            )
            for position in positions
        ],
    )


def _value(position: Position, marks: dict[str, Decimal]) -> Decimal:
    """Rounded down to the unit; at cost without a quote."""
    mark = marks.get(position.instrument.symbol)
    if mark is None:
        return position.cost_basis
    return (position.quantity * mark).quantize(UNIT, ROUND_FLOOR)


def _units(value: Decimal) -> int:
    units = decimal_to_units(value)
    assert units is not None  # rounded to a unit, or stored so
    return units


def samples_of(account: TradingAccount, start: datetime, end: datetime) -> list[Sample]:
    """The account's equity samples from `start` to before `end`, oldest first."""
    rows = EquitySample.objects.filter(
        account=account, sampled_at__gte=start, sampled_at__lt=end
    ).order_by("sampled_at")
    return [Sample(row.sampled_at, row.equity, row.deposited) for row in rows]


def mark_prices(symbols: Sequence[str]) -> dict[str, Decimal]:
    """The middle of each symbol's newest quote; a symbol without one is missing."""
    try:
        quotes = latest_quotes(symbols) if symbols else {}
    except LiveDataUnavailableError:
        return {}
    return {symbol: (quote.bid + quote.ask) / 2 for symbol, quote in quotes.items()}
