"""What the engine can be asked, as it travels over its socket (msgpack arrays, one tag a kind).

Imperative, validated for shape by the sender, for everything else by the engine. Amounts are exact
Decimals; the engine turns them into units. `now` is not in a command: the engine stamps the batch.
A command that could not be stored (NaN, NUL in a text, too long) cannot be made and is not decoded.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import msgspec

from orders.domain.command_parts import (
    MAX_BATCH_ORDERS,
    MAX_DEAD_MAN_SECONDS,
    AccountKind,
    Address,
    CashKind,
    ClientOrderId,
    Command,
    FeeTierCode,
    Key,
    KeyId,
    Levels,
    NoCode,
    Reason,
    RequestId,
    Status,
    StrategyTag,
    Symbols,
    check_number,
    check_texts,
)
from orders.domain.market_commands import MarketCommand
from orders.domain.order_class import GroupTerms
from orders.domain.session_commands import AnnounceSessions, EndSession, OpenSession
from orders.domain.values import OrderType, Side, StpMode, TimeInForce
from risk.domain.commands import EvaluateLosses, JoinDesk, ReadUsage, SetLimit, SwitchTrading


class SubmitOrder(Command, frozen=True, array_like=True, tag_field="command", tag="submit"):
    """Place an order. `client_order_id` empty: the order's own id serves (and cannot be a
    duplicate). After `good_until_ns` nobody waits for it any more, and it must not trade; after
    `deadline_ns` whoever sent it does not want it any more (docs/matching.md D1).
    An order for a `notional` value has quantity 0: the engine decides it.
    `key_id` is the API key that it came with, empty for a person's. `group`: what goes with it.
    """

    order_id: UUID
    account_id: Key
    symbol: str
    client_order_id: ClientOrderId
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None
    submitted_by_id: Key
    request_id: RequestId
    good_until_ns: Key | None = None
    stop_price: Decimal | None = None
    strategy: StrategyTag | None = None
    key_id: KeyId = ""
    stp_mode: StpMode | None = None
    post_only: bool = False
    reduce_only: bool = False
    deadline_ns: Key | None = None
    expires_ns: Key | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    group: GroupTerms | None = None
    display_quantity: Decimal | None = None
    notional: Decimal | None = None
    session_id: UUID | None = None

    def __post_init__(self) -> None:
        check_texts(self.client_order_id, self.request_id)
        for number in (
            self.quantity,
            self.limit_price,
            self.stop_price,
            self.trail_price,
            self.trail_percent,
            self.display_quantity,
            self.notional,
        ):
            if number is not None:
                check_number(number)


class WhatIf(Command, frozen=True, array_like=True, tag_field="command", tag="what_if"):
    """Tell whether this order would be let in now, and what its limits would come to. Nothing is
    changed, and the message rate is not asked (docs/risk.md M15).
    """

    order: SubmitOrder


class ReplaceOrder(Command, frozen=True, array_like=True, tag_field="command", tag="replace"):
    """Put a new order, `order_id`, in the place of the open order `replaces` of the account. What
    is None stays; `client_order_id` and `good_until_ns` as in SubmitOrder.
    """

    order_id: UUID
    replaces: UUID
    account_id: Key
    client_order_id: ClientOrderId
    submitted_by_id: Key
    request_id: RequestId
    good_until_ns: Key | None = None
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    trail: Decimal | None = None

    def __post_init__(self) -> None:
        check_texts(self.client_order_id, self.request_id)
        for number in (self.quantity, self.limit_price, self.stop_price, self.trail):
            if number is not None:
                check_number(number)


class AmendOrder(Command, frozen=True, array_like=True, tag_field="command", tag="amend"):
    """Lower the quantity of an open order of the account to `quantity`; it keeps its place."""

    order_id: UUID
    account_id: Key
    quantity: Decimal
    request_id: RequestId

    def __post_init__(self) -> None:
        check_texts(self.request_id)
        check_number(self.quantity)


class CancelOrder(Command, frozen=True, array_like=True, tag_field="command", tag="cancel"):
    """Cancel one order of the account. With an actor it is an operator who does, for a reason:
    audited, as MoveCash is.
    """

    order_id: UUID
    account_id: Key
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.request_id, self.reason)


class CancelAllOrders(Command, frozen=True, array_like=True, tag_field="command", tag="cancel_all"):
    """Cancel every open order of the account, or those in these symbols (none: all) and of this
    side.
    """

    account_id: Key
    request_id: RequestId
    symbols: Symbols = ()
    side: Side | None = None

    def __post_init__(self) -> None:
        check_texts(self.request_id)


class OrderBatch(Command, frozen=True, array_like=True, tag_field="command", tag="order_batch"):
    """Orders to place and to cancel, carried out one after another in one step and one commit.

    Each is judged on its own: one that is refused does not keep the next from being taken (L2).
    """

    orders: Annotated[
        Sequence[SubmitOrder | CancelOrder],
        msgspec.Meta(min_length=1, max_length=MAX_BATCH_ORDERS),
    ]


class SetDeadMan(Command, frozen=True, array_like=True, tag_field="command", tag="dead_man"):
    """Cancel the key's orders of the account once this time has passed without another SetDeadMan
    of the key; 0: no more (docs/requests.md D1 to D4).
    """

    key_id: Annotated[str, msgspec.Meta(min_length=1, max_length=32, pattern=r"\A[A-Z0-9]+\Z")]
    account_id: Key
    timeout_seconds: Annotated[int, msgspec.Meta(ge=0, le=MAX_DEAD_MAN_SECONDS)]
    request_id: RequestId

    def __post_init__(self) -> None:
        check_texts(self.request_id)


class OpenAccount(Command, frozen=True, array_like=True, tag_field="command", tag="open_account"):
    """Make a trading account known that was just created. Repeating it changes nothing. The street
    and the house have no owner.
    """

    account_id: Key
    public_id: UUID
    kind: AccountKind
    currency: str
    owner_id: Key | None = None


class SetStpMode(Command, frozen=True, array_like=True, tag_field="command", tag="stp_mode"):
    """Set an account's default mode of self-trade prevention, for orders accepted from now on.
    Audited, as MoveCash is.
    """

    account_id: Key
    mode: StpMode
    reason: Reason
    request_id: RequestId
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.reason, self.request_id)


class MoveCash(Command, frozen=True, array_like=True, tag_field="command", tag="move_cash"):
    """Deposit (kind DEPOSIT) or adjust (ADJUSTMENT) an account's cash against the house account.

    Who did it (None: the portal itself) and from where go into the audit trail with the act.
    """

    account_id: Key
    amount: Decimal
    kind: CashKind
    reason: Reason
    request_id: RequestId
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.reason, self.request_id)
        check_number(self.amount)


class SetInstrumentStatus(
    Command, frozen=True, array_like=True, tag_field="command", tag="instrument_status"
):
    """Bring an instrument's market into a state (MarketState). Audited, as MoveCash is."""

    symbol: str
    status: Status
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.request_id, self.reason)


