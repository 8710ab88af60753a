"""The parts of an account event that a message is made of; fields we do not need are passed over.

The engine writes these payloads (docs/event-kinds.md); numbers come as decimal strings.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class OrderPart(msgspec.Struct, frozen=True):
    symbol: str
    side: str
    type: str
    quantity: Decimal
    filled_quantity: Decimal
    average_price: Decimal | None = None
    id: str = ""
    reason: str | None = None


class BalancePart(msgspec.Struct, frozen=True):
    currency: str
    total: Decimal
    free: Decimal


class CashPart(msgspec.Struct, frozen=True):
    amount: Decimal
    reason: str


class TradingStatePart(msgspec.Struct, frozen=True):
    scope: str
    state: str
    reason: str
    orders: int


class MarketStatePart(msgspec.Struct, frozen=True):
    symbol: str
    state: str
    until: str | None
    reason: str


class MarginCallPart(msgspec.Struct, frozen=True):
    equity: Decimal
    maintenance: Decimal
    missing: Decimal
    deadline: str
    reason: str | None


class AccountEvent(msgspec.Struct, frozen=True):
    event: str
    account_id: UUID
    balance: BalancePart
    order: OrderPart | None = None
    cash: CashPart | None = None
    trading_state: TradingStatePart | None = None
    market_state: MarketStatePart | None = None
    margin_call: MarginCallPart | None = None
    request_id: str = ""
    occurred_at: datetime | None = None


_DECODER = msgspec.json.Decoder(AccountEvent)


def read_account_event(payload: str) -> AccountEvent:
    """The event that the JSON `payload` writes; msgspec.ValidationError names what is missing or
    misshapen.
    """
    return _DECODER.decode(payload)
