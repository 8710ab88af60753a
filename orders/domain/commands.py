"""What the engine can be asked, as it travels over its socket (msgpack arrays, one tag a kind).

Imperative, validated for shape by the sender, for everything else by the engine. Amounts are exact
Decimals; the engine turns them into units. `now` is not in a command: the engine stamps the batch.
"""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import msgspec

from orders.domain.values import OrderType, Side, TimeInForce


class Command(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="command"):
    """Base of every command."""


class SubmitOrder(Command, frozen=True, array_like=True, tag_field="command", tag="submit"):
    """Place an order. `client_order_id` empty: the order's own id serves (and cannot be a
    duplicate).
    """

    order_id: UUID
    account_id: int
    symbol: str
    client_order_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None
    submitted_by_id: int
    request_id: str


class CancelOrder(Command, frozen=True, array_like=True, tag_field="command", tag="cancel"):
    """Cancel one order of the account."""

    order_id: UUID
    account_id: int
    request_id: str


class CancelAllOrders(Command, frozen=True, array_like=True, tag_field="command", tag="cancel_all"):
    """Cancel every open order of the account."""

    account_id: int
    request_id: str


class OpenAccount(Command, frozen=True, array_like=True, tag_field="command", tag="open_account"):
    """Make a trading account known that was just created. Repeating it changes nothing."""

    account_id: int
    public_id: UUID
    kind: str
    currency: str


class MoveCash(Command, frozen=True, array_like=True, tag_field="command", tag="move_cash"):
    """Deposit (kind DEPOSIT) or adjust (ADJUSTMENT) an account's cash against the house account."""

    account_id: int
    amount: Decimal
    kind: str
    reason: str
    request_id: str


class SetInstrumentStatus(
    Command, frozen=True, array_like=True, tag_field="command", tag="instrument_status"
):
    """Halt or reopen an instrument (status OPEN or HALTED)."""

    symbol: str
    status: str
    request_id: str


class QuoteStreet(Command, frozen=True, array_like=True, tag_field="command", tag="street_quote"):
    """The feed's quote: levels (price, quantity), best first."""

    symbol: str
    bids: Sequence[tuple[Decimal, Decimal]]
    asks: Sequence[tuple[Decimal, Decimal]]


class PrintStreetTrade(
    Command, frozen=True, array_like=True, tag_field="command", tag="street_trade"
):
    """A trade on the street, with the side that took."""

    symbol: str
    price: Decimal
    quantity: Decimal
    aggressor: Side


class ExpireOrders(Command, frozen=True, array_like=True, tag_field="command", tag="expire"):
    """Expire every order whose time has come; the engine sends it to itself each second."""


AnyCommand = (
    SubmitOrder
    | CancelOrder
    | CancelAllOrders
    | OpenAccount
    | MoveCash
    | SetInstrumentStatus
    | QuoteStreet
    | PrintStreetTrade
    | ExpireOrders
)
