"""Which order-entry sessions are alive: what gateways announce each second, and since when one has
been silent. Memory of the server alone; that a session ends is a command, and in the journal.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

SECOND_NS: Final = 10**9
SILENT_AFTER_NS: Final = 5 * SECOND_NS
"""How long a session may go without being announced: its gateway announces it each second."""

START_GRACE_NS: Final = 15 * SECOND_NS
"""As long after a start of the engine: gateways must find it again first."""


class Liveness:
    """When each session must have been heard of again."""

    def __init__(self, known: Iterable[UUID], now_ns: int) -> None:
        self._until = dict.fromkeys(known, now_ns + START_GRACE_NS)

    def hear(self, session_ids: Iterable[UUID], now_ns: int) -> None:
        """These are alive. Nobody remembers one that is not open."""
        for session_id in session_ids:
            if session_id in self._until:
                self._until[session_id] = max(self._until[session_id], now_ns + SILENT_AFTER_NS)

    def silent(self, open_sessions: Iterable[UUID], now_ns: int) -> list[UUID]:
        """Those of the open sessions that were silent too long; each once."""
        until = {
            session_id: self._until.get(session_id, now_ns + SILENT_AFTER_NS)
            for session_id in open_sessions
        }
        gone = [session_id for session_id, last_ns in until.items() if last_ns <= now_ns]
        self._until = until | dict.fromkeys(gone, now_ns + SILENT_AFTER_NS)
        return gone
