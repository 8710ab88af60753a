"""What happened on an account, in the words of the Alpaca Trading API v2: fills, fees, cash.

Activities of all kinds stand in one order: by time, then by kind and number. Each has an id of the
dialect's form, `YYYYMMDDHHMMSSmmm::uuid`, which is also the token of the page after it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from core.domain.ids import execution_uuid

_TRANSFER_SPACE: Final = 0x7EAD_0001_0000_8000_8000_0000_0000_0000
_NUMBER_BITS: Final = 48
_SPACES: Final = {int(execution_uuid(0)): "FILL", _TRANSFER_SPACE: "TRANSFER"}

CASH_TYPES: Final = {"DEPOSIT": "CSD", "ADJUSTMENT": "JNLC", "FEE": "FEE"}
"""The dialect's word for a ledger transfer that is no trade."""

ACTIVITY_TYPES: Final = ("FILL", *CASH_TYPES.values())
KNOWN_TYPES: Final = frozenset(
    {
        *ACTIVITY_TYPES, "ACATC", "ACATS", "CFEE", "CIL", "CSW", "DIV", "DIVCGL", "DIVCGS",
        "DIVNRA", "DIVROC", "DIVTXEX", "DIVWH", "EXTRD", "FXTRD", "INT", "INTPNL", "JNLS", "MA",
        "MEM", "NC", "OCT", "OPASN", "OPCSH", "OPEXC", "OPEXP", "OPTRD", "PTC", "REORG", "SPIN",
        "SPLIT", "SWP", "VOF", "WH",
    }
)  # fmt: skip
"""Every type of the dialect: a client may ask for what does not happen here, and finds none."""


class FillActivity(msgspec.Struct, frozen=True, kw_only=True):
    """One fill; `cum_qty`, `leaves_qty` and `order_status` are those right after it."""

    id: str
    account_id: str
    activity_type: str = "FILL"
    transaction_time: str
    type: str
    price: str
    qty: str
    side: str
    symbol: str
    leaves_qty: str
    order_id: str
    cum_qty: str
    order_status: str


class CashActivity(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that came (`net_amount` above zero) or went."""

    id: str
    account_id: str
    activity_type: str
    date: str
    net_amount: str
    description: str
    status: str = "executed"
    created_at: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where an activity stands in time; those of one instant go by kind and number."""

    at: datetime
    kind: str
    number: int

    @property
    def key(self) -> tuple[datetime, str, int]:
        return self.at, self.kind, self.number


def activity_id(place: Place) -> str:
    """The dialect's id of an activity."""
    space = next(space for space, kind in _SPACES.items() if kind == place.kind)
    moment = place.at.astimezone(UTC)
    return (
        f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}::{UUID(int=space | place.number)}"
    )


def read_activity_id(text: str) -> tuple[str, int] | None:
    """(kind, number) of the activity that has this id, or None when no activity can have it."""
    _, _, name = text.partition("::")
    try:
        value = int(UUID(name))
    except ValueError:
        return None
    kind = _SPACES.get(value >> _NUMBER_BITS << _NUMBER_BITS)
    return (kind, value & ((1 << _NUMBER_BITS) - 1)) if kind else None
