"""The engine's memory: accounts, positions, instruments with their books, open orders. Integers
only.

Rebuilt from the database at each start (recovery) and changed only by the core. Terminal orders are
forgotten here; the database has them.
"""

from dataclasses import dataclass, field
from uuid import UUID

from core.domain.units import UNITS_PER_ONE
from orders.domain.matching.book import Book
from orders.domain.reasons import CloseReason
from orders.domain.values import OrderStatus, OrderType, Side, TimeInForce
from portfolio.domain.balances import BalanceState
from portfolio.domain.positions import PositionState
from risk.domain.checks import InstrumentTerms


@dataclass(slots=True, eq=False)
class Account:
    """A trading account: one currency, its balance, positions by instrument, event numbering."""

    id: int
    public_id: str
    kind: str
    currency: str
    balance: BalanceState
    positions: dict[int, PositionState] = field(default_factory=dict)
    open_orders: dict[UUID, "OrderState"] = field(default_factory=dict)
    sequence: int = 0

    def position(self, instrument_id: int) -> PositionState:
        position = self.positions.get(instrument_id)
        if position is None:
            position = self.positions[instrument_id] = PositionState()
        return position


@dataclass(slots=True, eq=False)
class Instrument:
    """An instrument's terms in integers, and its book. `value_units` is one tick × one lot in
    money.
    """

    id: int
    public_id: str
    symbol: str
    asset_class: str
    currency: str
    tick_units: int
    lot_units: int
    min_notional_units: int
    is_open: bool
    book: Book = field(default_factory=Book)

    @property
    def value_units(self) -> int:
        value, rest = divmod(self.tick_units * self.lot_units, UNITS_PER_ONE)
        assert not rest, f"{self.symbol}: tick × lot is finer than a unit"
        return value

    @property
    def terms(self) -> InstrumentTerms:
        return InstrumentTerms(
            symbol=self.symbol,
            currency=self.currency,
            tick_units=self.tick_units,
            lot_units=self.lot_units,
            min_notional_units=self.min_notional_units,
        )


@dataclass(slots=True, eq=False)
class OrderState:
    """One order in ticks and lots. `hold` is what it still holds: units (buy) or lots (sell)."""

    id: UUID
    sequence: int
    account: Account
    instrument: Instrument
    client_order_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: int
    limit_price: int | None
    submitted_by_id: int
    request_id: str
    submitted_ns: int
    expires_ns: int | None
    status: OrderStatus = OrderStatus.INITIALIZED
    reason: CloseReason | None = None
    filled: int = 0
    filled_notional: int = 0
    hold: int = 0
    hold_placed: int = 0
    updated_ns: int = 0
    closed_ns: int | None = None

    @property
    def leaves(self) -> int:
        """What may still fill; zero once the order is closed."""
        return 0 if self.closed_ns is not None else self.quantity - self.filled


@dataclass(slots=True)
class EngineState:
    """Everything the core knows. The three counters number orders, executions and transfers."""

    accounts: dict[int, Account] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    orders: dict[UUID, OrderState] = field(default_factory=dict)
    street_id: int = 0
    house_id: int = 0
    next_expiry_ns: int | None = None
    order_sequence: int = 0
    execution_number: int = 0
    transfer_number: int = 0

    def instrument(self, symbol: str) -> Instrument | None:
        """By its symbol; crypto pairs also without the slash, as some clients write them."""
        return self.instruments.get(symbol)

    def add_order(self, order: OrderState) -> None:
        self.orders[order.id] = order
        order.account.open_orders[order.id] = order
        if order.expires_ns is not None:
            self.next_expiry_ns = min(order.expires_ns, self.next_expiry_ns or order.expires_ns)

    def take_expired(self, now_ns: int, limit: int) -> list[OrderState]:
        """Up to `limit` open orders whose time has come, oldest first; the caller closes them.

        Looks through the orders only once some may be due.
        """
        if self.next_expiry_ns is None or self.next_expiry_ns > now_ns:
            return []
        due = [o for o in self.orders.values() if o.expires_ns and o.expires_ns <= now_ns]
        if len(due) <= limit:
            ends = [order.expires_ns for order in self.orders.values() if order.expires_ns]
            self.next_expiry_ns = min([end for end in ends if end > now_ns], default=None)
        return due[:limit]

    def add_instrument(self, instrument: Instrument) -> None:
        self.instruments[instrument.symbol] = instrument
        self.instruments[instrument.symbol.replace("/", "")] = instrument
