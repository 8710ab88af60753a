"""Runs the engine's statements, each prepared once: with one order in a batch, the general driver's
work around two statements was a quarter of what the order cost.

The connection stays psycopg's and so does libpq, its wrapper included; only the waiting and the
bookkeeping are ours. orders/engine/writer.py is the only caller.
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Final

from psycopg import AsyncConnection, Error, OperationalError, errors
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.rows import TupleRow

MAX_PREPARED: Final = 128
"""Statements that stay prepared; beyond it the one unused for longest is forgotten."""

LOOK_SECONDS: Final = 1.0
"""How often the socket is looked at without having called: of one that was reset while we wrote,
the event loop says nothing to its reader.
"""

_TEXT, _BINARY = 0, 1
_numbers = count(1)  # of all in the process: a connection may be given to one after another
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Statements:
    """One statement at a time on a connection that nobody uses meanwhile."""

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        self._pgconn = connection.pgconn
        self._names: dict[str, bytes] = {}  # by statement, the one used last at the end

    async def execute(self, sql: str, values: Sequence[str | bytes]) -> PGresult:
        """The result of `sql` with its `$1`, `$2`, ...: text travels as text, bytes as they are.

        Raises psycopg's errors. It commits by itself. When the caller is canceled the connection is
        of no use any more.
        """
        name = self._names.pop(sql, None)
        if name is None:
            name = await self._prepare(sql)
        self._names[sql] = name
        self._pgconn.send_query_prepared(
            name,
            [value.encode() if isinstance(value, str) else value for value in values],
            [_TEXT if isinstance(value, str) else _BINARY for value in values],
        )
        return await self._result()

    async def _prepare(self, sql: str) -> bytes:
        if len(self._names) >= MAX_PREPARED:
            oldest = self._names.pop(next(iter(self._names)))
            self._pgconn.send_query(b"DEALLOCATE " + oldest)
            await self._result()
        name = b"engine_%d" % next(_numbers)
        self._pgconn.send_prepare(name, sql.encode())
        await self._result()
        return name

    async def _result(self) -> PGresult:
        """Wait for the answer to what was sent; the last result when there are several."""
        result = await _Answer(self._pgconn).wait()
        if result is None:
            raise OperationalError("the database gave no answer")
        if result.status not in _DONE:
            raise errors.error_from_result(result)
        return result


class _Answer:
    """Watches the socket until everything is sent and the answer is complete."""

    def __init__(self, pgconn: PGconn) -> None:
        self._pgconn = pgconn
        self._loop = asyncio.get_running_loop()
        self._complete: asyncio.Future[PGresult | None] = self._loop.create_future()
        self._last: PGresult | None = None

    async def wait(self) -> PGresult | None:
        socket = self._pgconn.socket
        self._look = self._loop.call_later(LOOK_SECONDS, self._look_again)
        self._loop.add_reader(socket, self._read)
        try:
            if self._pgconn.flush():
                self._loop.add_writer(socket, self._write)
            return await self._complete
        finally:
            self._look.cancel()
            self._loop.remove_reader(socket)
            self._loop.remove_writer(socket)

    def _look_again(self) -> None:
        self._look = self._loop.call_later(LOOK_SECONDS, self._look_again)
        self._read()

    def _read(self) -> None:
        """Take what has come; libpq wants that also while there is something left to send."""
        if self._complete.done():
            return
        try:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    self._complete.set_result(self._last)
                    return
                self._last = result
        except Error as error:
            self._complete.set_exception(error)

    def _write(self) -> None:
        if self._complete.done():
            return
        try:
            if not self._pgconn.flush():
                self._loop.remove_writer(self._pgconn.socket)
        except Error as error:
            self._complete.set_exception(error)
