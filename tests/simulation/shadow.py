"""The tables as a database would hold them after each batch, kept in dicts.

What the writer is given must lead to the engine's memory, or a restart would forget something.
"""

from uuid import UUID

from orders.engine.changes import Changes
from orders.engine.state import EngineState, OrderState
from orders.engine.writer import _balance_row, _hold_rows, _position_row
from portfolio.domain.rows import BalanceRow, HoldRow, PositionRow


class ShadowTables:
    """Balances, positions, holds and orders, upserted batch by batch."""

    def __init__(self) -> None:
        self.balances: dict[int, BalanceRow] = {}
        self.positions: dict[tuple[int, int], PositionRow] = {}
        self.holds: dict[UUID, HoldRow] = {}
        self.orders: dict[UUID, tuple[object, ...]] = {}
        self.sequences: dict[int, int] = {}
        self.transfers = self.executions = 0

    def commit(self, changes: Changes) -> None:
        """Take one batch in, as the writer's statements would."""
        for account in changes.balances.values():
            self.balances[account.id] = _balance_row(account)
        for pair in changes.positions.values():
            row = _position_row(*pair)
            self.positions[row.account_id, row.instrument_id] = row
        for hold in _hold_rows(changes):
            self.holds[hold.order_id] = hold
        for order in changes.new_orders.values():
            assert order.id not in self.orders
            self.orders[order.id] = stored(order)
        for order in changes.changed_orders.values():
            assert order.id in self.orders
            self.orders[order.id] = stored(order)
        for account_id, event in changes.events:
            assert event.account_sequence == self.sequences.get(account_id, 0) + 1
            self.sequences[account_id] = event.account_sequence
        for transfer in changes.transfers:
            self.transfers += 1
            assert transfer.id == self.transfers
        for execution in changes.executions:
            self.executions += 1
            assert execution.id == self.executions

    def check(self, state: EngineState) -> None:
        """The tables say what the memory says."""
        for account in state.accounts.values():
            row = self.balances.get(account.id)
            balance = account.balance
            assert (
                (row.total_units, row.locked_units) == (balance.total, balance.locked)
                if row
                else (balance.total == balance.locked == 0)
            )
            assert self.sequences.get(account.id, 0) == account.sequence
            self._check_positions(state, account.id)
        open_rows = {key: row for key, row in self.orders.items() if row[-1] is None}
        assert open_rows == {order.id: stored(order) for order in state.orders.values()}
        assert {key for key, row in self.holds.items() if row.state == "PENDING"} == {*state.orders}
        assert state.transfer_number == self.transfers
        assert state.execution_number == self.executions

    def _check_positions(self, state: EngineState, account_id: int) -> None:
        lots = {item.id: item.lot_units for item in state.instruments.values()}
        for number, position in state.accounts[account_id].positions.items():
            row = self.positions.get((account_id, number))
            found = (
                (row.quantity_units, row.locked_units, row.cost_units, row.realized_units)
                if row
                else (0, 0, 0, 0)
            )
            lot = lots[number]
            assert found == (
                position.quantity * lot,
                position.locked * lot,
                position.cost,
                position.realized,
            )


def stored(order: OrderState) -> tuple[object, ...]:
    return (
        order.sequence,
        order.filled,
        order.filled_notional,
        order.status,
        order.reason,
        order.closed_ns,
    )
