"""Orders, fills, positions and balances as everyone outside the engine sees them: decimal strings.

The engine puts these into its replies and events; selectors build the same from the database, so a
page, a socket and the API never disagree. Field by field in docs/event-kinds.md.
"""

import msgspec


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """The group that an order belongs to and its part in it; `legs` only where they are asked for:
    the orders that stand under the first one.
    """

    id: str
    order_class: str
    leg: str
    legs: "list[OrderView] | None" = None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """One order. Times are RFC 3339 UTC; quantities, prices and money plain decimal strings.

    The `limit_price` of a buy STOP is its protection: the most that it pays. `hwm` and `stop_price`
    of a trailing stop are those of this moment.
    """

    id: str
    client_order_id: str
    symbol: str
    asset_class: str
    asset_id: str
    side: str
    type: str
    time_in_force: str
    quantity: str
    limit_price: str | None = None
    stop_price: str | None = None
    filled_quantity: str
    leaves_quantity: str
    average_price: str | None = None
    status: str
    reason: str | None = None
    submitted_at: str
    updated_at: str
    closed_at: str | None = None
    expires_at: str | None = None
    prevented_quantity: str = "0"
    stp_mode: str = "REJECT"
    post_only: bool = False
    reduce_only: bool = False
    replaces: str | None = None
    replaced_by: str | None = None
    strategy: str | None = None
    trail_price: str | None = None
    trail_percent: str | None = None
    hwm: str | None = None
    group: GroupView | None = None
    display_quantity: str | None = None
    notional: str | None = None
    forced: str | None = None


class ToldOrder(OrderView, frozen=True, kw_only=True, omit_defaults=True):
    """The same as the engine tells of it, in replies and events: a member that is null is not
    written. Of a usual order that is half of them, which everything from here to the disk would
    carry. Members whose usual value is another one are always written.
    """

    prevented_quantity: str
    stp_mode: str
    post_only: bool
    reduce_only: bool


class ExecutionView(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of one order. In an account's list it also names the order; in an event the event
    does.
    """

    id: str
    order_id: str
    symbol: str
    side: str
    price: str
    quantity: str
    liquidity: str
    fee: str
    occurred_at: str


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    symbol: str
    asset_class: str
    quantity: str
    locked: str
    average_entry_price: str
    cost_basis: str
    realized_pnl: str


class BalanceView(msgspec.Struct, frozen=True, kw_only=True):
    """total = locked + free."""

    currency: str
    total: str
    locked: str
    free: str


class CashMoveView(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that came (amount above zero) or went, and why."""

    amount: str
    reason: str


class TradingStateView(msgspec.Struct, frozen=True, kw_only=True):
    """What a scope was switched to and why; `scope` as people say it, `orders` that it cancels."""

    scope: str
    state: str
    reason: str
    orders: int


class MarketStateView(msgspec.Struct, frozen=True, kw_only=True):
    """The state that a market came into by itself, until when (None: not known), and why."""

    symbol: str
    state: str
    until: str | None
    reason: str


class MarginCallView(msgspec.Struct, frozen=True, kw_only=True):
    """Equity and what it should be; `reason`: why positions are closed by force, if they are."""

    equity: str
    maintenance: str
    missing: str
    deadline: str
    reason: str | None


class AccountEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact about one trading account; `account_sequence` has no gaps. Parts that the fact has
    nothing of are not written.
    """

    event: str
    version: int
    account_id: str
    account_sequence: int
    occurred_at: str
    request_id: str
    order: OrderView | None = None
    execution: ExecutionView | None = None
    position: PositionView | None = None
    balance: BalanceView
    cash: CashMoveView | None = None
    trading_state: TradingStateView | None = None
    market_state: MarketStateView | None = None
    margin_call: MarginCallView | None = None
