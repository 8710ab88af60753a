"""Planned market states by the rules X10 to X13 of docs/market-states.md, for the slow engine."""

from dataclasses import dataclass, field

from orders.domain.market_commands import PlanMarketState, WithdrawMarketPlan
from tests.reference.lifetime import DAY_NS
from tests.reference.state import HOUSE, ReferenceState, Refused, Terms

RANK = ["OPEN", "POST_ONLY", "CANCEL_ONLY", "AUCTION", "HALTED"]


@dataclass
class Plan:
    number: int
    symbol: str
    state: str
    begins_ns: int
    ends_ns: int | None
    is_running: bool = False


@dataclass
class Plans:
    """Those that are not over, and what was set by hand."""

    known: list[Plan] = field(default_factory=list)
    newest: int = 0
    by_hand: dict[str, str] = field(default_factory=dict)
    pauses: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The state of a pause (V6), and until when."""

    def now_planned(self, symbol: str) -> list[str]:
        return [plan.state for plan in self.known if plan.symbol == symbol and plan.is_running]


def strictest(states: list[str]) -> str:
    """X10."""
    if "CANCEL_ONLY" in states and "AUCTION" in states:
        return "HALTED"
    return max(states, key=RANK.index)


def let_time_pass(state: ReferenceState, plans: Plans) -> None:
    """X12: each plan in the order of the numbers."""
    for plan in sorted(plans.known, key=lambda plan: plan.number):
        is_over = plan.ends_ns is not None and plan.ends_ns <= state.now_ns
        has_begun = plan.begins_ns <= state.now_ns
        if not plan.is_running and not has_begun:
            continue
        was_running, plan.is_running = plan.is_running, not is_over
        if is_over:
            plans.known.remove(plan)
        if was_running or not is_over:
            follow(state, plans, plan.symbol)


def follow(state: ReferenceState, plans: Plans, symbol: str) -> None:
    """X10 and X14."""
    (terms,) = [terms for terms in state.terms if terms.symbol == symbol]
    layers = [plans.by_hand.get(symbol, "OPEN"), *plans.now_planned(symbol)]
    if symbol in plans.pauses:
        layers.append(plans.pauses[symbol][0])
    wanted = strictest(layers)
    if wanted == state.states[symbol]:
        return
    state.states[symbol] = wanted
    for account in [HOUSE, *_concerned(state, terms)]:
        cash = (state.cash[account], state.locked_cash(account))
        state.told.append(("MarketStateChanged", account, symbol, wanted, *cash))


def _concerned(state: ReferenceState, terms: Terms) -> list[int]:
    return [
        account
        for account in state.cash_accounts
        if state.holding(account, terms.symbol).lots
        or any(order.terms is terms for order in state.open_orders(account))
    ]


def plan(state: ReferenceState, plans: Plans, command: PlanMarketState) -> str:
    """X11."""
    if any(plan.number == command.plan_id for plan in plans.known):
        return "DONE"
    terms = state.find(command.symbol)
    begins_ns = command.from_ns // 1000 * 1000
    ends_ns = None if command.until_ns is None else command.until_ns // 1000 * 1000
    if terms is None or command.plan_id <= plans.newest or len(plans.known) >= 1_000:
        raise Refused("PLAN_REFUSED")
    if begins_ns > state.now_ns + 400 * DAY_NS or (ends_ns is not None and ends_ns <= begins_ns):
        raise Refused("PLAN_REFUSED")
    plans.newest = command.plan_id
    plans.known.append(Plan(command.plan_id, terms.symbol, command.state, begins_ns, ends_ns))
    let_time_pass(state, plans)
    return "DONE"


def withdraw(state: ReferenceState, plans: Plans, command: WithdrawMarketPlan) -> str:
    """X13."""
    for plan in plans.known:
        if plan.number == command.plan_id:
            plans.known.remove(plan)
            if plan.is_running:
                follow(state, plans, plan.symbol)
            return "DONE"
    raise Refused("PLAN_UNKNOWN")


def set_by_hand(state: ReferenceState, plans: Plans, symbol: str, wanted: str) -> None:
    """X13: what is running there is over; X14: who is told."""
    plans.by_hand[symbol] = wanted
    plans.known = [plan for plan in plans.known if plan.symbol != symbol or not plan.is_running]
    follow(state, plans, symbol)
