"""The part of the engine's memory that the database keeps, as plain rows.

Recovery reads it from the tables, the journal's START rows carry it, and `stored_from` takes it out
of a running state: so all three can be compared, and one function (rebuild) makes a state of it.
A field has the name and the unit of the attribute that it becomes; it is copied by its name.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec

from marketdata.domain.market_plans import PlanStatus
from marketdata.domain.market_states import MarketState, Pause
from marketdata.domain.sessions import ALWAYS
from orders.domain.matching.trailing import Peak
from orders.domain.order_class import Leg, OrderClass
from orders.domain.values import OrderStatus, OrderType, Side, StpMode, TimeInForce
from orders.engine.state import Account, EngineState, Instrument, LastTrade, OrderState
from portfolio.domain.margin import Call
from risk.domain.limit_tree import Limit, LimitKind
from risk.domain.losses import Watermark
from risk.domain.states import TradingState


class StoredRow(msgspec.Struct, frozen=True, array_like=True):
    """Base of every row. It travels as an array: a new field goes to the end, with a default."""


class StoredInstrument(StoredRow, frozen=True, array_like=True):
    """An instrument's terms, and its market's state."""

    id: int
    public_id: str
    symbol: str
    asset_class: str
    currency: str
    tick_units: int
    lot_units: int
    min_notional_units: int
    state: MarketState
    market_band_bps: int
    calendar_code: str = ALWAYS
    set_state: MarketState = MarketState.OPEN
    volatility_bps: int = 0
    window_seconds: int = 300
    pause_state: MarketState = MarketState.AUCTION
    pause_seconds: int = 120
    window: LastTrade | None = None
    pause: Pause | None = None
    follows_feed: bool = False


class StoredSession(StoredRow, frozen=True, array_like=True):
    """One day of a calendar."""

    calendar: str
    day: date
    opens_ns: int
    closes_ns: int


class StoredAccount(StoredRow, frozen=True, array_like=True):
    """An account with its balance; `sequence` numbers its newest event."""

    id: int
    public_id: str
    kind: str
    currency: str
    sequence: int
    total: int
    locked: int
    fees: int
    tier_code: str
    desk_id: int | None = None
    owner_id: int = 0
    stp_mode: StpMode = StpMode.REJECT
    is_suspended: bool = False
    is_long_only: bool = False
    multiplier: int = 1
    is_shorting_enabled: bool = False
    call: Call | None = None


class StoredFeeTier(StoredRow, frozen=True, array_like=True):
    """What the accounts of a tier pay, as rates."""

    code: str
    name: str
    maker: int
    taker: int


class StoredPosition(StoredRow, frozen=True, array_like=True):
    """A position in which anything is not zero."""

    account_id: int
    instrument_id: int
    quantity: int
    locked: int
    cost: int
    realized: int


class StoredOrder(StoredRow, frozen=True, array_like=True):
    """An open order with its hold, in ticks and lots."""

    id: UUID
    account_id: int
    instrument_id: int
    sequence: int
    client_order_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: int
    limit_price: int | None
    stop_price: int | None
    rank: int
    fee_rate: int
    submitted_by_id: int
    request_id: str
    submitted_ns: int
    expires_ns: int | None
    status: OrderStatus
    filled: int
    filled_notional: int
    hold: int
    hold_placed: int
    updated_ns: int
    replaces: UUID | None
    strategy: str | None = None
    key_id: str = ""
    prevented: int = 0
    stp_mode: StpMode = StpMode.REJECT
    post_only: bool = False
    reduce_only: bool = False
    is_opening: bool = True
    margin_percent: int = 100
    hold_price: int | None = None
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


class StoredPeak(StoredRow, frozen=True, array_like=True):
    """What trades have lifted the marks of trailing stops to; `after` numbers the newest order that
    saw it.
    """

    instrument_id: int
    side: Side
    after: int
    price_units: int


class StoredTrade(StoredRow, frozen=True, array_like=True):
    """An instrument's newest execution."""

    instrument_id: int
    price_units: int
    at_ns: int


class StoredDeadMan(StoredRow, frozen=True, array_like=True):
    """An API key that is watched, and until when."""

    key_id: str
    account_id: int
    fires_ns: int | None


class StoredOrderSession(StoredRow, frozen=True, array_like=True):
    """A socket whose orders end with it, while it is open."""

    id: UUID
    account_id: int
    opened_ns: int


class StoredMarketPlan(StoredRow, frozen=True, array_like=True):
    """A planned market state that has not begun or is running."""

    id: int
    instrument_id: int
    state: MarketState
    from_ns: int
    until_ns: int | None
    reason: str
    planned_by_id: int | None
    status: PlanStatus
    changed_ns: int


class StoredSwitch(StoredRow, frozen=True, array_like=True):
    """A scope's trading state since its last switch."""

    scope: str
    state: TradingState
    version: int
    is_clearing: bool
    reason: str
    request_id: str
    changed_by_id: int | None
    changed_ns: int


class StoredLimit(StoredRow, frozen=True, array_like=True):
    """A limit since its last change."""

    scope: str
    kind: LimitKind
    instrument_id: int
    value: int | None
    version: int
    reason: str
    request_id: str
    changed_by_id: int | None
    changed_ns: int
    window_seconds: int = 0


class StoredWatermark(StoredRow, frozen=True, array_like=True):
    """What an account's losses are measured from."""

    account_id: int
    day: int
    opening: int
    highest: int
    stopped: TradingState


