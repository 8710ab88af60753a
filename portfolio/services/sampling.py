"""Takes each account's equity every few minutes, for the history of its worth."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection

from portfolio.models import Balance, EquitySample, Position, TradingAccount
from portfolio.selectors import average_entry_price, mark_prices

FINE_SAMPLES_KEPT: Final = timedelta(days=35)
"""How long every sample stays; of older days only the last one does."""

_THIN_OUT = """
DELETE FROM portfolio_equitysample sample
WHERE sampled_at < %(before)s AND EXISTS (
  SELECT 1 FROM portfolio_equitysample later
  WHERE later.account_id = sample.account_id AND later.sampled_at > sample.sampled_at
    AND (later.sampled_at AT TIME ZONE 'UTC')::date = (sample.sampled_at AT TIME ZONE 'UTC')::date)
"""


def sample_equity(now: datetime) -> int:
    """Store what every account is worth now; returns how many samples that made.

    Cash that came from outside is what the account has, without what its trades and fees did to it:
    cash, cost of what it holds, fees paid, less realized profit (docs/fees-and-margin.md H5).
    """
    positions: defaultdict[int, list[Position]] = defaultdict(list)
    for position in Position.objects.filter(account__kind="CASH").select_related("instrument"):
        positions[position.account_id].append(position)
    marks = mark_prices(
        sorted({item.instrument.symbol for held in positions.values() for item in held})
    )
    balances = {
        row.account_id: row for row in Balance.objects.filter(account__kind="CASH").order_by("pk")
    }
    samples = [
        _sample(account, balances.get(account.pk), positions[account.pk], marks, now)
        for account in TradingAccount.objects.filter(kind="CASH").order_by("pk")
    ]
    return len(EquitySample.objects.bulk_create(samples, ignore_conflicts=True))


def _sample(
    account: TradingAccount,
    balance: Balance | None,
    positions: list[Position],
    marks: dict[str, Decimal],
    now: datetime,
) -> EquitySample:
    total = balance.total if balance else Decimal(0)
    fees = balance.fees_paid if balance else Decimal(0)
    value = sum((_value(position, marks) for position in positions), Decimal(0))
    paid = sum((item.cost_basis - item.realized_pnl for item in positions), Decimal(0))
    return EquitySample(
        account=account, sampled_at=now, equity=total + value, deposited=total + fees + paid
    )


def _value(position: Position, marks: dict[str, Decimal]) -> Decimal:
    mark = marks.get(position.instrument.symbol, average_entry_price(position))
    return round(position.quantity * mark, 8)


def thin_out_samples(now: datetime) -> int:
    """Keep one sample a day of what is older than FINE_SAMPLES_KEPT; returns how many went."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_THIN_OUT, {"before": midnight - FINE_SAMPLES_KEPT})
        return int(cursor.rowcount)
