"""The engine's memory: accounts, positions, instruments with their books, open orders. Integers
only.

Rebuilt from the database at each start (recovery) and changed only by the core. Terminal orders are
forgotten here; the database has them.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import msgspec

from core.domain.units import UNITS_PER_ONE
from marketdata.domain.market_plans import MarketPlan
from marketdata.domain.market_states import MarketState, Pause
from marketdata.domain.sessions import ALWAYS, Calendar
from orders.domain.matching.book import Book
from orders.domain.matching.collar import MARKET_BAND_BPS, collar_price
from orders.domain.matching.stops import StopBook
from orders.domain.matching.trailing import Distance, TrailBook
from orders.domain.order_class import Leg, OrderClass
from orders.domain.reasons import CloseReason
from orders.domain.values import OrderStatus, OrderType, Side, StpMode, TimeInForce
from orders.engine.clearing import TradingStates
from orders.engine.limit_state import Limits
from orders.engine.watches import DeadMan, OrderSession
from portfolio.domain.balances import BalanceState
from portfolio.domain.fees import NO_FEES, FeeTier
from portfolio.domain.margin import Call
from portfolio.domain.positions import PositionState
from risk.domain.checks import InstrumentTerms
from risk.domain.limit_tree import Bound


@dataclass(slots=True, eq=False)
class Account:
    """A trading account: one currency, its balance, positions by instrument, event numbering.

    `owner_id` tells whose orders are own orders (docs/matching.md O1); the street and the house,
    which place none, have 0.
    """

    id: int
    public_id: str
    kind: str
    currency: str
    balance: BalanceState
    owner_id: int = 0
    stp_mode: StpMode = StpMode.REJECT
    positions: dict[int, PositionState] = field(default_factory=dict)
    open_orders: dict[UUID, "OrderState"] = field(default_factory=dict)
    sequence: int = 0
    tier: FeeTier = NO_FEES
    desk_id: int | None = None
    is_suspended: bool = False
    is_long_only: bool = False
    multiplier: int = 1
    is_shorting_enabled: bool = False
    call: Call | None = None
    bounds: tuple[Bound, ...] = ()
    """The limits of its own scope that are in force."""

    @property
    def is_margin(self) -> bool:
        return self.multiplier > 1

    def position(self, instrument_id: int) -> PositionState:
        position = self.positions.get(instrument_id)
        if position is None:
            position = self.positions[instrument_id] = PositionState()
        return position


NEVER_NS = 2**63

CLOSING_GRACE_NS = 60 * 10**9
"""How late the engine may come to a closing auction; later it is not held (X8)."""


class LastTrade(NamedTuple):
    """The newest trade of an instrument, in ticks (docs/matching.md E2)."""

    price: int
    at_ns: int


@dataclass(slots=True, eq=False)
class Instrument:
    """An instrument's terms in integers, its book and its waiting stops. `value_units` is one tick
    × one lot in money.
    """

    id: int
    public_id: str
    symbol: str
    asset_class: str
    currency: str
    tick_units: int
    lot_units: int
    min_notional_units: int
    state: MarketState = MarketState.OPEN
    market_band_bps: int = MARKET_BAND_BPS
    calendar_code: str = ALWAYS
    set_state: MarketState = MarketState.OPEN
    """What an operator set by hand; `state` follows from it and what is planned (X10)."""

    volatility_bps: int = 0
    window_seconds: int = 300
    pause_state: MarketState = MarketState.AUCTION
    pause_seconds: int = 120
    window: "LastTrade | None" = None
    """The reference price of the running window, and when it began (V2)."""

    pause: Pause | None = None
    follows_feed: bool = False
    calendar: Calendar | None = None
    """None for a venue that never closes."""

    book: Book = field(default_factory=Book)
    stops: StopBook = field(default_factory=StopBook)
    trails: TrailBook | None = None
    """Trailing stops; None until the first of them waits."""

    last_trade: LastTrade | None = None
    queue: dict[UUID, "OrderState"] = field(default_factory=dict)
    """Orders that wait for the market to begin or go on to trade, in time order."""

    closing: dict[UUID, "OrderState"] = field(default_factory=dict)
    """Orders that wait for the closing auction (CLS), in time order."""

    bounds: tuple[Bound, ...] = ()
    """The limits of its own scope that are in force."""

    terms: InstrumentTerms = field(init=False)
    value_units: int = field(init=False)

    def __post_init__(self) -> None:
        value_units, rest = divmod(self.tick_units * self.lot_units, UNITS_PER_ONE)
        assert not rest, f"{self.symbol}: tick × lot is finer than a unit"
        self.value_units = value_units
        self.terms = InstrumentTerms(
            symbol=self.symbol,
            currency=self.currency,
            tick_units=self.tick_units,
            lot_units=self.lot_units,
            min_notional_units=self.min_notional_units,
        )

    @property
    def is_always_open(self) -> bool:
        """Whether it trades whatever the time: most of all asked, so the cheapest to ask."""
        return self.calendar is None and self.state is MarketState.OPEN

    def market_state(self, now_ns: int) -> MarketState:
        """What an order meets now: CLOSED outside the sessions, else the state that is set (K3)."""
        if self.calendar is not None and not self.calendar.is_open(now_ns):
            return MarketState.CLOSED
        return self.state

    def unqueue(self, order: "OrderState") -> None:
        """The order waits for an auction no more, if it did."""
        self.queue.pop(order.id, None)
        self.closing.pop(order.id, None)

    @property
    def is_marginable(self) -> bool:
        return self.asset_class == "us_equity"

    @property
    def is_shortable(self) -> bool:
        return self.asset_class == "us_equity"

    def collar(self, side: Side, now_ns: int) -> int | None:
        """The worst price at which a market order of `side` may trade now (B2); None while nobody
        offers the other side.
        """
        best = self.book.best(side.opposite, now_ns)
        return None if best is None else collar_price(side, best, self.market_band_bps)


class OrderState(msgspec.Struct, eq=False):
    """One order in ticks and lots. `hold` is what it still holds: units (opening), lots (closing).

    A buy STOP has its protection (E5) as its limit price. A trailing stop's `hwm` and `stop_price`
    are those of its acceptance until it enters or ends (G4). `rank` is its place in time among the
    resting orders: the number of its acceptance, or a newer one of the same counter (E8).
    `fee_rate` is the highest that its fills pay (docs/fees-and-margin.md H3).

    `group_id`, `leg` and `order_class`: its group, and its part in it; None for a simple order.

    An order that hides a part shows `display` at a time, and now `displayed`; 0: it hides none, or
    does not rest (I1).

    `is_opening` says that it holds cash, not quantity: `margin_percent` of its notional at
    `hold_price` or, without one, at its limit (L5, L6).
    """

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
    stop_price: int | None = None
    rank: int = 0
    fee_rate: int = 0
    strategy: str | None = None
    is_opening: bool = True
    margin_percent: int = 100
    hold_price: int | None = None
    status: OrderStatus = OrderStatus.INITIALIZED
    reason: CloseReason | None = None
    filled: int = 0
    filled_notional: int = 0
    prevented: int = 0
    stp_mode: StpMode = StpMode.REJECT
    hold: int = 0
    hold_placed: int = 0
    updated_ns: int = 0
    closed_ns: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    replaces: UUID | None = None
    replaced_by: UUID | None = None
    key_id: str = ""
    trail_price: int | None = None
    trail_ppm: int | None = None
    hwm: int | None = None
    group_id: UUID | None = None
    leg: Leg | None = None
    order_class: OrderClass = OrderClass.SIMPLE
    display: int = 0
    displayed: int = 0
    notional: int | None = None
    session_id: UUID | None = None
    forced: str = ""
    """Why the engine itself placed it (docs/fees-and-margin.md L14)."""

    text_id: str = ""
    """The id as everyone is told it, several times in an order's life."""

    def __post_init__(self) -> None:
        self.text_id = str(self.id)

    @property
    def trail(self) -> Distance:
        """How far a trailing stop keeps from its mark."""
        return Distance(self.trail_price or 0, self.trail_ppm or 0)

    @property
    def is_waiting(self) -> bool:
        """Whether it is a stop order that no trade has elected yet: an elected one has a place in
        time other than that of its acceptance, and so has its successor (R4).
        """
        return self.stop_price is not None and self.rank == self.sequence

    @property
    def claim(self) -> int:
        """What it may take of a position; of the legs of a group only one counts (N4)."""
        return self.leaves if self.leg is None or self.leg is Leg.ENTRY else self.hold

    @property
    def leaves(self) -> int:
        """What may still fill; zero once the order is closed."""
        return 0 if self.closed_ns is not None else self.quantity - self.filled - self.prevented