class StoredState(msgspec.Struct, frozen=True, kw_only=True):
    """All of it: orders by their sequence, switches by their time, everything else by its ids."""

    instruments: Sequence[StoredInstrument]
    accounts: Sequence[StoredAccount]
    fee_tiers: Sequence[StoredFeeTier]
    positions: Sequence[StoredPosition]
    orders: Sequence[StoredOrder]
    last_trades: Sequence[StoredTrade]
    order_sequence: int
    execution_number: int
    transfer_number: int
    dead_men: Sequence[StoredDeadMan] = ()
    switches: Sequence[StoredSwitch] = ()
    sessions: Sequence[StoredSession] = ()
    trail_peaks: Sequence[StoredPeak] = ()
    order_sessions: Sequence[StoredOrderSession] = ()
    market_plans: Sequence[StoredMarketPlan] = ()
    market_plan_number: int = 0
    limits: Sequence[StoredLimit] = ()
    watermarks: Sequence[StoredWatermark] = ()


ACCOUNT_FIELDS = [name for name in StoredAccount.__struct_fields__ if name in Account.__slots__]
WATERMARK_FIELDS = list(Watermark.__slots__)
LIMIT_FIELDS = list(Limit.__slots__)
SWITCH_FIELDS = [name for name in StoredSwitch.__struct_fields__ if name != "scope"]
ORDER_FIELDS = [
    name for name in StoredOrder.__struct_fields__ if name in OrderState.__struct_fields__
]


def copied(row: object, names: Sequence[str]) -> dict[str, Any]:  # Any: each field its own type
    return dict(zip(names, _getter(tuple(names))(row), strict=True))


@lru_cache(maxsize=64)
def _getter(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """Gives all of them at once: a start copies some fifty fields of every open order."""
    assert len(names) > 1, "of a single one it would give no tuple"
    return attrgetter(*names)


def stored_from(state: EngineState, last_trades: Sequence[StoredTrade]) -> StoredState:
    """What the tables say once everything in `state` is committed. `last_trades` is passed on: a
    state knows an instrument's last trade, which may be a print and no execution.
    """
    instruments = {item.id: item for item in state.instruments.values()}
    orders = sorted(state.orders.values(), key=lambda order: order.sequence)
    return StoredState(
        instruments=[_instrument(instruments[number]) for number in sorted(instruments)],
        accounts=[_account(account) for _, account in sorted(state.accounts.items())],
        fee_tiers=[
            StoredFeeTier(**copied(tier, StoredFeeTier.__struct_fields__))
            for _, tier in sorted(state.fee_tiers.items())
        ],
        positions=list(_positions(state)),
        orders=[_order(order) for order in orders],
        last_trades=last_trades,
        dead_men=[StoredDeadMan(*man) for _, man in sorted(state.dead_men.items())],
        order_sessions=[
            StoredOrderSession(found.id, found.account_id, found.opened_ns)
            for _, found in sorted(state.order_sessions.items())
        ],
        switches=_switches(state),
        sessions=[
            StoredSession(code, *session)
            for code, calendar in sorted(state.calendars.items())
            for session in calendar.sessions
        ],
        trail_peaks=[
            StoredPeak(number, side, peak.after, peak.price * instruments[number].tick_units)
            for number in sorted(instruments)
            for side, peak in _peaks(instruments[number])
        ],
        market_plans=[StoredMarketPlan(*plan) for _, plan in sorted(state.market_plans.items())],
        market_plan_number=state.market_plan_number,
        limits=_limits(state),
        watermarks=[
            StoredWatermark(number, **copied(mark, WATERMARK_FIELDS))
            for number, mark in sorted(state.limits.watermarks.items())
        ],
        order_sequence=state.order_sequence,
        execution_number=state.execution_number,
        transfer_number=state.transfer_number,
    )


def _peaks(instrument: Instrument) -> Iterator[tuple[Side, Peak]]:
    if instrument.trails is not None:
        for side, trails in instrument.trails.sides.items():
            yield from ((side, peak) for peak in trails.peaks())


def _switches(state: EngineState) -> list[StoredSwitch]:
    rows = [
        StoredSwitch(scope=scope.key, **copied(held, SWITCH_FIELDS))
        for scope, held in state.trading.by_scope.items()
    ]
    return sorted(rows, key=lambda row: (row.changed_ns, row.scope))


def _limits(state: EngineState) -> list[StoredLimit]:
    rows = [
        StoredLimit(key.scope.key, key.kind, key.instrument_id, **copied(limit, LIMIT_FIELDS))
        for key, limit in state.limits.by_key.items()
    ]
    return sorted(rows, key=limit_order)


def limit_order(row: StoredLimit) -> tuple[str, str, int]:
    """How limits stand in a row."""
    return row.scope, row.kind.value, row.instrument_id


def _instrument(instrument: Instrument) -> StoredInstrument:
    return StoredInstrument(**copied(instrument, StoredInstrument.__struct_fields__))


def _account(account: Account) -> StoredAccount:
    balance = account.balance
    return StoredAccount(
        **copied(account, ACCOUNT_FIELDS),
        total=balance.total,
        locked=balance.locked,
        fees=balance.fees,
        tier_code=account.tier.code,
    )


def _positions(state: EngineState) -> Iterator[StoredPosition]:
    for account_id, account in sorted(state.accounts.items()):
        for instrument_id, position in sorted(account.positions.items()):
            if position.quantity or position.locked or position.cost or position.realized:
                yield StoredPosition(
                    account_id,
                    instrument_id,
                    position.quantity,
                    position.locked,
                    position.cost,
                    position.realized,
                )


def _order(order: OrderState) -> StoredOrder:
    return StoredOrder(
        **copied(order, ORDER_FIELDS),
        account_id=order.account.id,
        instrument_id=order.instrument.id,
    )
