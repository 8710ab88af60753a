"""How one engine batch's money is written: transfers, balances, positions and holds.

The engine decides, and commits these together with its own tables; the tables' constraints (free >=
0, positive transfers) have the last word and would stop the batch. Sums travel as numeric: those of
the house and the street may outgrow 64 bits of units.
"""

from collections.abc import Sequence

from core.batch_sql import EPOCH_SQL, Write, bools, ints, micros, texts, uuids
from portfolio.domain.rows import BalanceRow, HoldRow, PositionRow, TransferRow

_TRANSFERS = f"""
INSERT INTO portfolio_transfer (id, kind, debit_account_id, credit_account_id, currency_id, amount,
  trade_id, reason, occurred_at)
SELECT id, kind, debit, credit, currency, amount * 0.00000001, trade, reason,
  {EPOCH_SQL.format("occurred")}
FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::numeric[],
  %s::bigint[], %s::text[], %s::bigint[])
  AS item (id, kind, debit, credit, currency, amount, trade, reason, occurred)
"""  # noqa: S608  # the only thing formatted in is a constant of ours

_BALANCES = """
INSERT INTO portfolio_balance (account_id, currency_id, total, locked, is_overdraft_allowed)
SELECT account, currency, total * 0.00000001, locked * 0.00000001, overdraft
FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::boolean[])
  AS item (account, currency, total, locked, overdraft)
ON CONFLICT (account_id, currency_id) DO UPDATE SET total = excluded.total, locked = excluded.locked
"""

_POSITIONS = """
INSERT INTO portfolio_position (account_id, instrument_id, quantity, locked, cost_basis,
  realized_pnl, is_short_allowed)
SELECT account, instrument, quantity * 0.00000001, locked * 0.00000001, cost * 0.00000001,
  realized * 0.00000001, short
FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[],
  %s::numeric[], %s::boolean[])
  AS item (account, instrument, quantity, locked, cost, realized, short)
ON CONFLICT (account_id, instrument_id) DO UPDATE SET quantity = excluded.quantity,
  locked = excluded.locked, cost_basis = excluded.cost_basis, realized_pnl = excluded.realized_pnl
"""

_HOLDS = """
INSERT INTO portfolio_hold (order_id, account_id, currency_id, instrument_id, amount, remaining,
  state)
SELECT order_id, account, currency, instrument, amount * 0.00000001, remaining * 0.00000001, state
FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
  %s::text[])
  AS item (order_id, account, currency, instrument, amount, remaining, state)
ON CONFLICT (order_id) DO UPDATE SET remaining = excluded.remaining, state = excluded.state
"""


def transfers(rows: Sequence[TransferRow]) -> Write:
    """New ledger transfers."""
    return Write(
        _TRANSFERS,
        (
            ints(row.id for row in rows),
            texts(row.kind for row in rows),
            ints(row.debit_account_id for row in rows),
            ints(row.credit_account_id for row in rows),
            texts(row.currency for row in rows),
            ints(row.amount_units for row in rows),
            ints(row.trade_id for row in rows),
            texts(row.reason for row in rows),
            micros(row.occurred_ns for row in rows),
        ),
    )


def balances(rows: Sequence[BalanceRow]) -> Write:
    """Each account's balance as it is after the batch."""
    return Write(
        _BALANCES,
        (
            ints(row.account_id for row in rows),
            texts(row.currency for row in rows),
            ints(row.total_units for row in rows),
            ints(row.locked_units for row in rows),
            bools(row.is_overdraft_allowed for row in rows),
        ),
    )


def positions(rows: Sequence[PositionRow]) -> Write:
    """Each position as it is after the batch."""
    return Write(
        _POSITIONS,
        (
            ints(row.account_id for row in rows),
            ints(row.instrument_id for row in rows),
            ints(row.quantity_units for row in rows),
            ints(row.locked_units for row in rows),
            ints(row.cost_units for row in rows),
            ints(row.realized_units for row in rows),
            bools(row.is_short_allowed for row in rows),
        ),
    )


def holds(rows: Sequence[HoldRow]) -> Write:
    """Each hold as it is after the batch."""
    return Write(
        _HOLDS,
        (
            uuids(row.order_id for row in rows),
            ints(row.account_id for row in rows),
            texts(row.currency for row in rows),
            ints(row.instrument_id for row in rows),
            ints(row.amount_units for row in rows),
            ints(row.remaining_units for row in rows),
            texts(row.state for row in rows),
        ),
    )
