"""Writes the orders app's part of a batch: new orders, changed orders, executions, halts.

One write a table, one line a column; orders/engine/writer.py makes the writes and those of the
other apps one statement.
"""

from collections.abc import Sequence
from uuid import UUID

from core.batch_columns import (
    Column,
    Columns,
    WriteRows,
    bps,
    flag,
    insert,
    large_units,
    number,
    text,
    time,
    units,
    update,
    upsert,
    uuid,
)
from core.batch_sql import EPOCH_SQL, Write, ints, texts
from orders.domain.matching.trailing import UNITS_PER_PPM
from orders.engine.changes import ExecutionRow
from orders.engine.plain_orders import USUAL
from orders.engine.state import OrderState
from orders.engine.statements import Statements
from orders.engine.watches import DeadMan, OrderSession


def _price_units(ticks: int | None, order: OrderState) -> int | None:
    return None if ticks is None else ticks * order.instrument.tick_units


def _percent_units(ppm: int | None) -> int | None:
    return None if ppm is None else ppm * UNITS_PER_PPM


_ORDER_ID: Column[OrderState] = uuid("id", lambda rows: [order.id for order in rows])

_ORDER_TERMS: Columns[OrderState] = (
    number("sequence", lambda rows: [order.sequence for order in rows]),
    number("account_id", lambda rows: [order.account.id for order in rows]),
    number("instrument_id", lambda rows: [order.instrument.id for order in rows]),
    text("client_order_id", lambda rows: [order.client_order_id for order in rows]),
    text("side", lambda rows: [order.side for order in rows]),
    text("type", lambda rows: [order.type for order in rows]),
    text("time_in_force", lambda rows: [order.time_in_force for order in rows]),
    units("trail_price", lambda rows: [_price_units(order.trail_price, order) for order in rows]),
    units("trail_percent", lambda rows: [_percent_units(order.trail_ppm) for order in rows]),
    bps("fee_bps", lambda rows: [order.fee_rate for order in rows]),
    text("strategy", lambda rows: [order.strategy for order in rows]),
    flag("is_opening", lambda rows: [order.is_opening for order in rows]),
    number("margin_percent", lambda rows: [order.margin_percent for order in rows]),
    units("hold_price", lambda rows: [_price_units(order.hold_price, order) for order in rows]),
    number("submitted_by_id", lambda rows: [order.submitted_by_id for order in rows]),
    text("submitted_key", lambda rows: [order.key_id for order in rows]),
    text("request_id", lambda rows: [order.request_id for order in rows]),
    time("submitted_at", lambda rows: [order.submitted_ns for order in rows]),
    time("expires_at", lambda rows: [order.expires_ns for order in rows]),
    uuid("session_id", lambda rows: [order.session_id for order in rows]),
    units("notional", lambda rows: [order.notional for order in rows]),
    units(
        "display_quantity",
        lambda rows: [order.display * order.instrument.lot_units for order in rows],
    ),
    flag("post_only", lambda rows: [order.post_only for order in rows]),
    flag("reduce_only", lambda rows: [order.reduce_only for order in rows]),
    text("forced", lambda rows: [order.forced for order in rows]),
    text("stp_mode", lambda rows: [order.stp_mode for order in rows]),
    uuid("replaces", lambda rows: [order.replaces for order in rows]),
    uuid("group_id", lambda rows: [order.group_id for order in rows]),
    text("leg", lambda rows: [order.leg if order.leg else "" for order in rows]),
    text("order_class", lambda rows: [order.order_class for order in rows]),
)
"""What stays as it was when the order was accepted."""

_ORDER_COURSE: Columns[OrderState] = (
    text("status", lambda rows: [order.status for order in rows]),
    text("reason", lambda rows: [order.reason if order.reason else "" for order in rows]),
    units(
        "filled_quantity",
        lambda rows: [order.filled * order.instrument.lot_units for order in rows],
    ),
    large_units("filled_notional", lambda rows: [order.filled_notional for order in rows]),
    units("quantity", lambda rows: [order.quantity * order.instrument.lot_units for order in rows]),
    units(
        "prevented_quantity",
        lambda rows: [order.prevented * order.instrument.lot_units for order in rows],
    ),
    units("limit_price", lambda rows: [_price_units(order.limit_price, order) for order in rows]),
    units("stop_price", lambda rows: [_price_units(order.stop_price, order) for order in rows]),
    units("hwm", lambda rows: [_price_units(order.hwm, order) for order in rows]),
    units(
        "displayed_quantity",
        lambda rows: [order.displayed * order.instrument.lot_units for order in rows],
    ),
    number("rank", lambda rows: [order.rank for order in rows]),
    uuid("replaced_by", lambda rows: [order.replaced_by for order in rows]),
    time("updated_at", lambda rows: [order.updated_ns for order in rows]),
    time("closed_at", lambda rows: [order.closed_ns for order in rows]),
)
"""What later batches may change."""

