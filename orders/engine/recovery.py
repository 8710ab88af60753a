"""Rebuilds the engine's memory from the committed rows: the one recovery path, used at every start.

Reads accounts, balances, positions, instruments and open orders; closed orders are not needed. Open
orders rest again in their order of acceptance, so price-time priority survives. What stood ahead of
them on the street is not stored: it counts as all that the first quote shows (docs/matching.md Q5).
"""

from decimal import Decimal
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from core.domain.clock import to_ns
from core.domain.units import decimal_to_units
from orders.domain.values import OrderStatus, OrderType, Side, TimeInForce
from orders.engine.state import Account, EngineState, Instrument, OrderState
from portfolio.domain.balances import BalanceState
from portfolio.domain.positions import PositionState

_ACCOUNTS = """
SELECT account.id, account.public_id, account.kind, account.currency_id,
  coalesce(balance.total, 0), coalesce(balance.locked, 0),
  coalesce((SELECT max(account_sequence) FROM core_event WHERE account_id = account.id), 0)
FROM portfolio_tradingaccount account
LEFT JOIN portfolio_balance balance
  ON balance.account_id = account.id AND balance.currency_id = account.currency_id
ORDER BY account.id
"""
_INSTRUMENTS = """
SELECT id, public_id, symbol, asset_class, quote_currency_id, tick_size, lot_size, min_notional,
  status = 'OPEN'
FROM marketdata_instrument ORDER BY id
"""
_POSITIONS = """
SELECT account_id, instrument_id, quantity, locked, cost_basis, realized_pnl
FROM portfolio_position ORDER BY id
"""
_ORDERS = """
SELECT o.id, o.sequence, o.account_id, o.instrument_id, o.client_order_id, o.side, o.type,
  o.time_in_force, o.quantity, o.limit_price, o.filled_quantity, o.filled_notional, o.status,
  o.submitted_by_id, o.request_id, o.submitted_at, o.updated_at, o.expires_at,
  hold.amount, hold.remaining
FROM orders_order o LEFT JOIN portfolio_hold hold ON hold.order_id = o.id
WHERE o.closed_at IS NULL ORDER BY o.sequence
"""
_COUNTERS = """
SELECT (SELECT coalesce(max(sequence), 0) FROM orders_order),
  (SELECT coalesce(max(id), 0) FROM orders_execution),
  (SELECT coalesce(max(id), 0) FROM portfolio_transfer)
"""


async def load_state(connection: AsyncConnection[TupleRow]) -> EngineState:
    """The engine's state as the last commit left it."""
    state = EngineState()
    by_id: dict[int, Instrument] = {}
    async for row in connection.cursor().stream(_INSTRUMENTS):
        instrument = _instrument(row)
        by_id[instrument.id] = instrument
        state.add_instrument(instrument)
    async for row in connection.cursor().stream(_ACCOUNTS):
        account = _account(row)
        state.accounts[account.id] = account
        if account.kind == "STREET":
            state.street_id = account.id
        if account.kind == "HOUSE":
            state.house_id = account.id
    async for row in connection.cursor().stream(_POSITIONS):
        account_id, instrument_id, *_ = row
        state.accounts[account_id].positions[instrument_id] = _position(
            row, by_id[instrument_id].lot_units
        )
    async for row in connection.cursor().stream(_ORDERS):
        _restore(state, _order(row, state, by_id))
    cursor = await connection.execute(_COUNTERS)
    counters = await cursor.fetchone()
    assert counters is not None
    state.order_sequence, state.execution_number, state.transfer_number = counters
    return state


def _units(value: Decimal) -> int:
    units = decimal_to_units(value)
    assert units is not None
    return units


def _instrument(row: TupleRow) -> Instrument:
    number, public_id, symbol, asset_class, currency, tick, lot, min_notional, is_open = row
    return Instrument(
        id=number,
        public_id=str(public_id),
        symbol=symbol,
        asset_class=asset_class,
        currency=currency,
        tick_units=_units(tick),
        lot_units=_units(lot),
        min_notional_units=_units(min_notional),
        is_open=is_open,
    )


def _account(row: TupleRow) -> Account:
    number, public_id, kind, currency, total, locked, sequence = row
    balance = BalanceState(_units(total), _units(locked), is_overdraft_allowed=kind != "CASH")
    return Account(number, str(public_id), kind, currency, balance, sequence=sequence)


def _position(row: TupleRow, lot_units: int) -> PositionState:
    _, _, quantity, locked, cost, realized = row
    return PositionState(
        quantity=_units(quantity) // lot_units,
        locked=_units(locked) // lot_units,
        cost=_units(cost),
        realized=_units(realized),
    )


def _order(
    row: TupleRow,
    state: EngineState,
    instruments: dict[int, Instrument],
) -> OrderState:
    order_id, sequence, account_id, instrument_id, client_order_id, side, kind, tif = row[:8]
    quantity, price, filled, notional, status, submitted_by, request_id = row[8:15]
    submitted_at, updated_at, expires_at, hold_placed, hold = row[15:]
    instrument = instruments[instrument_id]
    lot = instrument.lot_units
    hold_scale = 1 if side == Side.BUY else lot
    assert isinstance(order_id, UUID)
    assert hold is not None, f"open order {order_id} has no hold"
    return OrderState(
        id=order_id,
        sequence=sequence,
        account=state.accounts[account_id],
        instrument=instrument,
        client_order_id=client_order_id,
        side=Side(side),
        type=OrderType(kind),
        time_in_force=TimeInForce(tif),
        quantity=_units(quantity) // lot,
        limit_price=_units(price) // instrument.tick_units,
        submitted_by_id=submitted_by,
        request_id=request_id,
        submitted_ns=to_ns(submitted_at),
        expires_ns=to_ns(expires_at) if expires_at else None,
        status=OrderStatus(status),
        filled=_units(filled) // lot,
        filled_notional=_units(notional),
        hold=_units(hold) // hold_scale,
        hold_placed=_units(hold_placed) // hold_scale,
        updated_ns=to_ns(updated_at),
    )


def _restore(state: EngineState, order: OrderState) -> None:
    assert order.limit_price is not None
    state.add_order(order)
    order.instrument.book.restore(
        order.id, order.account.id, order.side, order.limit_price, order.leaves
    )
