"""What the engine can be asked about risk: members of orders.domain.commands.AnyCommand.

They travel as all commands do, msgpack arrays with one tag a kind. One that could not be stored
cannot be made.
"""

from typing import Annotated

import msgspec

from risk.domain.limit_tree import LimitKind
from risk.domain.scopes import Scope, check_scope
from risk.domain.states import TradingState

Key = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
RequestId = Annotated[str, msgspec.Meta(max_length=64)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]
Address = Annotated[str, msgspec.Meta(max_length=45)]


class Consent(msgspec.Struct, frozen=True, array_like=True):
    """The request that somebody approves: its row, who asked, and which version of the scope's
    state or of the limit it takes back.
    """

    request: Key
    asked_by_id: Key
    version: Key


class SwitchTrading(
    msgspec.Struct, frozen=True, array_like=True, tag="switch_trading", tag_field="command"
):
    """Put a scope into a trading state (docs/risk.md W1 to W5). A looser one needs `consent`."""

    scope: Scope
    state: TradingState
    reason: Reason
    request_id: RequestId
    actor_id: Key | None = None
    address: Address | None = None
    consent: Consent | None = None

    def __post_init__(self) -> None:
        check_scope(self.scope)
        check_texts(self.reason, self.request_id)


class JoinDesk(msgspec.Struct, frozen=True, array_like=True, tag="join_desk", tag_field="command"):
    """Let an account join a desk, or leave its own (None): docs/risk.md W8."""

    account_id: Key
    desk_id: Key | None
    reason: Reason
    request_id: RequestId
    actor_id: Key | None = None
    address: Address | None = None

    def __post_init__(self) -> None:
        check_texts(self.reason, self.request_id)


class SetLimit(msgspec.Struct, frozen=True, array_like=True, tag="set_limit", tag_field="command"):
    """Set a limit of a scope to `value` units, or take it away (None); instrument 0: whatever is
    traded (docs/risk.md M1 and M2). A raise needs `consent`.
    """

    scope: Scope
    kind: LimitKind
    instrument_id: Key
    value: Key | None
    reason: Reason
    request_id: RequestId
    actor_id: Key | None = None
    address: Address | None = None
    consent: Consent | None = None
    window_seconds: Key = 0

    def __post_init__(self) -> None:
        check_scope(self.scope)
        check_texts(self.reason, self.request_id)


class EvaluateLosses(
    msgspec.Struct, frozen=True, array_like=True, tag="evaluate_losses", tag_field="command"
):
    """Measure the accounts that a loss limit binds, and stop those that have reached it; the engine
    sends it to itself (docs/risk.md M12).
    """


class ReadUsage(
    msgspec.Struct, frozen=True, array_like=True, tag="read_usage", tag_field="command"
):
    """Tell what each limit in force comes to now (docs/risk.md M15)."""


def check_texts(*texts: str) -> None:
    """ValueError for NUL, which no database text can hold."""
    for text in texts:
        if "\0" in text:
            raise ValueError("a text holds NUL")
