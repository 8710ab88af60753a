"""Writes the orders app's part of a batch: new orders, changed orders, executions, halts.

One write a table; orders/engine/writer.py makes them and those of the other apps one statement.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from core.batch_sql import EPOCH_SQL, Write, ints, micros, texts, uuids
from orders.engine.changes import ExecutionRow
from orders.engine.state import Instrument, OrderState

_NEW_ORDERS = f"""
INSERT INTO orders_order (id, sequence, account_id, instrument_id, client_order_id, side, type,
  time_in_force, quantity, limit_price, filled_quantity, filled_notional, status, reason,
  submitted_by_id, request_id, submitted_at, updated_at, closed_at, expires_at)
SELECT id, sequence, account, instrument, client_order_id, side, type, tif, quantity * 0.00000001,
  price * 0.00000001, filled * 0.00000001, notional * 0.00000001, status, reason, submitted_by,
  request_id, {EPOCH_SQL.format("submitted")}, {EPOCH_SQL.format("updated")},
  {EPOCH_SQL.format("closed")}, {EPOCH_SQL.format("expires")}
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[],
  %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::text[],
  %s::text[], %s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
  AS item (id, sequence, account, instrument, client_order_id, side, type, tif, quantity, price,
    filled, notional, status, reason, submitted_by, request_id, submitted, updated, closed, expires)
"""  # noqa: S608  # the only thing formatted in is a constant of ours

_CHANGED_ORDERS = f"""
UPDATE orders_order SET filled_quantity = item.filled * 0.00000001,
  filled_notional = item.notional * 0.00000001, status = item.status, reason = item.reason,
  updated_at = {EPOCH_SQL.format("item.updated")}, closed_at = {EPOCH_SQL.format("item.closed")}
FROM unnest(%s::uuid[], %s::bigint[], %s::numeric[], %s::text[], %s::text[], %s::bigint[],
  %s::bigint[]) AS item (id, filled, notional, status, reason, updated, closed)
WHERE orders_order.id = item.id
"""  # noqa: S608  # the only thing formatted in is a constant of ours

_EXECUTIONS = f"""
INSERT INTO orders_execution (id, trade_id, order_id, account_id, instrument_id, side, price,
  quantity, liquidity, occurred_at)
SELECT id, trade, order_id, account, instrument, side, price * 0.00000001, quantity * 0.00000001,
  liquidity, {EPOCH_SQL.format("occurred")}
FROM unnest(%s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[], %s::text[],
  %s::bigint[], %s::bigint[], %s::text[], %s::bigint[])
  AS item (id, trade, order_id, account, instrument, side, price, quantity, liquidity, occurred)
"""  # noqa: S608  # the only thing formatted in is a constant of ours

_KNOWN_CLIENT_IDS = """
SELECT asked.position, o.id
FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS asked (account, client_id, position)
JOIN orders_order o ON o.account_id = asked.account AND o.client_order_id = asked.client_id
"""

_INSTRUMENTS = """
UPDATE marketdata_instrument SET status = item.status
FROM unnest(%s::bigint[], %s::text[]) AS item (id, status)
WHERE marketdata_instrument.id = item.id
"""


async def known_client_ids(
    cursor: AsyncCursor[TupleRow], asked: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], UUID]:
    """The order ids behind those (account, client order id) pairs that exist."""
    await cursor.execute(
        _KNOWN_CLIENT_IDS,
        (ints(account for account, _ in asked), texts(client_id for _, client_id in asked)),
        prepare=True,
    )
    known: dict[tuple[int, str], UUID] = {}
    for row in await cursor.fetchall():
        position, order_id = row
        known[asked[position - 1]] = order_id
    return known


def new_orders(orders: Collection[OrderState]) -> Write:
    """Orders accepted in this batch, in the state in which the batch left them."""
    return Write(
        _NEW_ORDERS,
        (
            uuids(order.id for order in orders),
            ints(order.sequence for order in orders),
            ints(order.account.id for order in orders),
            ints(order.instrument.id for order in orders),
            texts(order.client_order_id for order in orders),
            texts(order.side.value for order in orders),
            texts(order.type.value for order in orders),
            texts(order.time_in_force.value for order in orders),
            ints(order.quantity * order.instrument.lot_units for order in orders),
            ints(_price_units(order) for order in orders),
            ints(order.filled * order.instrument.lot_units for order in orders),
            ints(order.filled_notional for order in orders),
            texts(order.status.value for order in orders),
            texts(_reason(order) for order in orders),
            ints(order.submitted_by_id for order in orders),
            texts(order.request_id for order in orders),
            micros(order.submitted_ns for order in orders),
            micros(order.updated_ns for order in orders),
            micros(order.closed_ns for order in orders),
            micros(order.expires_ns for order in orders),
        ),
    )


def changed_orders(orders: Collection[OrderState]) -> Write:
    """Orders of earlier batches that this one filled, canceled or expired."""
    return Write(
        _CHANGED_ORDERS,
        (
            uuids(order.id for order in orders),
            ints(order.filled * order.instrument.lot_units for order in orders),
            ints(order.filled_notional for order in orders),
            texts(order.status.value for order in orders),
            texts(_reason(order) for order in orders),
            micros(order.updated_ns for order in orders),
            micros(order.closed_ns for order in orders),
        ),
    )


def executions(rows: Sequence[ExecutionRow]) -> Write:
    """The batch's executions."""
    return Write(
        _EXECUTIONS,
        (
            ints(row.id for row in rows),
            ints(row.trade_id for row in rows),
            uuids(row.order_id for row in rows),
            ints(row.account_id for row in rows),
            ints(row.instrument_id for row in rows),
            texts(row.side for row in rows),
            ints(row.price_units for row in rows),
            ints(row.quantity_units for row in rows),
            texts(row.liquidity for row in rows),
            micros(row.occurred_ns for row in rows),
        ),
    )


def instrument_states(instruments: Collection[Instrument]) -> Write:
    """Which instruments are open or halted."""
    return Write(
        _INSTRUMENTS,
        (
            ints(instrument.id for instrument in instruments),
            texts("OPEN" if instrument.is_open else "HALTED" for instrument in instruments),
        ),
    )


def _price_units(order: OrderState) -> int | None:
    return None if order.limit_price is None else order.limit_price * order.instrument.tick_units


def _reason(order: OrderState) -> str:
    return order.reason.value if order.reason else ""
