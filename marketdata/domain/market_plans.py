"""A market state that is planned for a time: docs/market-states.md, X10 to X14."""

from enum import StrEnum
from typing import Final, NamedTuple

from marketdata.domain.market_states import MarketState


class PlanStatus(StrEnum):
    """How far a plan has come. The engine does not know of one that is PLANNED or REFUSED."""

    PLANNED = "PLANNED"
    KNOWN = "KNOWN"
    RUNNING = "RUNNING"
    OVER = "OVER"
    MISSED = "MISSED"
    WITHDRAWN = "WITHDRAWN"
    REFUSED = "REFUSED"


OPEN_STATUSES: Final = frozenset({PlanStatus.KNOWN, PlanStatus.RUNNING})
"""The plans that the engine still has something to do for."""


class MarketPlan(NamedTuple):
    """The instrument's market is in `state` from `from_ns` until `until_ns` (None: until an
    operator sets another by hand). `changed_ns`: when `status` last changed.
    """

    id: int
    instrument_id: int
    state: MarketState
    from_ns: int
    until_ns: int | None
    reason: str
    planned_by_id: int | None
    status: PlanStatus
    changed_ns: int

    @property
    def due_ns(self) -> int | None:
        """When something is next to be done for it."""
        return self.until_ns if self.status is PlanStatus.RUNNING else self.from_ns
