"""Rows of the portfolio tables as the engine hands them over; amounts in 10^-8 units."""

from uuid import UUID

import msgspec

from portfolio.domain.margin import Call


class TransferRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    kind: str
    debit_account_id: int
    credit_account_id: int
    currency: str
    amount_units: int
    trade_id: int | None
    reason: str
    occurred_ns: int


class BalanceRow(msgspec.Struct, frozen=True, gc=False):
    account_id: int
    currency: str
    total_units: int
    locked_units: int
    is_overdraft_allowed: bool
    fees_units: int = 0


class FeeTierRow(msgspec.Struct, frozen=True, gc=False):
    """Rates are fractions in units of 10^-8."""

    code: str
    name: str
    maker_rate: int
    taker_rate: int


class AccountTermsRow(msgspec.Struct, frozen=True):
    """What operators and its people have set for an account; no tier code: no fees."""

    account_id: int
    fee_tier: str | None
    desk_id: int | None
    stp_mode: str
    is_suspended: bool
    is_long_only: bool
    multiplier: int
    is_shorting_enabled: bool
    call: Call | None = None


class PositionRow(msgspec.Struct, frozen=True, gc=False):
    account_id: int
    instrument_id: int
    quantity_units: int
    locked_units: int
    cost_units: int
    realized_units: int
    is_short_allowed: bool


class HoldRow(msgspec.Struct, frozen=True, gc=False):
    """`currency` for cash, `instrument_id` for quantity: one of the two."""

    order_id: UUID
    account_id: int
    currency: str | None
    instrument_id: int | None
    amount_units: int
    remaining_units: int
    state: str
