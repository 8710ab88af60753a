"""What every engine does first, a running one and one that serves a stopped portal: recover its
memory, and commit what it begins with as a START row of the journal.
"""

from orders.engine.core import Core
from orders.engine.electing import MAX_ELECTIONS
from orders.engine.journal import RULES_VERSION, Start, start_content
from orders.engine.loading import Connection
from orders.engine.rebuild import rebuild
from orders.engine.recovery import load_stored
from orders.engine.writer import BatchWriter


async def begin(
    connection: Connection, writer: BatchWriter, now_ns: int, max_elections: int = MAX_ELECTIONS
) -> Core:
    """A core on what the last commit left, under the writer's lease."""
    stored = await load_stored(connection)
    start = Start(rules_version=RULES_VERSION, max_elections=max_elections, state=stored)
    await writer.commit_start(start_content(start), now_ns)
    return Core(rebuild(stored), max_elections)