new_orders: WriteRows[OrderState] = insert(
    "orders_order", (_ORDER_ID, *_ORDER_TERMS, *_ORDER_COURSE)
)
"""Orders accepted in this batch, in the state in which the batch left them."""

changed_orders: WriteRows[OrderState] = update(
    "orders_order", key=_ORDER_ID, changing=_ORDER_COURSE
)
"""Orders of earlier batches that this one elected, filled, amended or ended."""


def _constant(attribute: str, value: object) -> str:
    """What plain orders are stored with, as SQL."""
    if attribute == "leg":
        return "''"
    if value is None:
        return "NULL"
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


_COLUMNS_OF = {
    "trail_ppm": "trail_percent",
    "display": "display_quantity",
    "displayed": "displayed_quantity",
    "prevented": "prevented_quantity",
}
_CONSTANTS = {_COLUMNS_OF.get(name, name): _constant(name, value) for name, value in USUAL.items()}
"""By column. One more costs a batch as much as a part of an order, in the server and here: plain
orders are written without these.
"""


def _without_usual(columns: Columns[OrderState]) -> Columns[OrderState]:
    return [column for column in columns if column.name not in _CONSTANTS]


plain_orders: WriteRows[OrderState] = insert(
    "orders_order", _without_usual(new_orders.columns), _CONSTANTS
)
"""The same for orders that are plain."""

plain_changes: WriteRows[OrderState] = update(
    "orders_order", key=_ORDER_ID, changing=_without_usual(_ORDER_COURSE)
)
"""The same for orders that are plain, and so have been it all the time."""


executions: WriteRows[ExecutionRow] = insert(
    "orders_execution",
    (
        number("id", lambda rows: [row.id for row in rows]),
        number("trade_id", lambda rows: [row.trade_id for row in rows]),
        uuid("order_id", lambda rows: [row.order_id for row in rows]),
        number("account_id", lambda rows: [row.account_id for row in rows]),
        number("instrument_id", lambda rows: [row.instrument_id for row in rows]),
        text("side", lambda rows: [row.side for row in rows]),
        units("price", lambda rows: [row.price_units for row in rows]),
        units("quantity", lambda rows: [row.quantity_units for row in rows]),
        text("liquidity", lambda rows: [row.liquidity for row in rows]),
        units("fee", lambda rows: [row.fee_units for row in rows]),
        time("occurred_at", lambda rows: [row.occurred_ns for row in rows]),
    ),
)
"""The batch's executions."""

dead_men: WriteRows[DeadMan] = upsert(
    "orders_deadman",
    key=(text("key_id", lambda rows: [row.key_id for row in rows]),),
    changing=(
        number("account_id", lambda rows: [row.account_id for row in rows]),
        time("fires_at", lambda rows: [row.fires_ns for row in rows]),
    ),
)
"""Which keys are watched, and until when; nothing for one that is so no more."""

order_sessions: WriteRows[OrderSession] = upsert(
    "orders_ordersession",
    key=(uuid("id", lambda rows: [row.id for row in rows]),),
    changing=(
        number("account_id", lambda rows: [row.account_id for row in rows]),
        time("opened_at", lambda rows: [row.opened_ns for row in rows]),
        time("ended_at", lambda rows: [row.ended_ns for row in rows]),
    ),
)
"""Sessions that were opened or have ended."""
_JOURNAL = f"""
INSERT INTO orders_journal (batch, epoch, committed_at, kind, content)
VALUES (%s::bigint, %s::bigint, {EPOCH_SQL.format("%s::bigint")}, %s::text, %s::bytea)
"""  # noqa: S608  # the only thing formatted in is a constant of ours

# A look-up for each pair: a join may be planned as a scan of all the account's orders.
KNOWN_CLIENT_IDS = """
SELECT * FROM (
  SELECT asked.position, (
    SELECT id FROM orders_order
    WHERE account_id = asked.account AND client_order_id = asked.client_id
  ) AS id
  FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS asked (account, client_id, position)
) AS answer WHERE id IS NOT NULL
"""


def journal_row(*, batch: int, epoch: int, now_ns: int, kind: str, content: bytes) -> Write:
    """The journal's row of one commit."""
    return Write(_JOURNAL, (str(batch), str(epoch), str(now_ns // 1000), kind, content))


async def known_client_ids(
    statements: Statements, asked: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], UUID]:
    """The order ids behind those (account, client order id) pairs that exist."""
    result = await statements.execute(
        KNOWN_CLIENT_IDS,
        (ints([account for account, _ in asked]), texts([client_id for _, client_id in asked])),
    )
    known: dict[tuple[int, str], UUID] = {}
    for row in range(result.ntuples):
        position, order_id = result.get_value(row, 0), result.get_value(row, 1)
        assert position is not None and order_id is not None
        known[asked[int(position) - 1]] = UUID(order_id.decode())
    return known
