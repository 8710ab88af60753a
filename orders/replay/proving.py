"""Replays the stored journal and proves, in one snapshot of the database, that it is what happened:
every fact of every batch, and in the end all that an engine starting now would know.

Stops at the first thing that is not so and names it. Safe on a running portal.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from orders.engine.disagreements import disagreements
from orders.engine.journal import JournalError, read_start
from orders.engine.loading import Connection
from orders.engine.recovery import load_stored
from orders.engine.replaying import Applied, Replay
from orders.engine.state import EngineState
from orders.replay.facts import Facts
from orders.replay.rows import JournalRow, Moment, Span, find_span, rows_between

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_PATIENCE = "SET LOCAL statement_timeout = 0"
_ORDERS_SINCE = "SELECT count(*) FROM orders_order WHERE sequence > %s"

Tell = Callable[[JournalRow, Applied, EngineState], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to tell of (`from_`, None: nothing) and where to stop (`to`, None: at the end)."""

    from_: Moment | None = None
    to: Moment | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far the replay came. `difference` names the first thing that is stored otherwise."""

    first: int
    batches: int
    commands: int
    events: int
    is_to_end: bool
    difference: str | None
    now_ns: int
    state: EngineState | None = field(repr=False)  # asyncio prints what a task returns


async def replay_in_snapshot(connection: Connection, request: Request, tell: Tell) -> Outcome:
    """replay_stored in a transaction of its own, in which the database stands still."""
    async with connection.transaction():
        await connection.execute(_SNAPSHOT)
        await connection.execute(_PATIENCE)
        return await replay_stored(connection, request, tell)


async def replay_stored(connection: Connection, request: Request, tell: Tell) -> Outcome:
    """Replay and compare until the end of the request, or the first difference; `tell` hears of
    each command from `request.from_` on.
    """
    work = _Work(connection, tell)
    difference: str | None = None
    try:
        span = await find_span(connection, request.from_, request.to)
        if span is not None:
            difference = await work.run(span)
    except JournalError as error:
        difference = str(error)
    return work.outcome(difference)


class _Work:
    def __init__(self, connection: Connection, tell: Tell) -> None:
        self._connection = connection
        self._tell = tell
        self._replay = Replay()
        self._facts = Facts()
        self._span = Span(0, 0, 0, is_to_end=True)
        self._order_sequence = 0
        self._batches = self._commands = self._now_ns = 0

    def outcome(self, difference: str | None) -> Outcome:
        return Outcome(
            first=self._span.first,
            batches=self._batches,
            commands=self._commands,
            events=self._facts.events,
            is_to_end=self._span.is_to_end,
            difference=difference,
            state=self._replay.state if self._batches else None,
            now_ns=self._now_ns,
        )

    async def run(self, span: Span) -> str | None:
        """The first difference."""
        self._span = span
        async for row in rows_between(self._connection, span):
            try:
                found = await (self._start(row) if row.is_start else self._batch(row))
            except JournalError as error:
                raise JournalError(f"batch {row.batch}: {error}") from error
            if found:
                return f"batch {row.batch} or before: {found[0]}"
        found = await self._facts.finish(self._connection)
        if not found and span.is_to_end:
            found = await self._compare_end()
        return found[0] if found else None

    async def _start(self, row: JournalRow) -> list[str]:
        start = read_start(row.content)
        if row.batch == self._span.first:
            self._order_sequence = start.state.order_sequence
        found = await self._facts.finish(self._connection)
        differing = self._replay.start(start)
        self._count(row)
        return found + [f"the engine started with other rows: {each}" for each in differing]

    async def _batch(self, row: JournalRow) -> list[str]:
        for applied in self._replay.batch(row.content):
            self._commands += 1
            if row.batch >= self._span.told_from:
                self._tell(row, applied, self._replay.state)
        self._count(row)
        return await self._facts.take(self._connection, self._replay.changes, row.committed_ns)

    def _count(self, row: JournalRow) -> None:
        self._batches += 1
        self._now_ns = row.committed_ns

    async def _compare_end(self) -> list[str]:
        """The whole state against the rows, and no order that the journal does not know."""
        stored = await load_stored(self._connection)
        found = disagreements(stored, self._replay.stored(stored.last_trades))
        cursor = await self._connection.execute(_ORDERS_SINCE, (self._order_sequence,))
        (count,) = await cursor.fetchone() or (0,)
        if count != self._facts.new_orders:
            found.append(f"{count} orders are stored, the journal has {self._facts.new_orders}")
        return found
