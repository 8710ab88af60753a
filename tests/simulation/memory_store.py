"""A database in memory for engines that are made to crash: it takes a whole batch or nothing.

It keeps what the writer's statement would leave (tests/simulation/shadow.py, compared with the
engine's memory at each commit) and gives an engine that starts the rows as the real loading does:
through the journal's own encoding, so that nothing of the memory that wrote them is in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from orders.engine.changes import Changes
from orders.engine.electing import MAX_ELECTIONS
from orders.engine.journal import RULES_VERSION, Start, read_start, start_content
from orders.engine.state import EngineState
from orders.engine.stored import StoredState, StoredTrade, stored_from
from tests.simulation.shadow import ShadowTables


@dataclass(frozen=True)
class MemoryStore:
    """What is committed. A commit makes a new one."""

    content: bytes
    tables: ShadowTables = field(default_factory=ShadowTables)
    last_trades: dict[int, StoredTrade] = field(default_factory=dict)
    client_ids: dict[tuple[int, str], UUID] = field(default_factory=dict)
    payloads: tuple[str, ...] = ()
    batch: int = 0

    @classmethod
    def of(cls, state: EngineState) -> "MemoryStore":
        """A store in which nothing has happened yet."""
        return cls(_content(stored_from(state, [])))

    @property
    def rows(self) -> StoredState:
        return read_start(self.content).state

    def with_batch(
        self, changes: Changes, payloads: Sequence[str], state: EngineState
    ) -> "MemoryStore":
        """The store after the batch; its tables say what the memory of the engine says."""
        tables, last_trades = self.tables.copied(), dict(self.last_trades)
        tables.commit(changes)
        tables.check(state)
        for row in changes.executions:
            last_trades[row.instrument_id] = StoredTrade(
                row.instrument_id, row.price_units, row.occurred_ns
            )
        new = {
            (order.account.id, order.client_order_id): order.id
            for order in changes.new_orders.values()
        }
        return MemoryStore(
            _content(stored_from(state, [*last_trades.values()])),
            tables,
            last_trades,
            self.client_ids | new,
            (*self.payloads, *payloads),
            self.batch + 1,
        )


def _content(rows: StoredState) -> bytes:
    start = Start(rules_version=RULES_VERSION, max_elections=MAX_ELECTIONS, state=rows)
    return start_content(start)
