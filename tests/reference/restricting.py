"""What the slow engine does about trading states: refuses, switches, lets accounts join desks.

The rules themselves are in tests/reference/trading.py.
"""

from collections.abc import Callable, Sequence

from risk.domain.commands import JoinDesk, SwitchTrading
from tests.reference.state import HOUSE, Order, ReferenceState, Refused
from tests.reference.trading import word_for

Restriction = SwitchTrading | JoinDesk


def check_restriction(state: ReferenceState, order: Order) -> None:
    """W1 and W4 for a new order."""
    refusal = state.trading.refusal(order, closable(state, order), order.quantity)
    if refusal is not None:
        raise Refused(refusal)


def restrict(
    state: ReferenceState, command: Restriction, end: Callable[[Order, str], object]
) -> object:
    """What the command must be answered; `end` ends an order with a reason."""
    if isinstance(command, SwitchTrading):
        return _switch(state, command, end)
    open_orders = state.open_orders(command.account_id)
    refusal = state.trading.join(
        command.account_id,
        command.desk_id,
        has_open_orders=bool(open_orders),
        has_positions=any(
            state.holding(command.account_id, terms.symbol).lots for terms in state.terms
        ),
    )
    if refusal is not None:
        raise Refused(refusal)
    return "DONE"


def closable(state: ReferenceState, order: Order) -> int:
    """W4: the position on the other side, less what other open orders there may close."""
    lots = state.holding(order.account, order.symbol).lots
    others = [
        state.claim(other)
        for other in state.open_orders(order.account)
        if other is not order and (other.symbol, other.side) == (order.symbol, order.side)
        if order.group is None or other.group != order.group  # N4
    ]
    return max(max(lots if order.side == "SELL" else -lots, 0) - sum(others), 0)


def _lessens(state: ReferenceState, order: Order) -> bool:
    """W4 of an open order: all that may be taken of the position on its side is there."""
    lots = state.holding(order.account, order.symbol).lots
    taken = [
        state.claim(other)
        for other in state.open_orders(order.account)
        if (other.symbol, other.side) == (order.symbol, order.side)
    ]
    return sum(taken) <= max(lots if order.side == "SELL" else -lots, 0)


def ending_of(state: ReferenceState, key: str) -> list[Order]:
    """The open orders that the scope's state ends."""
    orders = [order for order in state.orders if order.is_open]
    return state.trading.canceled(key, orders, lambda order: _lessens(state, order))


def tell_switch(state: ReferenceState, word: str, accounts: Sequence[object]) -> None:
    """W7."""
    for account in accounts:
        state.told.append((word, account, state.cash[account], state.locked_cash(account)))


def _switch(
    state: ReferenceState, command: SwitchTrading, end: Callable[[Order, str], object]
) -> object:
    key, wanted, consent = command.scope.key, command.state.value, command.consent
    trading = state.trading
    before = trading.states.get(key, "ACTIVE")
    named = (consent.asked_by_id, consent.version) if consent else None
    refusal = trading.switch(key, wanted, command.actor_id, named)
    if refusal is not None:
        raise Refused(refusal)
    version = trading.versions.get(key, 0)
    if wanted == before:
        return ("SWITCHED", wanted, version, 0)

    def is_in(account: int, symbol: str) -> bool:
        held = state.holding(account, symbol).lots != 0
        return held or any(order.symbol == symbol for order in state.open_orders(account))

    tell_switch(state, word_for(before, wanted), [HOUSE, *trading.concerned(key, is_in)])
    ending = ending_of(state, key)
    for order in ending:
        end(order, "KILL_SWITCH" if wanted == "HALTED" else "REDUCE_ONLY")
    return ("SWITCHED", wanted, version, len(ending))
