"""What the engine can be asked, as it travels over its socket (msgpack arrays, one tag a kind).

Imperative, validated for shape by the sender, for everything else by the engine. Amounts are exact
Decimals; the engine turns them into units. `now` is not in a command: the engine stamps the batch.
A command that could not be stored (NaN, NUL in a text, too long) cannot be made and is not decoded.
"""

from collections.abc import Sequence
from decimal import (
    Clamped,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Subnormal,
)
from typing import Annotated
from uuid import UUID

import msgspec

from orders.domain.values import OrderType, Side, TimeInForce

MAX_QUOTE_LEVELS = 100
"""Levels that a quote may bring to be looked at; the book takes far fewer."""

Key = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
ClientOrderId = Annotated[str, msgspec.Meta(max_length=128)]
RequestId = Annotated[str, msgspec.Meta(max_length=64)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]
Levels = Annotated[Sequence[tuple[Decimal, Decimal]], msgspec.Meta(max_length=MAX_QUOTE_LEVELS)]
Address = Annotated[str, msgspec.Meta(max_length=45)]
AccountKind = Annotated[str, msgspec.Meta(pattern=r"\A(CASH|STREET|HOUSE)\Z")]
CashKind = Annotated[str, msgspec.Meta(pattern=r"\A(DEPOSIT|ADJUSTMENT)\Z")]
Status = Annotated[str, msgspec.Meta(pattern=r"\A(OPEN|HALTED)\Z")]

_BOUNDED = Context(
    prec=40,
    Emin=-40,
    Emax=40,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Subnormal],
)
"""Raises for every decimal of more than 40 digits before or after the point."""


def _check_number(value: Decimal) -> None:
    """ValueError unless the number is finite and short enough to be worked with."""
    try:
        _BOUNDED.plus(value)
    except DecimalException as error:
        raise ValueError("a number is too long") from error
    if not value.is_finite():
        raise ValueError("a number is not finite")


def _check_texts(*texts: str) -> None:
    """ValueError for NUL, which no database text can hold."""
    for text in texts:
        if "\0" in text:
            raise ValueError("a text holds NUL")


class Command(msgspec.Struct, frozen=True, array_like=True, tag=True, tag_field="command"):
    """Base of every command."""


class SubmitOrder(Command, frozen=True, array_like=True, tag_field="command", tag="submit"):
    """Place an order. `client_order_id` empty: the order's own id serves (and cannot be a
    duplicate). After `good_until_ns` nobody waits for it any more, and it must not trade.
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

    def __post_init__(self) -> None:
        _check_texts(self.client_order_id, self.request_id)
        _check_number(self.quantity)
        if self.limit_price is not None:
            _check_number(self.limit_price)


class CancelOrder(Command, frozen=True, array_like=True, tag_field="command", tag="cancel"):
    """Cancel one order of the account."""

    order_id: UUID
    account_id: Key
    request_id: RequestId

    def __post_init__(self) -> None:
        _check_texts(self.request_id)


class CancelAllOrders(Command, frozen=True, array_like=True, tag_field="command", tag="cancel_all"):
    """Cancel every open order of the account."""

    account_id: Key
    request_id: RequestId

    def __post_init__(self) -> None:
        _check_texts(self.request_id)


class OpenAccount(Command, frozen=True, array_like=True, tag_field="command", tag="open_account"):
    """Make a trading account known that was just created. Repeating it changes nothing."""

    account_id: Key
    public_id: UUID
    kind: AccountKind
    currency: str


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
        _check_texts(self.reason, self.request_id)
        _check_number(self.amount)


class SetInstrumentStatus(
    Command, frozen=True, array_like=True, tag_field="command", tag="instrument_status"
):
    """Halt or reopen an instrument (status OPEN or HALTED). Audited, as MoveCash is."""

    symbol: str
    status: Status
    request_id: RequestId
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        _check_texts(self.request_id, self.reason)


class QuoteStreet(Command, frozen=True, array_like=True, tag_field="command", tag="street_quote"):
    """The feed's quote: levels (price, quantity), best first."""

    symbol: str
    bids: Levels
    asks: Levels

    def __post_init__(self) -> None:
        for levels in (self.bids, self.asks):
            for price, quantity in levels:
                _check_number(price)
                _check_number(quantity)


class PrintStreetTrade(
    Command, frozen=True, array_like=True, tag_field="command", tag="street_trade"
):
    """A trade on the street, with the side that took."""

    symbol: str
    price: Decimal
    quantity: Decimal
    aggressor: Side

    def __post_init__(self) -> None:
        _check_number(self.price)
        _check_number(self.quantity)


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
