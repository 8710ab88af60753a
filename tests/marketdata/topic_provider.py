"""A provider of private topics for socket tests: `account:{user name}` is that user's alone."""

from typing import Any


class OwnAccount:
    async def may_subscribe(self, user: Any, topic: str) -> bool:
        return topic == f"account:{user.username}"

    async def snapshot(self, topic: str) -> tuple[str, int, object]:
        return "ledger", 3, {"orders": []}
