"""Reads the journal's rows: where a replay begins and ends, and every row in between, in order.

A row that is missing is noticed here: batches are numbered without gaps.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

from core.domain.clock import to_ns
from orders.engine.journal import RULES_VERSION, JournalError, read_rules_version
from orders.engine.loading import Connection

ROWS_AT_ONCE = 200

_STARTS = "SELECT batch, content FROM orders_journal WHERE kind = 'START' ORDER BY batch"
_ROWS = """
SELECT batch, committed_at, kind, content FROM orders_journal
WHERE batch >= %s AND batch <= %s ORDER BY batch
"""
_ENDS = """
SELECT (SELECT min(batch) FROM orders_journal),
  (SELECT max(batch) FROM orders_journal),
  (SELECT max(batch) FROM orders_enginelease)
"""
_FIRST_AT = "SELECT min(batch) FROM orders_journal WHERE committed_at >= %s"
_LAST_AT = "SELECT max(batch) FROM orders_journal WHERE committed_at <= %s"

Moment = int | datetime
"""A batch's number, or a time."""


class JournalRow(NamedTuple):
    batch: int
    committed_ns: int
    is_start: bool
    content: bytes


class Span(NamedTuple):
    """What is replayed (`first` to `last`) and from where it is told (`told_from`). `is_to_end`:
    the stored state is the state after `last`.
    """

    first: int
    told_from: int
    last: int
    is_to_end: bool


async def find_span(connection: Connection, from_: Moment | None, to: Moment | None) -> Span | None:
    """None when the journal is empty; JournalError when it was cut off at an end."""
    lowest, highest, committed = await _one(connection, _ENDS)
    if lowest is None or highest is None:
        return None
    if highest != committed:
        raise JournalError(f"the newest row is of batch {highest}, the last commit was {committed}")
    last = await _resolved(connection, _LAST_AT, to, highest)
    told_from = await _resolved(connection, _FIRST_AT, from_, highest + 1)
    first = await _first_start(connection, lowest)
    return Span(first, told_from, min(last, highest), last >= highest)


async def _resolved(
    connection: Connection, statement: str, moment: Moment | None, default: int
) -> int:
    if moment is None:
        return default
    if isinstance(moment, int):
        return moment
    (batch,) = await _one(connection, statement, (moment,))
    return default if batch is None else int(batch)


async def _first_start(connection: Connection, lowest: int) -> int:
    """The first start from which on the present rules hold."""
    is_first = True
    async with connection.cursor(name="starts") as cursor:
        await cursor.execute(_STARTS)
        async for batch, content in cursor:
            if is_first and batch != lowest:
                break
            is_first = False
            if read_rules_version(content) == RULES_VERSION:
                return int(batch)
    if is_first:
        raise JournalError(f"the journal begins with batch {lowest}, which is no start")
    raise JournalError("no engine has started since the rules changed: start it, then replay")


async def rows_between(connection: Connection, span: Span) -> AsyncIterator[JournalRow]:
    """The span's rows; JournalError when one is missing."""
    expected = span.first
    async with connection.cursor(name="journal") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        await cursor.execute(_ROWS, (span.first, span.last))
        async for batch, committed_at, kind, content in cursor:
            if batch != expected:
                raise JournalError(f"the journal has no row of batch {expected}")
            expected += 1
            yield JournalRow(batch, to_ns(committed_at), kind == "START", content)


async def _one(
    connection: Connection, statement: str, values: tuple[Moment, ...] = ()
) -> tuple[int | None, ...]:
    cursor = await connection.execute(statement, values)
    row = await cursor.fetchone()
    assert row is not None
    return row
