"""The control words of the dialect's data sockets: error codes, and how many sockets a key has."""

from collections import Counter
from typing import Final

CONNECTION_LIMIT: Final = 4_000
"""Data sockets of one key in one gateway process: twice the storm of reconnections that a gateway
takes in its stride. More of one key are a program that has lost count of them.
"""

ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    500: "internal error",
}


class Connections:
    """The open data sockets of a process, by key."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def admit(self, key_id: str) -> bool:
        """Count one more; False, and nothing counted, when the key has CONNECTION_LIMIT."""
        if self._open[key_id] >= CONNECTION_LIMIT:
            return False
        self._open[key_id] += 1
        return True

    def release(self, key_id: str) -> None:
        self._open[key_id] -= 1
        if self._open[key_id] <= 0:
            del self._open[key_id]


connections = Connections()
