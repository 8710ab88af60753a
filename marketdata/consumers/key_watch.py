"""Tells sockets that the key which opened them has ended: one look for all sockets of a key.

A client may have hundreds. To ask twice a second for each of them cost as much as a quarter of the
prices that went to them.
"""

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from accounts.domain.api_keys import KeyPair, Scope
from accounts.services import resolve_key_async

KEY_CHECK_SECONDS = 0.5
"""How often a key is asked for, in memory: with the age that the key cache may have it makes little
more than a second from a revocation to the end of what the key opened.
"""


@dataclass(slots=True)
class _Look:
    """Ends when the key does; runs for as long as a socket waits for that."""

    end: "asyncio.Task[None]"
    waiting: "set[asyncio.Future[None]]" = field(default_factory=set)
    """One for each socket, so that one of thousands leaves without a search among the others."""

    def tell(self, ended: "asyncio.Task[None]") -> None:
        """Let every socket go on, with the error if the look ended with one."""
        for waiter in self.waiting:
            if waiter.done():
                continue
            if ended.cancelled():
                waiter.cancel()
            elif (error := ended.exception()) is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(None)


class KeyWatch:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._looks: dict[tuple[KeyPair, Scope | None], _Look] = {}

    async def end_of(self, pair: KeyPair, scope: Scope | None = None) -> None:
        """Return when the pair is a live key no more, or lacks the scope."""
        key = (pair, scope)
        look = self._looks.get(key)
        if look is None or look.end.done():
            look = self._looks[key] = _Look(asyncio.create_task(_end_of(pair, scope)))
            look.end.add_done_callback(look.tell)
        waiter = asyncio.get_running_loop().create_future()
        look.waiting.add(waiter)
        try:
            await waiter
        finally:
            look.waiting.discard(waiter)
            if not look.waiting:
                look.end.cancel()
                if self._looks.get(key) is look:
                    del self._looks[key]


async def _end_of(pair: KeyPair, scope: Scope | None) -> None:
    while True:
        principal = await resolve_key_async(pair.key_id, pair.secret)
        if principal is None or (scope is not None and scope not in principal.scopes):
            return
        await asyncio.sleep(KEY_CHECK_SECONDS)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, KeyWatch] = WeakKeyDictionary()


def local_key_watch() -> KeyWatch:
    """The running event loop's watch (a gateway has one loop; tests have one each)."""
    loop = asyncio.get_running_loop()
    watch = _watches.get(loop)
    if watch is None:
        watch = _watches[loop] = KeyWatch()
    return watch
