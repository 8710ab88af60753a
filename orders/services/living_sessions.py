"""The order-entry sessions of one gateway: opened, announced to the engine each second while their
sockets live, and ended with them (docs/requests.md N1 to N5).

An engine that cannot be reached is told again a second later; what it never hears of again it ends
by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from uuid import UUID

import structlog

from core.domain.errors import Refusal
from core.domain.ids import new_id
from core.request_context import current_request_id
from orders.domain.commands import AnyCommand
from orders.domain.replies import AnyReply
from orders.domain.session_commands import (
    MAX_ANNOUNCED,
    AnnounceSessions,
    EndSession,
    OpenSession,
)
from orders.engine.client import AsyncEngineClient, EngineUnavailableError
from orders.services.asking import CLOCK

logger = structlog.get_logger(__name__)

ANNOUNCE_SECONDS: Final = 1.0


class LivingSessions:
    """Those of one event loop. `ask` puts a question to the engine, which `engine` tells things."""

    def __init__(
        self, ask: Callable[[AnyCommand], Awaitable[AnyReply]], engine: AsyncEngineClient
    ) -> None:
        self._ask = ask
        self._engine = engine
        self._living: set[UUID] = set()
        self._announcing: asyncio.Task[None] | None = None

    async def open(self, account_id: int) -> UUID:
        """A new session of the account. Refusal when the engine does not take it."""
        session_id = new_id(CLOCK.now_ns())
        await self._ask(OpenSession(session_id, account_id, current_request_id()))
        self._living.add(session_id)
        if self._announcing is None or self._announcing.done():
            self._announcing = asyncio.create_task(self._announce())
        return session_id

    async def end(self, session_id: UUID) -> None:
        """The socket is gone: its orders are canceled, now or when the engine misses it."""
        self._living.discard(session_id)
        try:
            await self._ask(EndSession(session_id, current_request_id()))
        except Refusal as refusal:
            logger.warning("order_session_not_ended", reason=str(refusal.reason))

    async def _announce(self) -> None:
        while self._living:
            living = sorted(self._living)
            for first in range(0, len(living), MAX_ANNOUNCED):
                some = tuple(living[first : first + MAX_ANNOUNCED])
                try:
                    await self._engine.tell(AnnounceSessions(some))
                except EngineUnavailableError as error:
                    logger.warning("order_sessions_not_announced", error=str(error))
            await asyncio.sleep(ANNOUNCE_SECONDS)