@dataclass(slots=True)
class EngineState:
    """Everything the core knows. The three counters number orders, executions and transfers;
    `elections` are the stops that trades have elected and whose turn has not come (E3).
    """

    accounts: dict[int, Account] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    instruments_by_id: dict[int, Instrument] = field(default_factory=dict)
    orders: dict[UUID, OrderState] = field(default_factory=dict)
    calendars: dict[str, Calendar] = field(default_factory=dict)
    queueing: dict[int, Instrument] = field(default_factory=dict)
    """Instruments in which orders wait for an auction."""

    groups: dict[UUID, dict[Leg, OrderState]] = field(default_factory=dict)
    """The open orders of each group, by their part in it (docs/order-groups.md)."""

    elections: deque[UUID] = field(default_factory=deque)
    fee_tiers: dict[str, FeeTier] = field(default_factory=dict)
    dead_men: dict[str, DeadMan] = field(default_factory=dict)
    order_sessions: dict[UUID, OrderSession] = field(default_factory=dict)
    street_id: int = 0
    house_id: int = 0
    next_expiry_ns: int | None = None
    order_sequence: int = 0
    execution_number: int = 0
    transfer_number: int = 0
    trading: TradingStates = field(default_factory=TradingStates)
    margin_accounts: dict[int, Account] = field(default_factory=dict)
    """Accounts of L9, and those that are called."""

    to_judge: dict[int, Account] = field(default_factory=dict)
    """Margin accounts whose cash or positions the running command has changed."""

    market_plans: dict[int, MarketPlan] = field(default_factory=dict)
    """Planned market states that have not begun or are running (X11)."""

    market_plan_number: int = 0  # of the newest plan that was ever known
    next_market_ns: int = NEVER_NS
    """When a market's state is next to change by itself."""
    limits: Limits = field(default_factory=Limits)

    def instrument(self, symbol: str) -> Instrument | None:
        """By its symbol; crypto pairs also without the slash, as some clients write them."""
        return self.instruments.get(symbol)

    @property
    def paused(self) -> list[Instrument]:
        """Whose markets halted by themselves, by their numbers."""
        found = [item for item in self.instruments_by_id.values() if item.pause is not None]
        return sorted(found, key=lambda item: item.id)

    def note_market_time(self) -> None:
        """What changes markets by itself is other than before."""
        due = [known.due_ns for known in self.market_plans.values()]
        due += [instrument.pause.until_ns for instrument in self.paused if instrument.pause]
        self.next_market_ns = min((at for at in due if at is not None), default=NEVER_NS)

    def next_sequence(self) -> int:
        """The next number of acceptance, or of a newer place in time."""
        self.order_sequence += 1
        return self.order_sequence

    def add_order(self, order: OrderState) -> None:
        self.orders[order.id] = order
        order.account.open_orders[order.id] = order
        if order.account.is_margin and order.is_opening:
            position = order.account.position(order.instrument.id)
            position.openings += 1 if order.side is Side.BUY else -1
        if order.leg is not None and order.group_id is not None:
            self.groups.setdefault(order.group_id, {})[order.leg] = order
        if order.expires_ns is not None:
            self.next_expiry_ns = min(order.expires_ns, self.next_expiry_ns or order.expires_ns)

    def group_of(self, order: OrderState) -> dict[Leg, OrderState]:
        """The open orders of its group, itself too while it is open."""
        return self.groups.get(order.group_id, {}) if order.group_id is not None else {}

    def forget_in_group(self, order: OrderState) -> None:
        """The order has ended; its successor may be in its place already."""
        group = self.group_of(order)
        if order.leg is not None and group.get(order.leg) is order:
            del group[order.leg]
        if not group and order.group_id is not None:
            self.groups.pop(order.group_id, None)

    def wait(self, order: OrderState) -> None:
        """Let a stop order wait for the trade that elects it."""
        assert order.stop_price is not None
        if order.hwm is not None:
            trails = order.instrument.trails = order.instrument.trails or TrailBook()
            trails.sides[order.side].add(order.id, order.trail, order.sequence, order.hwm)
            return
        order.instrument.stops.add(order.id, order.side, order.stop_price, order.sequence)

    def enqueue(self, order: OrderState) -> None:
        """Let an order wait for its auction."""
        instrument = order.instrument
        is_closing = order.time_in_force is TimeInForce.CLS
        (instrument.closing if is_closing else instrument.queue)[order.id] = order
        self.queueing[instrument.id] = instrument

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
        code = instrument.calendar_code
        if code != ALWAYS:
            instrument.calendar = self.calendars.setdefault(code, Calendar(code))
        self.instruments_by_id[instrument.id] = instrument
        self.instruments[instrument.symbol] = instrument
        self.instruments[instrument.symbol.replace("/", "")] = instrument
