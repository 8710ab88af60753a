"""Whether a scope may trade: four states from free to halted (docs/risk.md W1 and W3)."""

from dataclasses import dataclass
from typing import Final

from core.domain.words import Word
from risk.domain.reasons import DenialReason


class TradingState(Word):
    ACTIVE = "ACTIVE"
    REDUCE_ONLY = "REDUCE_ONLY"
    CANCEL_ONLY = "CANCEL_ONLY"
    HALTED = "HALTED"

    def is_stricter_than(self, other: "TradingState") -> bool:
        return _ORDER.index(self) > _ORDER.index(other)


_ORDER: Final = tuple(TradingState)

REFUSALS: Final = {
    TradingState.REDUCE_ONLY: DenialReason.TRADING_REDUCE_ONLY,
    TradingState.CANCEL_ONLY: DenialReason.TRADING_CANCEL_ONLY,
    TradingState.HALTED: DenialReason.TRADING_HALTED,
}


@dataclass(frozen=True, slots=True)
class ScopeState:
    """A scope's state since its last switch. `version` counts the switches; `is_clearing`: orders
    that this switch cancels are still open.
    """

    state: TradingState
    version: int
    is_clearing: bool
    reason: str
    request_id: str
    changed_by_id: int | None
    changed_ns: int
