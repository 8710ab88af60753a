"""Rows of the portfolio tables as the engine hands them over; amounts in 10^-8 units."""

from typing import NamedTuple
from uuid import UUID


class TransferRow(NamedTuple):
    id: int
    kind: str
    debit_account_id: int
    credit_account_id: int
    currency: str
    amount_units: int
    trade_id: int | None
    reason: str
    occurred_ns: int


class BalanceRow(NamedTuple):
    account_id: int
    currency: str
    total_units: int
    locked_units: int
    is_overdraft_allowed: bool


class PositionRow(NamedTuple):
    account_id: int
    instrument_id: int
    quantity_units: int
    locked_units: int
    cost_units: int
    realized_units: int
    is_short_allowed: bool


class HoldRow(NamedTuple):
    """`currency` for cash, `instrument_id` for quantity: one of the two."""

    order_id: UUID
    account_id: int
    currency: str | None
    instrument_id: int | None
    amount_units: int
    remaining_units: int
    state: str
