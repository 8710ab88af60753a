"""Compares what the replayed batches wrote with what is stored of it, column by column.

From the columns of which the engine's own statements are made, so that nothing which is written can
be forgotten here. Only what no later batch may change is compared; the rest is compared once, when
the replay has come to the end.
"""

import copy
import json
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.batch_columns import WriteRows, stored_otherwise
from core.batch_sql import Write
from core.services import event_log
from core.services.event_log import EventRow
from orders.engine import store
from orders.engine.changes import Changes
from orders.engine.loading import Connection
from orders.engine.writer import hold_row
from portfolio.services import posting

ROWS_AT_ONCE: Final = 500
"""Rows that wait to be compared: one question to the database for many batches."""

_COURSE = {column.name for column in store.changed_orders.columns} - {"id"}


class _Table:
    """Rows of one table that wait to be compared."""

    def __init__(self, what: str, writes: WriteRows[Any], *key: str, but: Collection[str] = ()):
        self.what = what
        self.rows: list[Any] = []  # Any: each table its own rows
        self._key = key
        columns = [column for column in writes.columns if column.name not in but]
        self._read: Callable[[Collection[Any]], Write] = stored_otherwise(
            writes.table, key=key, columns=columns
        )

    async def compare(self, connection: Connection) -> list[str]:
        rows, self.rows = self.rows, []
        if not rows:
            return []
        cursor = await connection.execute(*self._read(rows))
        return [self._difference(*pair) for pair in await cursor.fetchall()]

    def _difference(self, is_text: str | None, should_text: str) -> str:
        should = _read_json(should_text)
        name = f"{self.what} {' / '.join(str(should[part]) for part in self._key)}"
        if is_text is None:
            return f"{name} is not stored; replayed: {should_text}"
        is_ = _read_json(is_text)
        return f"{name}: " + "; ".join(
            f"{column} is {is_[column]}, replayed {value}"
            for column, value in should.items()
            if _said(is_[column]) != _said(value)
        )


def _read_json(text: str) -> dict[str, Any]:  # Any: JSON
    row: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return row


def _said(value: Any) -> Any:  # Any: JSON
    """The value without the nulls in it, which say as much as what is left out."""
    if not isinstance(value, dict):
        return value
    return {name: _said(part) for name, part in value.items() if part is not None}


class Facts:
    """Takes in batch after batch, and says what is not stored as it was replayed."""

    def __init__(self) -> None:
        self.events = 0
        self.new_orders = 0
        self._events = _Table("event", event_log.events, "account_id", "account_sequence")
        self._orders = _Table("order", store.new_orders, "id", but=_COURSE)
        self._closed = _Table("order", store.changed_orders, "id")
        self._executions = _Table("execution", store.executions, "id")
        self._transfers = _Table("transfer", posting.transfers, "id")
        self._holds = _Table("hold of order", posting.holds, "order_id")
        self._tables = (
            self._events,
            self._orders,
            self._closed,
            self._executions,
            self._transfers,
            self._holds,
        )

    async def take(self, connection: Connection, changes: Changes, now_ns: int) -> list[str]:
        """One batch, and what is found once enough rows wait."""
        self.events += len(changes.events)
        self.new_orders += len(changes.new_orders)
        for account_id, event in changes.events:
            payload = msgspec.json.encode(event).decode()
            self._events.rows.append(
                EventRow(
                    event.event, event.version, account_id, event.account_sequence, payload, now_ns
                )
            )
        changed = (*changes.new_orders.values(), *changes.changed_orders.values())
        # Copies: later batches go on with the orders.
        self._orders.rows += [copy.copy(order) for order in changes.new_orders.values()]
        self._closed.rows += [copy.copy(order) for order in changed if order.closed_ns is not None]
        self._executions.rows += changes.executions
        self._transfers.rows += changes.transfers
        self._holds.rows += [
            hold_row(order)
            for order in changes.holds.values()
            if order.closed_ns is not None and order.id not in changes.new_orders
        ]
        if sum(len(table.rows) for table in self._tables) < ROWS_AT_ONCE:
            return []
        return await self.finish(connection)

    async def finish(self, connection: Connection) -> list[str]:
        """What is found in the rows that still wait."""
        return [found for table in self._tables for found in await table.compare(connection)]
