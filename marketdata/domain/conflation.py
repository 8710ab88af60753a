"""A bounded queue for a reader that may be slow: the newest state wins, facts keep their order.

Stands before every outlet: between the feed and Redis or the engine, between the hub and each
socket.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")

STATE_KEYS_LIMIT: Final = 100_000
"""Keys whose newest state waits. Topics are far fewer; of bars for a database that is away it is a
hundred instruments' minutes of sixteen hours, about 60 MB.
"""


class ConflatingQueue(Generic[Item]):
    """State items are kept once per key, the newest, in the place of the first; log items wait in a
    bounded line.

    Not for threads; one event loop fills and drains it.
    """

    def __init__(self, limit: int) -> None:
        """`limit` bounds the log items, STATE_KEYS_LIMIT the keys of state items."""
        self._limit = limit
        self._order: deque[Hashable] = deque()
        self._items: dict[Hashable, Item] = {}
        self._serial = 0
        self._log_count = 0
        self.conflated = 0

    def __len__(self) -> int:
        return len(self._order)

    def put_state(self, key: Hashable, item: Item) -> bool:
        """Queue `item` as the newest state of `key`; an older one that still waits is replaced.
        False (and nothing queued) when `key` is new and too many wait.
        """
        if key in self._items:
            self.conflated += 1
        elif len(self._order) - self._log_count >= STATE_KEYS_LIMIT:
            return False
        else:
            self._order.append(key)
        self._items[key] = item
        return True

    def put_log(self, item: Item) -> bool:
        """Queue a fact; False (and nothing queued) when the line is full."""
        if self._log_count >= self._limit:
            return False
        self._serial += 1
        self._log_count += 1
        self._order.append(self._serial)
        self._items[self._serial] = item
        return True

    def pop(self) -> Item:
        """The item that has waited longest; IndexError when there is none."""
        key = self._order.popleft()
        if type(key) is int:
            self._log_count -= 1
        return self._items.pop(key)

    def clear(self) -> None:
        self._order.clear()
        self._items.clear()
        self._log_count = 0
