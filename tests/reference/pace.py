"""Message rate and repeated orders by the rules M9 and M10 of docs/risk.md, in the slow engine."""

from fractions import Fraction

from tests.reference.limits import binding
from tests.reference.restricting import tell_switch
from tests.reference.state import HOUSE, Order, ReferenceState, Refused
from tests.reference.trading import rank

SECOND_NS = 10**9


def check_pace(state: ReferenceState, order: Order) -> None:
    """M9 of all rates, then M10."""
    rules = state.limits
    rates = binding(state, order, "ORDER_RATE")
    left = {words: _budget(state, words) for words in rates}
    if any(budget < 1 for budget in left.values()):
        raise Refused("LIMIT_ORDER_RATE")
    for words, budget in left.items():
        rules.budgets[words] = (budget - 1, state.now_ns)
    for words in binding(state, order, "REPEATED_ORDERS"):
        since_ns = state.now_ns - rules.windows[words] * SECOND_NS
        lately = [like for at_ns, like in rules.let_in.get(words, []) if at_ns > since_ns]
        limit = rules.values[words]
        assert limit is not None
        if lately.count(_likeness(order)) >= limit:
            _stop(state, order)
            rules.forget(words)
            raise Refused("LIMIT_REPEATED_ORDERS")


def _budget(state: ReferenceState, words: tuple[str, str, str]) -> Fraction:
    """What is left of the rate's budget now."""
    most = state.limits.values[words]
    assert most is not None
    budget, at_ns = state.limits.budgets.get(words, (most, state.now_ns))
    window_ns = state.limits.windows[words] * SECOND_NS
    return min(most, budget + Fraction(state.now_ns - at_ns, window_ns) * most)


def note_let_in(state: ReferenceState, order: Order) -> None:
    for words in binding(state, order, "REPEATED_ORDERS"):
        entry = (state.now_ns, _likeness(order))
        state.limits.let_in.setdefault(words, []).append(entry)


def _likeness(order: Order) -> object:
    asked = order.asked
    return (
        order.account,
        order.strategy,
        order.symbol,
        order.side,
        asked.type,
        order.quantity,
        asked.limit_price,
        asked.stop_price,
        asked.trail_price,
        asked.trail_percent,
    )


def _stop(state: ReferenceState, order: Order) -> None:
    trading = state.trading
    key = f"account:{order.account}"
    if order.strategy:
        key = f"strategy:{order.account}:{order.strategy}"
    if rank(trading.states.get(key, "ACTIVE")) < rank("CANCEL_ONLY"):
        trading.states[key] = "CANCEL_ONLY"
        trading.versions[key] = trading.versions.get(key, 0) + 1
        tell_switch(state, "TradingRestricted", [HOUSE, order.account])
        state.marks.add("a repeated order stopped its sender")
