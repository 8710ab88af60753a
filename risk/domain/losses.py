"""When an account has lost so much that it is stopped: daily loss and drawdown (docs/risk.md M12 to
M14). Pure: what it is worth now and what that is measured from in, what to do out.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from risk.domain.limit_tree import Bound, LimitKind
from risk.domain.states import TradingState

DAY_NS: Final = 86_400 * 10**9

STOPS: Final = {
    LimitKind.DAILY_LOSS: TradingState.REDUCE_ONLY,
    LimitKind.DAILY_LOSS_HALT: TradingState.HALTED,
    LimitKind.DRAWDOWN: TradingState.REDUCE_ONLY,
    LimitKind.DRAWDOWN_HALT: TradingState.HALTED,
}
"""The state into which each kind puts an account."""

_OF_THE_DAY: Final = frozenset({LimitKind.DAILY_LOSS, LimitKind.DAILY_LOSS_HALT})


@dataclass(frozen=True, slots=True)
class Watermark:
    """What an account's losses are measured from: its worth at the first look of the UTC day and
    the highest that was seen. `stopped`: the state that its losses have put it into.
    """

    day: int
    opening: int
    highest: int
    stopped: TradingState = TradingState.ACTIVE

    def moved(self, units: int) -> "Watermark":
        """After cash came (or went): that is no profit and no loss."""
        return replace(self, opening=self.opening + units, highest=self.highest + units)


class Loss(NamedTuple):
    """A limit that was reached, by how much was lost."""

    bound: Bound
    lost: int

    @property
    def state(self) -> TradingState:
        return STOPS[self.bound.key.kind]


def measured(
    mark: Watermark | None, equity: int, now_ns: int, state: TradingState, *, keeps_highest: bool
) -> Watermark:
    """The account's watermark now. It begins anew when somebody has let a stopped account trade
    again; `state` is the account's own. Without `keeps_highest` nobody asks for the highest.
    """
    day = now_ns // DAY_NS
    if mark is None or mark.stopped.is_stricter_than(state):
        return Watermark(day, equity, equity)
    if mark.day != day:
        mark = replace(mark, day=day, opening=equity)
    if keeps_highest and equity > mark.highest:
        mark = replace(mark, highest=equity)
    return mark


def loss_of(mark: Watermark, kind: LimitKind, equity: int) -> int:
    """How much is lost, as the kind measures it; 0 for a profit."""
    return max((mark.opening if kind in _OF_THE_DAY else mark.highest) - equity, 0)


def worst_loss(mark: Watermark, equity: int, bounds: Iterable[Bound]) -> Loss | None:
    """Of the limits that are reached the one that stops hardest, then the tightest."""
    reached = []
    for bound in bounds:
        lost = loss_of(mark, bound.key.kind, equity)
        if lost and lost >= bound.value:
            reached.append(Loss(bound, lost))
    if not reached:
        return None
    return min(reached, key=lambda loss: (loss.state is not TradingState.HALTED, loss.bound.value))
