"""Daily loss and drawdown by the rules M12 to M14 of docs/risk.md, in the slow engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.reference.margin import value
from tests.reference.restricting import ending_of, tell_switch
from tests.reference.state import HOUSE, Order, ReferenceState
from tests.reference.trading import rank, word_for

KINDS = ["DAILY_LOSS_HALT", "DRAWDOWN_HALT", "DAILY_LOSS", "DRAWDOWN"]
DAY_NS = 24 * 3600 * 10**9

Words = tuple[str, str, str]


@dataclass
class Watermark:
    day: int
    opening: Fraction
    highest: Fraction
    stopped: str = "ACTIVE"


def begin_anew(state: ReferenceState, words: Words) -> None:
    """M12: a first limit of that kind measures from now, where nothing was measured before."""
    if words[1] not in KINDS or state.limits.values.get(words) is not None:
        return
    for account in state.trading.concerned(words[0], lambda account, symbol: False):
        if account in state.limits.watermarks and not _limits(state, account):
            _measure_anew(state, account)


def _measure_anew(state: ReferenceState, account: int) -> Watermark:
    worth = equity(state, account)
    mark = state.limits.watermarks[account] = Watermark(state.now_ns // DAY_NS, worth, worth)
    return mark


def equity(state: ReferenceState, account: int) -> Fraction:
    return state.cash[account] + sum(value(state, account, terms) for terms in state.terms)


def _limits(state: ReferenceState, account: int) -> list[tuple[str, Fraction]]:
    """The loss limits in force that bind the account."""
    desk = state.trading.desks.get(account)
    scopes = ["firm", f"account:{account}", *([f"desk:{desk}"] if desk else [])]
    return [
        (kind, limit)
        for (scope, kind, _), limit in state.limits.values.items()
        if kind in KINDS and limit is not None and scope in scopes
    ]


def evaluate(state: ReferenceState, end: Callable[[Order, str], object]) -> object:
    """M12 to M14."""
    stopped = [account for account in state.cash_accounts if _look_at(state, account)]
    for account in stopped:
        for order in ending_of(state, f"account:{account}"):
            is_halted = state.trading.states[f"account:{account}"] == "HALTED"
            end(order, "KILL_SWITCH" if is_halted else "REDUCE_ONLY")
    return "DONE"


def _look_at(state: ReferenceState, account: int) -> bool:
    """Whether it was stopped."""
    limits = _limits(state, account)
    if not limits:
        return False
    key, worth = f"account:{account}", equity(state, account)
    now = state.trading.states.get(key, "ACTIVE")
    mark = state.limits.watermarks.get(account)
    if mark is None or rank(mark.stopped) > rank(now):
        mark = _measure_anew(state, account)
    if mark.day != state.now_ns // DAY_NS:
        mark.day, mark.opening = state.now_ns // DAY_NS, worth
    if any(kind.startswith("DRAWDOWN") for kind, _ in limits):
        mark.highest = max(mark.highest, worth)
    wanted = _wanted(mark, worth, limits)
    if rank(wanted) <= rank(now):
        return False
    mark.stopped = wanted
    state.trading.states[key] = wanted
    state.trading.versions[key] = state.trading.versions.get(key, 0) + 1
    tell_switch(state, word_for(now, wanted), [HOUSE, account])
    state.marks.add(f"losses put an account into {wanted}")
    return True


def _wanted(mark: Watermark, worth: Fraction, limits: Sequence[tuple[str, Fraction]]) -> str:
    """The strictest state of the limits that are reached."""
    wanted = "ACTIVE"
    for kind, limit in limits:
        lost = (mark.opening if kind.startswith("DAILY") else mark.highest) - worth
        if lost > 0 and lost >= limit:
            wanted = max(wanted, "HALTED" if kind.endswith("HALT") else "REDUCE_ONLY", key=rank)
    return wanted


def move(state: ReferenceState, account: int, amount: Fraction) -> None:
    """M13: cash that comes or goes is no profit and no loss."""
    mark = state.limits.watermarks.get(account)
    if mark is not None:
        mark.opening += amount
        mark.highest += amount
