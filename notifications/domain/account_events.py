"""The parts of an account event that a message is made of; fields we do not need are passed over.

The engine writes these payloads (docs/events.md); numbers come as decimal strings.
"""

from decimal import Decimal
from uuid import UUID

import msgspec


class OrderPart(msgspec.Struct, frozen=True):
    symbol: str
    side: str
    type: str
    quantity: Decimal
    filled_quantity: Decimal
    average_price: Decimal | None


class BalancePart(msgspec.Struct, frozen=True):
    currency: str
    total: Decimal
    free: Decimal


class CashPart(msgspec.Struct, frozen=True):
    amount: Decimal
    reason: str


class AccountEvent(msgspec.Struct, frozen=True):
    event: str
    account_id: UUID
    balance: BalancePart
    order: OrderPart | None = None
    cash: CashPart | None = None
    request_id: str = ""


def read_account_event(payload: object) -> AccountEvent:
    """The event that `payload` writes; msgspec.ValidationError names what is missing or
    misshapen.
    """
    return msgspec.convert(payload, AccountEvent)
