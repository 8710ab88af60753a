"""Order-entry sessions for the random histories, with a source of chance of their own."""

import random
from collections.abc import Sequence
from uuid import UUID

import msgspec

from orders.domain import commands
from orders.domain.session_commands import EndSession, OpenSession


class SessionSwarm:
    """Opens sessions, lets orders come over them, ends them."""

    def __init__(self, seed: int) -> None:
        draw = self._random = random.Random(f"sessions {seed}")
        self.share = draw.choice((0.0, 0.0, 0.02, 0.06))
        self._sessions: list[tuple[UUID, int]] = []

    def draw(self, accounts: Sequence[int]) -> commands.AnyCommand | None:
        """Now and then a session that begins or ends; also one that has ended already."""
        draw = self._random
        if draw.random() >= self.share:
            return None
        if self._sessions and draw.random() < 0.5:
            return EndSession(draw.choice(self._sessions[-6:])[0], "r")
        session_id = UUID(int=2**64 + len(self._sessions))
        account = draw.choice((*accounts, *accounts, 99))
        self._sessions.append((session_id, account))
        return OpenSession(session_id, account, "r")

    def over(self, order: commands.SubmitOrder) -> commands.SubmitOrder:
        """The order, perhaps over a session of its account, or over one that has ended."""
        mine = [found for found, account in self._sessions[-8:] if account == order.account_id]
        if not self.share or not mine or self._random.random() < 0.4:
            return order
        return msgspec.structs.replace(order, session_id=self._random.choice(mine))
