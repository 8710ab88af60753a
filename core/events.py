"""What an event of the log is, and which kinds there are.

Services build a NewEvent and append it (core.services.outbox); the engine writes the same columns
in its own batch. Readers get a RecordedEvent. The payloads of account events are described in
docs/event-kinds.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class EventKind(StrEnum):
    """Every kind of fact that the log may hold; a kind that is not here cannot be appended."""

    ORDER_ACCEPTED = "OrderAccepted"
    ORDER_HELD = "OrderHeld"
    ORDER_QUEUED = "OrderQueued"
    ORDER_RELEASED = "OrderReleased"
    ORDER_TRIGGERED = "OrderTriggered"
    ORDER_PARTIALLY_FILLED = "OrderPartiallyFilled"
    ORDER_FILLED = "OrderFilled"
    ORDER_CANCELED = "OrderCanceled"
    ORDER_EXPIRED = "OrderExpired"
    ORDER_REPLACED = "OrderReplaced"
    ORDER_AMENDED = "OrderAmended"
    ORDER_DECREMENTED = "OrderDecremented"
    CASH_DEPOSITED = "CashDeposited"
    CASH_ADJUSTED = "CashAdjusted"
    TRADING_HALTED = "TradingHalted"
    TRADING_RESTRICTED = "TradingRestricted"
    TRADING_RESUMED = "TradingResumed"
    MARKET_STATE_CHANGED = "MarketStateChanged"
    MARGIN_CALLED = "MarginCalled"
    FORCED_CLOSING_STARTED = "ForcedClosingStarted"
    MARGIN_CALL_MET = "MarginCallMet"


CURRENT_VERSION: Mapping[EventKind, int] = dict.fromkeys(EventKind, 1)
"""The version that is written today. Readers add fields tolerantly; a new meaning is a new
version.
"""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact that belongs to no trading account; those of accounts come from the engine alone."""

    kind: EventKind
    payload: Mapping[str, Any]  # Any: JSON
    occurred_at: datetime


class RecordedEvent(msgspec.Struct, frozen=True):
    """A fact as it stands in the log. `account_sequence` counts an account's events without
    gaps; `payload` is JSON text, for the handler to read as far as it needs it.
    """

    id: int
    kind: str
    version: int
    account_id: int | None
    account_sequence: int | None
    payload: str
    occurred_at: datetime