class SetFeeTier(Command, frozen=True, array_like=True, tag_field="command", tag="fee_tier"):
    """Make a fee tier or change its rates (basis points). Audited, as MoveCash is."""

    code: FeeTierCode
    name: Annotated[str, msgspec.Meta(max_length=64)]
    maker_bps: Decimal
    taker_bps: Decimal
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.name, self.request_id, self.reason)
        check_number(self.maker_bps)
        check_number(self.taker_bps)


class SetAccountTier(
    Command, frozen=True, array_like=True, tag_field="command", tag="account_tier"
):
    """Give an account a fee tier; an empty code: none. Audited, as MoveCash is."""

    account_id: Key
    code: NoCode
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.request_id, self.reason)


class SetMargin(Command, frozen=True, array_like=True, tag_field="command", tag="margin"):
    """Make an account a margin account (multiplier above 1) or a cash account. Audited."""

    account_id: Key
    multiplier: Key
    is_shorting_enabled: bool
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.request_id, self.reason)


class ConfigureAccount(Command, frozen=True, array_like=True, tag_field="command", tag="configure"):
    """Set what an account's people may set for it; None leaves it. Audited, as MoveCash is."""

    account_id: Key
    suspend_trade: bool | None
    no_shorting: bool | None
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.request_id, self.reason)


class QuoteStreet(Command, frozen=True, array_like=True, tag_field="command", tag="street_quote"):
    """The feed's quote: levels (price, quantity), best first. `t_ns` is the time that its source
    tells; None: that of the batch (S3).
    """

    symbol: str
    bids: Levels
    asks: Levels
    t_ns: int | None = None

    def __post_init__(self) -> None:
        for levels in (self.bids, self.asks):
            for price, quantity in levels:
                check_number(price)
                check_number(quantity)


class PrintStreetTrade(
    Command, frozen=True, array_like=True, tag_field="command", tag="street_trade"
):
    """A trade on the street, with the side that took; `t_ns` as of a quote."""

    symbol: str
    price: Decimal
    quantity: Decimal
    aggressor: Side
    t_ns: int | None = None

    def __post_init__(self) -> None:
        check_number(self.price)
        check_number(self.quantity)


class ExpireOrders(Command, frozen=True, array_like=True, tag_field="command", tag="expire"):
    """Expire every order whose time has come; the engine sends it to itself each second."""


class AwaitCommit(Command, frozen=True, array_like=True, tag_field="command", tag="await_commit"):
    """Do nothing; the answer comes when all that the engine took before is committed."""


AnyCommand = (
    SubmitOrder
    | WhatIf
    | ReplaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAllOrders
    | OrderBatch
    | SetDeadMan
    | OpenSession
    | EndSession
    | AnnounceSessions
    | OpenAccount
    | SetStpMode
    | MoveCash
    | SetInstrumentStatus
    | SetFeeTier
    | SetAccountTier
    | SetMargin
    | ConfigureAccount
    | QuoteStreet
    | PrintStreetTrade
    | MarketCommand
    | ExpireOrders
    | SwitchTrading
    | JoinDesk
    | SetLimit
    | EvaluateLosses
    | ReadUsage
    | AwaitCommit
)
