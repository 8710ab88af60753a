"""How one engine batch's money is written: transfers, balances, positions and holds.

The engine decides, and commits these together with its own tables; the tables' constraints (free >=
0, positive transfers) have the last word and would stop the batch. Sums travel as numeric: those of
the house and the street may outgrow 64 bits of units.
"""

from core.batch_columns import (
    WriteRows,
    bps,
    flag,
    insert,
    large_units,
    number,
    text,
    time,
    units,
    update,
    upsert,
    uuid,
)
from portfolio.domain.rows import (
    AccountTermsRow,
    BalanceRow,
    FeeTierRow,
    HoldRow,
    PositionRow,
    TransferRow,
)

transfers: WriteRows[TransferRow] = insert(
    "portfolio_transfer",
    (
        number("id", lambda rows: [row.id for row in rows]),
        text("kind", lambda rows: [row.kind for row in rows]),
        number("debit_account_id", lambda rows: [row.debit_account_id for row in rows]),
        number("credit_account_id", lambda rows: [row.credit_account_id for row in rows]),
        text("currency_id", lambda rows: [row.currency for row in rows]),
        large_units("amount", lambda rows: [row.amount_units for row in rows]),
        number("trade_id", lambda rows: [row.trade_id for row in rows]),
        text("reason", lambda rows: [row.reason for row in rows]),
        time("occurred_at", lambda rows: [row.occurred_ns for row in rows]),
    ),
)
"""New ledger transfers."""

balances: WriteRows[BalanceRow] = upsert(
    "portfolio_balance",
    key=(
        number("account_id", lambda rows: [row.account_id for row in rows]),
        text("currency_id", lambda rows: [row.currency for row in rows]),
    ),
    changing=(
        large_units("total", lambda rows: [row.total_units for row in rows]),
        large_units("locked", lambda rows: [row.locked_units for row in rows]),
        large_units("fees_paid", lambda rows: [row.fees_units for row in rows]),
        flag("is_overdraft_allowed", lambda rows: [row.is_overdraft_allowed for row in rows]),
    ),
)
"""Each account's balance as it is after the batch."""

positions: WriteRows[PositionRow] = upsert(
    "portfolio_position",
    key=(
        number("account_id", lambda rows: [row.account_id for row in rows]),
        number("instrument_id", lambda rows: [row.instrument_id for row in rows]),
    ),
    changing=(
        large_units("quantity", lambda rows: [row.quantity_units for row in rows]),
        large_units("locked", lambda rows: [row.locked_units for row in rows]),
        large_units("cost_basis", lambda rows: [row.cost_units for row in rows]),
        large_units("realized_pnl", lambda rows: [row.realized_units for row in rows]),
        flag("is_short_allowed", lambda rows: [row.is_short_allowed for row in rows]),
    ),
)
"""Each position as it is after the batch."""

holds: WriteRows[HoldRow] = upsert(
    "portfolio_hold",
    key=(uuid("order_id", lambda rows: [row.order_id for row in rows]),),
    changing=(
        units("amount", lambda rows: [row.amount_units for row in rows]),
        units("remaining", lambda rows: [row.remaining_units for row in rows]),
        text("state", lambda rows: [row.state for row in rows]),
    ),
    fixed=(
        number("account_id", lambda rows: [row.account_id for row in rows]),
        text("currency_id", lambda rows: [row.currency for row in rows]),
        number("instrument_id", lambda rows: [row.instrument_id for row in rows]),
    ),
)
"""Each hold as it is after the batch."""

fee_tiers: WriteRows[FeeTierRow] = upsert(
    "portfolio_feetier",
    key=(text("code", lambda rows: [row.code for row in rows]),),
    changing=(
        text("name", lambda rows: [row.name for row in rows]),
        bps("maker_bps", lambda rows: [row.maker_rate for row in rows]),
        bps("taker_bps", lambda rows: [row.taker_rate for row in rows]),
    ),
)
"""Fee tiers that an operator made or changed."""

account_terms: WriteRows[AccountTermsRow] = update(
    "portfolio_tradingaccount",
    key=number("id", lambda rows: [row.account_id for row in rows]),
    changing=(
        text("fee_tier_id", lambda rows: [row.fee_tier for row in rows]),
        number("desk_id", lambda rows: [row.desk_id for row in rows]),
        text("stp_mode", lambda rows: [row.stp_mode for row in rows]),
        flag("is_suspended", lambda rows: [row.is_suspended for row in rows]),
        flag("is_long_only", lambda rows: [row.is_long_only for row in rows]),
        number("margin_multiplier", lambda rows: [row.multiplier for row in rows]),
        flag("is_shorting_enabled", lambda rows: [row.is_shorting_enabled for row in rows]),
        time("margin_called_at", lambda rows: [row.call and row.call.called_ns for row in rows]),
        time(
            "margin_deadline_at", lambda rows: [row.call and row.call.deadline_ns for row in rows]
        ),
        text("forced_closing", lambda rows: [row.call.forced if row.call else "" for row in rows]),
    ),
)
"""What operators and their people set for accounts."""
