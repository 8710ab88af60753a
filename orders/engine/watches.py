"""Whom the engine watches: API keys and sockets whose orders end when they fall silent
(docs/requests.md D1, N1).
"""

from typing import NamedTuple
from uuid import UUID


class DeadMan(NamedTuple):
    """An API key that asked to be watched: its orders of the account end at `fires_ns`."""

    key_id: str
    account_id: int
    fires_ns: int | None


class OrderSession(NamedTuple):
    """A socket whose orders end with it (docs/requests.md N1)."""

    id: UUID
    account_id: int
    opened_ns: int
    ended_ns: int | None = None
