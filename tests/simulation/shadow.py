"""The tables as a database would hold them after each batch, kept in dicts.

What the writer is given must lead to the engine's memory, or a restart would forget something.
"""

from operator import attrgetter
from uuid import UUID

from marketdata.domain.market_plans import OPEN_STATUSES, MarketPlan
from orders.engine.changes import Changes, PeakKey
from orders.engine.state import EngineState, OrderState
from orders.engine.stored import _peaks
from orders.engine.watches import DeadMan, OrderSession
from orders.engine.writer import (
    _balance_row,
    _fee_tier_row,
    _hold_rows,
    _position_row,
    _terms_row,
)
from portfolio.domain.rows import AccountTermsRow, BalanceRow, FeeTierRow, HoldRow, PositionRow
from risk.domain.limit_tree import Limit, LimitKey
from risk.domain.losses import Watermark
from risk.domain.scopes import Scope
from risk.domain.states import ScopeState


class ShadowTables:
    """Balances, positions, holds and orders, upserted batch by batch."""

    def __init__(self) -> None:
        self.balances: dict[int, BalanceRow] = {}
        self.positions: dict[tuple[int, int], PositionRow] = {}
        self.pending_holds: dict[UUID, HoldRow] = {}
        self.open_orders: dict[UUID, tuple[object, ...]] = {}
        self.ended_orders: set[UUID] = set()
        self.fee_tiers: dict[str, FeeTierRow] = {}
        self.terms: dict[int, AccountTermsRow] = {}
        self.sequences: dict[int, int] = {}
        self.trading_states: dict[Scope, ScopeState] = {}
        self.limits: dict[LimitKey, Limit] = {}
        self.watermarks: dict[int, Watermark] = {}
        self.dead_men: dict[str, DeadMan] = {}
        self.order_sessions: dict[UUID, OrderSession] = {}
        self.trail_peaks: dict[PeakKey, int | None] = {}
        self.market_plans: dict[int, MarketPlan] = {}
        self.transfers = self.executions = 0

    def copied(self) -> "ShadowTables":
        """The same tables; rows are never changed, only put in another's place."""
        copy = ShadowTables()
        for name, held in vars(self).items():
            setattr(copy, name, held if isinstance(held, int) else held.copy())
        return copy

    def commit(self, changes: Changes) -> None:
        """Take one batch in, as the writer's statements would."""
        for account in changes.balances.values():
            self.balances[account.id] = _balance_row(account)
        for pair in changes.positions.values():
            row = _position_row(*pair)
            self.positions[row.account_id, row.instrument_id] = row
        self._commit_orders(changes)
        self._commit_terms(changes)
        self.trading_states.update(
            (row.scope, row.state) for row in changes.trading_states.values()
        )
        self.watermarks.update((row.account_id, row.mark) for row in changes.watermarks.values())
        self.limits.update((row.key, row.limit) for row in changes.limits.values())
        for account_id, event in changes.events:
            assert event.account_sequence == self.sequences.get(account_id, 0) + 1
            self.sequences[account_id] = event.account_sequence
        self.dead_men.update(changes.dead_men)
        self.order_sessions.update(changes.order_sessions)
        self.trail_peaks.update(changes.trail_peaks)
        self.market_plans.update(changes.market_plans)
        for transfer in changes.transfers:
            self.transfers += 1
            assert transfer.id == self.transfers
        for execution in changes.executions:
            self.executions += 1
            assert execution.id == self.executions

    def _commit_orders(self, changes: Changes) -> None:
        for hold in _hold_rows(changes):
            self.pending_holds.pop(hold.order_id, None)
            if hold.state == "PENDING":
                self.pending_holds[hold.order_id] = hold
        for order in changes.new_orders.values():
            assert order.id not in self.ended_orders and order.id not in self.open_orders
        for order in changes.changed_orders.values():
            assert order.id in self.open_orders
        for order in (*changes.new_orders.values(), *changes.changed_orders.values()):
            self.open_orders[order.id] = stored(order)
            if order.closed_ns is not None:
                del self.open_orders[order.id]
                self.ended_orders.add(order.id)

    def _commit_terms(self, changes: Changes) -> None:
        for tier in changes.fee_tiers.values():
            self.fee_tiers[tier.code] = _fee_tier_row(tier)
        for account in changes.account_terms.values():
            self.terms[account.id] = _terms_row(account)

    def check(self, state: EngineState) -> None:
        """The tables say what the memory says."""
        for account in state.accounts.values():
            row = self.balances.get(account.id)
            balance = account.balance
            assert (
                (row.total_units, row.locked_units, row.fees_units)
                == (balance.total, balance.locked, balance.fees)
                if row
                else (balance.total == balance.locked == balance.fees == 0)
            )
            assert self.sequences.get(account.id, 0) == account.sequence
            self._check_positions(state, account.id)
            terms = self.terms.get(account.id) or _unset(account.id)
            assert terms == _terms_row(account)
        assert self.fee_tiers == {
            code: _fee_tier_row(tier) for code, tier in state.fee_tiers.items()
        }
        self._check_orders(state)
        assert state.trading.by_scope == self.trading_states
        assert state.limits.by_key == self.limits
        assert state.limits.watermarks == self.watermarks
        armed = {key: row for key, row in self.dead_men.items() if row.fires_ns is not None}
        assert armed == state.dead_men
        living = {key: row for key, row in self.order_sessions.items() if row.ended_ns is None}
        assert living == state.order_sessions
        assert {key: price for key, price in self.trail_peaks.items() if price is not None} == {
            (item.id, side, peak.after): peak.price * item.tick_units
            for item in state.instruments.values()
            for side, peak in _peaks(item)
        }
        plans = {key: row for key, row in self.market_plans.items() if row.status in OPEN_STATUSES}
        assert plans == state.market_plans
        assert state.transfer_number == self.transfers
        assert state.execution_number == self.executions

    def _check_orders(self, state: EngineState) -> None:
        assert self.open_orders == {order.id: stored(order) for order in state.orders.values()}
        holding = [order for order in state.orders.values() if order.hold or order.leg is None]
        assert self.pending_holds.keys() == {order.id for order in holding}
        for order in holding:
            scale = 1 if order.is_opening else order.instrument.lot_units
            row = self.pending_holds[order.id]
            assert (row.amount_units, row.remaining_units) == (
                order.hold_placed * scale,
                order.hold * scale,
            )

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


def _unset(account_id: int) -> AccountTermsRow:
    return AccountTermsRow(account_id, None, None, "REJECT", False, False, 1, False)


COLUMNS = attrgetter(
    "sequence",
    "rank",
    "quantity",
    "prevented",
    "stp_mode",
    "post_only",
    "reduce_only",
    "replaces",
    "request_id",
    "replaced_by",
    "fee_rate",
    "is_opening",
    "forced",
    "margin_percent",
    "hold_price",
    "hwm",
    "displayed",
    "stop_price",
    "limit_price",
    "group_id",
    "leg",
    "order_class",
    "filled",
    "filled_notional",
    "status",
    "reason",
)


def stored(order: OrderState) -> tuple[object, ...]:
    """An open order's row."""
    return tuple(COLUMNS(order))
