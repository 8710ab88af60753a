"""The engine's memory as plain values that compare equal exactly when nothing that matters differs.

What stands ahead of an order on the street is left out: the street is not stored, so a restart
cannot know it.
"""

from typing import Any

from orders.engine.state import Account, EngineState, Instrument, OrderState

Dump = dict[str, Any]  # Any: nested plain values


def dump(state: EngineState) -> Dump:
    """Accounts, open orders in time order, books in priority order, instruments, counters."""
    instruments = {item.id: item for item in state.instruments.values()}
    return {
        "accounts": {item.id: _account(item) for item in state.accounts.values()},
        "orders": [_order(order) for order in state.orders.values()],
        "instruments": {number: _instrument(item) for number, item in instruments.items()},
        "street": state.street_id,
        "house": state.house_id,
        "counters": (state.order_sequence, state.execution_number, state.transfer_number),
    }


def _account(account: Account) -> Dump:
    balance = account.balance
    return {
        "public_id": account.public_id,
        "kind": account.kind,
        "currency": account.currency,
        "balance": (balance.total, balance.locked, balance.is_overdraft_allowed),
        "positions": {
            number: (position.quantity, position.locked, position.cost, position.realized)
            for number, position in account.positions.items()
            if any((position.quantity, position.locked, position.cost, position.realized))
        },
        "open_orders": [str(order_id) for order_id in account.open_orders],
        "sequence": account.sequence,
    }


def _order(order: OrderState) -> Dump:
    fields = {name: getattr(order, name) for name in OrderState.__slots__}
    fields["account"] = order.account.id
    fields["instrument"] = order.instrument.id
    return fields


def _instrument(instrument: Instrument) -> Dump:
    fields = {name: getattr(instrument, name) for name in Instrument.__slots__ if name != "book"}
    fields["book"] = [
        (str(order.order_id), order.account_id, order.side.value, order.price, order.leaves)
        for order in instrument.book.resting()
    ]
    return fields
