"""What the engine can be asked about planned market states, sessions, bands and margin calls:
members of AnyCommand (orders/domain/commands.py).
"""

from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from typing import Annotated

import msgspec

from orders.domain.command_parts import (
    MAX_SESSIONS,
    Address,
    CalendarCode,
    Command,
    Day,
    Key,
    Reason,
    RequestId,
    check_texts,
)

Bps = Annotated[int, msgspec.Meta(ge=1, le=9_999)]
NoBps = Annotated[int, msgspec.Meta(ge=0, le=9_999)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=86_400)]
PauseState = Annotated[str, msgspec.Meta(pattern=r"\A(HALTED|AUCTION)\Z")]
PlannedState = Annotated[str, msgspec.Meta(pattern=r"\A(HALTED|CANCEL_ONLY|POST_ONLY|AUCTION)\Z")]


class PlanMarketState(
    Command, frozen=True, array_like=True, tag_field="command", tag="plan_market_state"
):
    """Know of a plan: its row's number, the state, and from when until when (None: without an end)
    the market is in it. Plans are told in the order of their numbers.
    """

    plan_id: Key
    symbol: str
    state: PlannedState
    from_ns: Key
    until_ns: Key | None
    reason: Reason
    request_id: RequestId
    planned_by_id: Key | None = None

    def __post_init__(self) -> None:
        check_texts(self.reason, self.request_id)


class WithdrawMarketPlan(
    Command, frozen=True, array_like=True, tag_field="command", tag="withdraw_market_plan"
):
    """Drop a plan, or end it now. Audited, as MoveCash is."""

    plan_id: Key
    reason: Reason
    request_id: RequestId
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.reason, self.request_id)


class SetBands(Command, frozen=True, array_like=True, tag_field="command", tag="set_bands"):
    """Set an instrument's collar and volatility band (docs/market-states.md B2, V1); None leaves
    what is there. Audited, as MoveCash is.
    """

    symbol: str
    request_id: RequestId
    market_band_bps: Bps | None = None
    volatility_bps: NoBps | None = None
    window_seconds: Seconds | None = None
    pause_state: PauseState | None = None
    pause_seconds: Seconds | None = None
    reason: Reason = ""
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.reason, self.request_id)


class CheckMargin(Command, frozen=True, array_like=True, tag_field="command", tag="check_margin"):
    """Look at the margin accounts with numbers above `after`; the engine sends it to itself each
    second (docs/fees-and-margin.md L9).
    """

    after: Key = 0


class SetSessions(Command, frozen=True, array_like=True, tag_field="command", tag="sessions"):
    """Tell a calendar's sessions `(day, opens_ns, closes_ns)`, each in the place of its day's, and
    the days on which there is none any more. Days are ISO dates; the sessions must not overlap.
    """

    calendar: CalendarCode
    sessions: Annotated[Sequence[tuple[Day, Key, Key]], msgspec.Meta(max_length=MAX_SESSIONS)]
    removed: Annotated[Sequence[Day], msgspec.Meta(max_length=MAX_SESSIONS)]
    request_id: RequestId

    def __post_init__(self) -> None:
        check_texts(self.request_id)
        for day in (*self.removed, *(day for day, _, _ in self.sessions)):
            date.fromisoformat(day)
        ends = [0]
        for _, opens_ns, closes_ns in sorted(self.sessions, key=itemgetter(1)):
            if not ends[-1] <= opens_ns < closes_ns:
                raise ValueError("a session overlaps another, or closes before it opens")
            ends.append(closes_ns)


MarketCommand = PlanMarketState | WithdrawMarketPlan | SetBands | CheckMargin | SetSessions
