"""Counts what limits on open orders, positions and exposure are judged by: docs/risk.md M4 to M6.

Each event of an order counts it anew (orders/engine/lifecycle.py), while a limit needs it.
"""

from orders.domain.values import Side
from orders.engine.state import Account, EngineState, OrderState
from risk.domain.limit_tree import KINDS
from risk.domain.usage import Place, Usage, Working


def count_usage(state: EngineState, *, is_anew: bool = False) -> None:
    """Begin to count when a limit needs it, end when none does any more."""
    limits = state.limits
    is_needed = any(
        limit.value is not None and KINDS[key.kind].counts_usage
        for key, limit in limits.by_key.items()
    )
    if not is_needed:
        limits.usage = None
    elif limits.usage is None or is_anew:
        limits.usage = _counted(state)


def _counted(state: EngineState) -> Usage:
    usage = Usage()
    for account in state.accounts.values():
        if account.kind != "CASH":
            continue
        for instrument_id, position in account.positions.items():
            usage.hold(_place(account, None, instrument_id), position.quantity)
    for order in state.orders.values():
        note_order(usage, order)
    return usage


def note_order(usage: Usage, order: OrderState) -> None:
    """Count the order as it is now."""
    account, instrument_id = order.account, order.instrument.id
    position = account.positions.get(instrument_id)
    usage.note(
        Working(
            order.id,
            _place(account, order.strategy, instrument_id),
            order.side is Side.BUY,
            order.closed_ns is None,
            order.leaves,
        ),
        position.quantity if position else 0,
    )


def _place(account: Account, strategy: str | None, instrument_id: int) -> Place:
    return Place(account.desk_id, account.id, strategy, instrument_id)
