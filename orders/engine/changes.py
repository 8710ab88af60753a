"""What one batch changed, collected by the core and written by the writer in one transaction.

Rows hold integers in units, so that the writer binds them without a thought.
"""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import msgspec

from core.services.audit_log import AuditRow
from marketdata.domain.market_plans import MarketPlan
from marketdata.domain.sessions import Session
from orders.domain.values import Side
from orders.domain.views import AccountEvent
from orders.engine.state import Account, Instrument, OrderState
from orders.engine.watches import DeadMan, OrderSession
from portfolio.domain.fees import FeeTier
from portfolio.domain.rows import TransferRow
from risk.domain.limit_tree import LimitKey
from risk.domain.losses import Watermark
from risk.domain.rows import ApprovalRow, LimitRow, StateRow, WatermarkRow
from risk.domain.scopes import Scope

PeakKey = tuple[int, Side, int]
"""Instrument, side and number of a peak of trailing stops."""


class ExecutionRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    trade_id: int
    order_id: UUID
    account_id: int
    instrument_id: int
    side: str
    price_units: int
    quantity_units: int
    liquidity: str
    occurred_ns: int
    fee_units: int = 0


@dataclass(slots=True)
class Changes:
    """Inserts are lists; updates are keyed: a batch writes each row once, as it ended."""

    new_orders: dict[UUID, OrderState] = field(default_factory=dict)
    changed_orders: dict[UUID, OrderState] = field(default_factory=dict)
    executions: list[ExecutionRow] = field(default_factory=list)
    transfers: list[TransferRow] = field(default_factory=list)
    balances: dict[int, Account] = field(default_factory=dict)
    positions: dict[tuple[int, int], tuple[Account, Instrument]] = field(default_factory=dict)
    holds: dict[UUID, OrderState] = field(default_factory=dict)
    instruments: dict[int, Instrument] = field(default_factory=dict)
    events: list[tuple[int, AccountEvent]] = field(default_factory=list)
    fee_tiers: dict[str, FeeTier] = field(default_factory=dict)
    account_terms: dict[int, Account] = field(default_factory=dict)
    dead_men: dict[str, DeadMan] = field(default_factory=dict)
    order_sessions: dict[UUID, OrderSession] = field(default_factory=dict)
    sessions: dict[tuple[str, date], Session | None] = field(default_factory=dict)
    market_plans: dict[int, MarketPlan] = field(default_factory=dict)
    audits: list[AuditRow] = field(default_factory=list)
    trading_states: dict[Scope, StateRow] = field(default_factory=dict)
    limits: dict[LimitKey, LimitRow] = field(default_factory=dict)
    watermarks: dict[int, WatermarkRow] = field(default_factory=dict)
    approvals: list[ApprovalRow] = field(default_factory=list)
    trail_peaks: dict[PeakKey, int | None] = field(default_factory=dict)
    """Prices in units; None for a peak that is gone."""

    peak_changes: int = 0
    books: dict[int, Instrument] = field(default_factory=dict)
    """Instruments whose depth changed: published after the commit, not stored."""
    order_changes: int = 0
    watermark_changes: int = 0
    """How often an order, and an account's watermark, was changed."""

    window_moves: int = 0
    """How often the window of a volatility band began."""

    @property
    def is_empty(self) -> bool:
        """Nothing to commit (quotes alone change only the book)."""
        return not (
            self.new_orders
            or self.changed_orders
            or self.events
            or self.instruments
            or self.sessions
            or self.market_plans
            or self.trading_states
            or self.audits
            or self.dead_men
            or self.order_sessions
            or self.trail_peaks
            or self.watermarks
        )

    @property
    def extent(self) -> tuple[int, ...]:
        """Grows with everything that is to be stored: tells whether a command did anything."""
        return (
            len(self.new_orders),
            self.order_changes,
            len(self.events),
            len(self.instruments),
            len(self.sessions),
            len(self.market_plans),
            self.window_moves,
            len(self.audits),
            len(self.dead_men),
            len(self.order_sessions),
            len(self.trading_states),
            self.peak_changes,
            self.watermark_changes,
        )

    def order(self, order: OrderState) -> None:
        self.order_changes += 1
        if order.id not in self.new_orders:
            self.changed_orders[order.id] = order

    def trail_peak(self, instrument: Instrument, side: Side, after: int, price: int | None) -> None:
        self.peak_changes += 1
        units = None if price is None else price * instrument.tick_units
        self.trail_peaks[instrument.id, side, after] = units

    def watermark(self, account_id: int, mark: Watermark) -> None:
        self.watermark_changes += 1
        self.watermarks[account_id] = WatermarkRow(account_id, mark)

    def balance(self, account: Account) -> None:
        self.balances[account.id] = account

    def position(self, account: Account, instrument: Instrument) -> None:
        self.positions[account.id, instrument.id] = (account, instrument)
