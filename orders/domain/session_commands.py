"""What tells the engine of order-entry sessions: sockets whose orders shall not outlive them
(docs/requests.md N1 to N5).
"""

from typing import Annotated
from uuid import UUID

import msgspec

from orders.domain.command_parts import Command, Key, RequestId, check_texts

MAX_ANNOUNCED = 1_000
"""Sessions in one announcement; a gateway with more sends several."""


class OpenSession(Command, frozen=True, array_like=True, tag_field="command", tag="open_session"):
    """From now on the account's orders that name this session end with it."""

    session_id: UUID
    account_id: Key
    request_id: RequestId

    def __post_init__(self) -> None:
        check_texts(self.request_id)


class EndSession(Command, frozen=True, array_like=True, tag_field="command", tag="end_session"):
    """The session's socket is gone: cancel its open orders, and take no more of it."""

    session_id: UUID
    request_id: RequestId

    def __post_init__(self) -> None:
        check_texts(self.request_id)


class AnnounceSessions(
    Command, frozen=True, array_like=True, tag_field="command", tag="announce_sessions"
):
    """These sessions' sockets are alive. Heard by the server alone: it changes nothing."""

    session_ids: Annotated[tuple[UUID, ...], msgspec.Meta(max_length=MAX_ANNOUNCED)]
