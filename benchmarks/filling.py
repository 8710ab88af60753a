"""Fills a portal's database with orders of the past: copies of a sample that the portal itself
made.

All rows that the sample's orders have brought about are copied, each time with numbers that go on
and times that lie further back: the proportions are those of the engine, whatever it writes. Money
and positions move along, so balances, ledger and events still agree; only the journal tells no more
than that there were so many commits.
"""

import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from benchmarks import history_sql
from benchmarks.portal import Portal
from benchmarks.processes import BenchmarkError

LANES: Sequence[Sequence[LiteralString]] = (
    ("core_event", "core_consumedevent"),
    ("orders_order", "orders_execution", "portfolio_transfer", "portfolio_hold", "orders_journal"),
)
"""What one connection fills: two of them, for two cores."""

NAME_LENGTH = 5
TOLD_SECONDS_MAX = 120
POLL_SECONDS = 0.2


class History:
    """The sample and its copies. While it is filled, the engine rests."""

    def __init__(self, portal: Portal, wanted: int) -> None:
        """`wanted`: how many orders there will be at last, which says how far back they reach."""
        self._portal = portal
        self._wanted = wanted
        self._marks: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._ends: dict[str, int] = {}
        self._milliseconds = 0
        self._made = 0
        self._in_all = 0

    def begin_sample(self) -> None:
        """From now on, whatever happens belongs to the sample: nothing open may be left to trade
        with it.
        """
        with self._portal.administer() as connection, connection.cursor() as cursor:
            ((is_anything_open,),) = cursor.execute(history_sql.IS_ANYTHING_OPEN).fetchall()
            if is_anything_open:
                raise BenchmarkError("a sample begins on a portal without open orders")
            for statement in history_sql.PREPARE:
                cursor.execute(statement)
            # What years would have brought to be vacuumed must not all come due while we measure.
            for table in history_sql.COPIED:
                name = sql.Identifier(table)
                cursor.execute(
                    sql.SQL("ALTER TABLE {} SET (autovacuum_enabled = off)").format(name)
                )
            self._marks = _counters(cursor)

    def end_sample(self) -> int:
        """Keep what has happened since: how many orders. None of them may be open."""
        with self._portal.administer() as connection, connection.cursor() as cursor:
            self._ends = _counters(cursor)
            self._sizes = {name: end - self._marks[name] for name, end in self._ends.items()}
            for table, copied in history_sql.COPIED.items():
                keep = sql.SQL("CREATE TABLE history.{} AS {}")
                cursor.execute(
                    keep.format(sql.Identifier(table), sql.SQL(copied.kept)), self._marks
                )
            for statement in history_sql.MONEY:
                cursor.execute(statement)
            cursor.execute(
                "SELECT count(*), count(*) FILTER (WHERE closed_at IS NULL),"
                " extract(epoch FROM max(closed_at) - min(submitted_at)) FROM history.orders_order"
            )
            ((orders, still_open, seconds),) = cursor.fetchall()
        if still_open or not orders:
            raise BenchmarkError(f"{still_open} of the sample's {orders} orders are open")
        self._milliseconds = math.ceil(seconds * 1000) + 1
        self._in_all = math.ceil(max(self._wanted - self.stored(), 0) / orders)
        return int(orders)

    def wait_until_told(self) -> None:
        """Return when listeners have heard of everything, so that the sample is complete."""
        deadline = time.monotonic() + TOLD_SECONDS_MAX
        with self._portal.administer() as connection:
            while not connection.execute(history_sql.IS_TOLD).fetchall()[0][0]:
                if time.monotonic() > deadline:
                    raise BenchmarkError("the worker does not keep up with the sample's events")
                time.sleep(POLL_SECONDS)

    def forget_untold(self) -> None:
        """Let the worker pass over what it has still to tell: it is no part of what comes next."""
        with self._portal.administer() as connection, connection.transaction():
            connection.execute(history_sql.RELAY_LOCK)
            connection.execute(history_sql.READ_ON)

    def settle(self) -> str:
        """Write everything to the disk and take statistics, as the server would in the course of
        time; returns how large the database is.
        """
        with self._portal.administer() as connection:
            connection.execute("ANALYZE")
            connection.execute("CHECKPOINT")
            size = connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
            return str(size.fetchall()[0][0])

    def stored(self) -> int:
        """How many orders are stored, open ones included."""
        with self._portal.administer() as connection:
            return int(connection.execute("SELECT count(*) FROM orders_order").fetchall()[0][0])

    def fill(self, wanted: int) -> int:
        """Copy the sample until `wanted` orders are stored; returns how many are.

        Afterwards the engine must start anew: its memory knows nothing of the copies.
        """
        copies = math.ceil(max(wanted - self.stored(), 0) / self._sizes["sequence"])
        self._in_all = max(self._in_all, self._made + copies)
        with self._portal.administer() as connection, connection.cursor() as cursor:
            now = _counters(cursor)
            for statement in history_sql.ACCOUNTS:
                cursor.execute(statement)
        since = {name: now[name] - end for name, end in self._ends.items()}
        with ThreadPoolExecutor(len(LANES)) as pool:
            for lane in [pool.submit(self._fill, tables, copies, since) for tables in LANES]:
                lane.result()
        self._made += copies
        with self._portal.administer() as connection, connection.cursor() as cursor:
            for statement in history_sql.MOVE_MONEY:
                cursor.execute(statement, {"copies": copies})
        return self.stored()

    def _fill(self, tables: Sequence[LiteralString], copies: int, since: dict[str, int]) -> None:
        with self._portal.administer() as connection, connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # no look at foreign keys
            cursor.execute("SET synchronous_commit = off")
            statements = [_copy_statement(cursor, table) for table in tables]
            for number in range(1, copies + 1):
                values = self._values(number, since)
                with connection.transaction():
                    if "core_event" in tables:
                        cursor.execute(history_sql.RELAY_LOCK)
                    for statement in statements:
                        cursor.execute(statement, values)
                    if "core_event" in tables:
                        cursor.execute(history_sql.READ_ON)

    def _values(self, number: int, since: dict[str, int]) -> dict[str, int | str]:
        """What a copy adds to the sample's numbers and times."""
        made = self._made + number
        return {
            **{name: since[name] + number * size for name, size in self._sizes.items()},
            "number": number,
            "name": f"{made:0{NAME_LENGTH}d}-",
            "milliseconds": -(self._in_all - made + 1) * self._milliseconds,
        }


def _counters(cursor: Cursor[TupleRow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, statement in history_sql.COUNTERS.items():
        ((value,),) = cursor.execute(statement).fetchall()
        found[name] = value or 0
    return found


def _copy_statement(cursor: Cursor[TupleRow], table: LiteralString) -> sql.Composed:
    columns = cursor.execute(history_sql.COLUMNS, [table]).fetchall()
    return history_sql.copy_statement(table, [(name, kind) for name, kind in columns])
