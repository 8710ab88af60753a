"""What one batch changed, collected by the core and written by the writer in one transaction.

Rows hold integers in units, so that the writer binds them without a thought.
"""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from core.services.audit_log import AuditRow
from orders.domain.views import AccountEvent
from orders.engine.state import Account, Instrument, OrderState
from portfolio.domain.rows import TransferRow


class ExecutionRow(NamedTuple):
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
    audits: list[AuditRow] = field(default_factory=list)
    books: dict[int, Instrument] = field(default_factory=dict)
    """Instruments whose depth changed: published after the commit, not stored."""

    @property
    def is_empty(self) -> bool:
        """Nothing to commit (quotes alone change only the book)."""
        return not (self.new_orders or self.changed_orders or self.events or self.instruments)

    def order(self, order: OrderState) -> None:
        if order.id not in self.new_orders:
            self.changed_orders[order.id] = order

    def balance(self, account: Account) -> None:
        self.balances[account.id] = account

    def position(self, account: Account, instrument: Instrument) -> None:
        self.positions[account.id, instrument.id] = (account, instrument)
