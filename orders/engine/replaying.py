"""Does again what the journal says, on the same core: the pure part of `manage.py replay`.

Gives what every command came to, and says where a start of the engine does not agree with what was
replayed up to it. Nothing is read or written here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from orders.domain.commands import AnyCommand
from orders.domain.replies import AnyReply
from orders.domain.states import UnknownTransitionError
from orders.domain.views import AccountEvent
from orders.engine.changes import Changes
from orders.engine.core import Core
from orders.engine.disagreements import disagreements
from orders.engine.journal import JournalError, Start, read_batch
from orders.engine.rebuild import rebuild
from orders.engine.state import EngineState
from orders.engine.stored import StoredState, StoredTrade, stored_from

CORE_FAULTS: Final = (AssertionError, LookupError, ArithmeticError, UnknownTransitionError)
"""What the core raises when a command meets a state in which it could not have been applied."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One command of the journal and what it came to."""

    now_ns: int
    command: AnyCommand
    reply: AnyReply
    events: list[AccountEvent]


class Replay:
    """The state as the journal makes it, from the first start that it is given."""

    def __init__(self) -> None:
        self._core: Core | None = None
        self._executions: dict[int, StoredTrade] = {}  # each instrument's newest

    @property
    def state(self) -> EngineState:
        assert self._core is not None, "a replay begins with a start"
        return self._core.state

    @property
    def changes(self) -> Changes:
        """What the newest batch changed."""
        assert self._core is not None
        return self._core.changes

    def start(self, start: Start) -> list[str]:
        """Begin, or go on as a restarted engine does; where the start disagrees with the replay."""
        try:
            found: list[str] = []
            if self._core is not None:
                found = disagreements(start.state, self.stored(start.state.last_trades))
            self._core = Core(rebuild(start.state), start.max_elections, start.max_cleared)
        except CORE_FAULTS as fault:
            raise JournalError(f"the start's rows do not fit together: {fault!r}") from fault
        self._executions.update({trade.instrument_id: trade for trade in start.state.last_trades})
        return found

    def batch(self, content: bytes) -> Iterator[Applied]:
        """Apply a batch's commands one after another; JournalError when one cannot be applied."""
        assert self._core is not None
        self._core.begin_batch()
        changes = self._core.changes
        for now_ns, command in read_batch(content):
            told = len(changes.events)
            try:
                reply = self._core.apply(command, now_ns)
            except CORE_FAULTS as fault:
                raise JournalError(f"{command} cannot be applied: {fault!r}") from fault
            yield Applied(now_ns, command, reply, [event for _, event in changes.events[told:]])
        for row in changes.executions:
            trade = StoredTrade(row.instrument_id, row.price_units, row.occurred_ns)
            self._executions[row.instrument_id] = trade

    def stored(self, last_trades: Sequence[StoredTrade]) -> StoredState:
        """What the tables must say by now. Of `last_trades`, which they say, those are replaced
        that the replay knows: very old ones are not found in the tables.
        """
        known = [self._executions.get(trade.instrument_id, trade) for trade in last_trades]
        return stored_from(self.state, known)
