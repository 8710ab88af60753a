"""Reads of accounts, balances, positions and the ledger, always scoped by who is looking."""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from django.db.models import F, Q, QuerySet

from accounts.models import User
from core.domain.clock import SystemClock
from core.domain.units import decimal_to_units, divide_half_up
from marketdata.models import Instrument
from marketdata.selectors import LiveDataUnavailableError, latest_quotes, latest_trades
from portfolio.domain.activities import CASH_TYPES
from portfolio.domain.fees import RATE_PER_BPS
from portfolio.domain.history import CashMove, Sample
from portfolio.domain.margin import Exposure, MarginState, margin_state
from portfolio.domain.marks import Mark, mark_of
from portfolio.models import Balance, EquitySample, FeeTier, Position, TradingAccount, Transfer

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
    return default_accounts([user.pk]).get(user.pk)


def default_accounts(user_ids: Collection[int]) -> dict[int, TradingAccount]:
    """`default_account` of many users, by user; who has none is left out."""
    accounts = (
        TradingAccount.objects.annotate(member_id=F("members"))
        .filter(Q(owner__in=user_ids) | Q(member_id__in=user_ids), kind="CASH")
        .select_related("currency")
        .order_by("pk")
    )
    own: dict[int, TradingAccount] = {}
    shared: dict[int, TradingAccount] = {}
    for account in accounts:  # one of several members comes once for each
        if account.owner_id is not None:
            own.setdefault(account.owner_id, account)
        if account.member_id is not None:
            shared.setdefault(account.member_id, account)
    found = shared | own
    return {user_id: found[user_id] for user_id in user_ids if user_id in found}


def default_account_id(user: User) -> UUID | None:
    """The public id of `default_account`. Named by settings.DIALECT_ACCOUNT."""
    account = default_account(user)
    return None if account is None else account.public_id


def share_a_desk(user_id: int, other_id: int) -> bool:
    """Whether the two own or share accounts of one desk, or the same account. Named by
    settings.DESK_MATES.
    """
    theirs = Q(owner=other_id) | Q(members=other_id)
    mine = Q(owner=user_id) | Q(members=user_id)
    accounts = TradingAccount.objects.filter(mine, kind="CASH").order_by("pk")
    reach = accounts.values_list("pk", "desk_id")
    keys = {pk for pk, _ in reach}
    desks = {desk for _, desk in reach if desk is not None}
    return (
        TradingAccount.objects.filter(theirs, kind="CASH")
        .filter(Q(pk__in=keys) | Q(desk__in=desks))
        .exists()
    )


def balance_of(account: TradingAccount) -> Balance:
    """The account's balance; zero when no money was ever moved."""
    balance = Balance.objects.filter(account=account, currency_id=account.currency_id).first()
    nothing = Decimal(0)
    return balance or Balance(
        account=account,
        currency_id=account.currency_id,
        total=nothing,
        locked=nothing,
        fees_paid=nothing,
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


def cash_moves_of(
    account: TradingAccount, start: datetime, end: datetime, types: Collection[str]
) -> dict[str, list[CashMove]]:
    """The cash that came and went from `start` to before `end`, by the dialect's types: oldest
    first. A type that does not happen here has none.
    """
    moves: dict[str, list[CashMove]] = {kind: [] for kind in types}
    rows = Transfer.objects.filter(
        Q(debit_account=account) | Q(credit_account=account),
        kind__in=[kind for kind, word in CASH_TYPES.items() if word in types],
        occurred_at__gte=start,
        occurred_at__lt=end,
    ).order_by("pk")
    for row in rows:
        amount = row.amount if row.credit_account_id == account.pk else -row.amount
        moves[CASH_TYPES[row.kind]].append(CashMove(row.occurred_at, amount))
    return moves


def equity_at_day_start(account: TradingAccount, now: datetime) -> Decimal | None:
    """The last sample before the UTC day of `now`; None for an account that has none."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    row = (
        EquitySample.objects.filter(account=account, sampled_at__lt=midnight)
        .order_by("-sampled_at")
        .first()
    )
    return row.equity if row else None


def marks_of(symbols: Sequence[str], now: datetime) -> dict[str, Mark]:
    """What each symbol is valued at (portfolio.domain.marks); one of which no price is known is
    missing.
    """
    try:
        quotes = latest_quotes(symbols) if symbols else {}
        trades = latest_trades(symbols) if symbols else {}
    except LiveDataUnavailableError:
        return {}
    marks = {symbol: mark_of(quotes.get(symbol), trades.get(symbol), now) for symbol in symbols}
    return {symbol: mark for symbol, mark in marks.items() if mark is not None}


def mark_prices(symbols: Sequence[str]) -> dict[str, Decimal]:
    """The prices of `marks_of` at this moment."""
    marks = marks_of(symbols, SystemClock().now())
    return {symbol: mark.price for symbol, mark in marks.items()}
