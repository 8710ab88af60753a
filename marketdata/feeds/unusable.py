"""Stands in for a configured feed that cannot be made, so that one wrong option or one key that
nobody can read does not stop the prices of the others.
"""

from collections.abc import Sequence
from typing import NoReturn

from marketdata.domain.ports import FeedAwayError, Told


class UnusableFeed:
    """Always away, for the reason that operators see in its status. The process reads the
    configuration at its start, so nothing here can get better before.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = f"{reason.rstrip('.')}. Correct it, then run ./portal restart feed."

    async def open(self) -> NoReturn:
        raise FeedAwayError(self._reason)

    async def receive(self) -> Sequence[Told]:
        raise FeedAwayError(self._reason)

    async def close(self) -> None:
        """It was never open."""
