"""The two sockets that take orders: the browser's `/ws/v1/` and the programs' `/api/v1/stream`.

Both carry what docs/live-protocol.md describes and take the requests of docs/requests.md C1 to C6.
Who asks is found anew for each request, from memory that is less than a second old.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec
from django.db import connection

from accounts.api import user_of
from accounts.domain.api_keys import KeyPair, Principal, Scope, read_key_pair
from accounts.domain.rate_limit import RateDecision, RateLimiter
from accounts.models import User
from accounts.selectors import may_trade
from accounts.services import resolve_key_async, spend_request
from core.api import not_authenticated
from core.domain.fresh_cache import FreshCache
from marketdata.consumers import BrowserSocket, TopicSocket
from marketdata.consumers.base import CLOSE_POLICY, CLOSE_TOO_SLOW
from marketdata.consumers.key_watch import local_key_watch
from marketdata.consumers.standing import is_still_signed_in
from orders.native.order_entry import Caller, OrderEntry

AUTHENTICATION_SECONDS: Final = 10
"""How long a program's socket may stay open without a valid key."""

PERSON_RATE_PER_MINUTE: Final = 600
"""Order requests that one person may send over all sockets of this gateway."""

STANDING_TTL_SECONDS: Final = 0.8
"""How long it is believed that a session holds: as long as a key."""

MAX_REMEMBERED_SESSIONS: Final = 10_000
PROGRAM_MESSAGES_PER_SECOND: Final = 1_000

_people = RateLimiter()


class OrderBrowserSocket(BrowserSocket):
    """The browser's socket, which also takes orders of the person who has signed in."""

    async def opened(self) -> None:
        self._entry = OrderEntry(self._caller, self._reply)
        await super().opened()

    async def asked(self, request: object) -> bool:
        return self._entry.take(request)

    async def closed(self) -> None:
        if hasattr(self, "_entry"):  # not before the handshake
            self._entry.closed()
        await super().closed()

    async def _caller(self) -> Caller:
        user_id = self.user.pk
        is_trader = await _standings.get_async((user_id, self.session_key))
        if is_trader is None:
            raise not_authenticated()
        return Caller(user_id, is_trader, lambda cost: _spend(user_id, cost))

    def _reply(self, frame: str) -> None:
        if not self.say(frame):  # a reply must not be left out: who does not read is cut off
            self.help_with(self.end(CLOSE_TOO_SLOW))


class ProgramSocket(TopicSocket):
    """A program's socket: its first frame has the key that all it does goes by."""

    messages_per_second = PROGRAM_MESSAGES_PER_SECOND

    async def opened(self) -> None:
        self._pair: KeyPair | None = None
        self._entry = OrderEntry(self._caller, self._reply)
        await self.let_in()
        self.help_with(self._await_key())

    async def asked(self, request: object) -> bool:
        match request:
            case {"op": "auth", "key_id": str(key_id), "secret": str(secret)}:
                await self._authenticate(key_id, secret)
                return True
        return self._entry.take(request)

    async def closed(self) -> None:
        if hasattr(self, "_entry"):
            self._entry.closed()

    async def may_listen(self) -> bool:
        principal = await self._principal()
        return principal is not None and Scope.READ in principal.scopes

    async def _authenticate(self, key_id: str, secret: str) -> None:
        """Once for good: what the socket does ends with the key that opened it."""
        pair = read_key_pair(key_id=key_id, secret=secret, authorization=None)
        principal = await resolve_key_async(pair.key_id, pair.secret) if pair else None
        if self._pair is not None or pair is None or principal is None:
            self.say(_frame({"op": "error", "code": "NOT_AUTHENTICATED", "message": _WRONG_KEY}))
            await self.end(CLOSE_POLICY)
            return
        self._pair = pair
        self.user = user_of(principal)
        self.say(_frame({"op": "authenticated", "scopes": sorted(principal.scopes)}))
        self.hub.attach(self.listener)  # from here on it hears the heartbeat; a stranger never does
        self.help_with(self._end_with(pair))

    async def _caller(self) -> Caller:
        principal = await self._principal()
        if principal is None:
            raise not_authenticated()
        may = Scope.TRADE in principal.scopes
        key_id = principal.key_id
        return Caller(principal.user_id, may, lambda cost: spend_request(principal, cost), key_id)

    async def _principal(self) -> Principal | None:
        """Who the key is now; None before there is one, and once it is revoked."""
        pair = self._pair
        return await resolve_key_async(pair.key_id, pair.secret) if pair else None

    async def _await_key(self) -> None:
        await asyncio.sleep(AUTHENTICATION_SECONDS)
        if self._pair is None:
            await self.end(CLOSE_POLICY)

    async def _end_with(self, pair: KeyPair) -> None:
        """A key that was revoked ends the sockets that it has opened."""
        await local_key_watch().end_of(pair)
        await self.end(CLOSE_POLICY)

    def _reply(self, frame: str) -> None:
        if not self.say(frame):
            self.help_with(self.end(CLOSE_TOO_SLOW))


_WRONG_KEY = "Send auth once, with a valid key_id and secret."


def _frame(message: object) -> str:
    return msgspec.json.encode(message).decode()


def _spend(user_id: int, cost: int) -> RateDecision:
    return _people.take(f"user {user_id}", PERSON_RATE_PER_MINUTE, time.monotonic_ns(), cost)


def _is_trader(who: tuple[int, str]) -> bool | None:
    """Whether the person of this session may trade; None once the session has ended."""
    user_id, session_key = who
    if not is_still_signed_in(user_id, session_key):
        return None
    return may_trade(User.objects.get(pk=user_id))


def _are_traders(all_who: Sequence[tuple[int, str]]) -> dict[tuple[int, str], bool]:
    try:
        standings = {who: _is_trader(who) for who in all_who}
        return {who: is_trader for who, is_trader in standings.items() if is_trader is not None}
    finally:
        connection.close()  # this thread serves no request that would give the connection back


_standings: FreshCache[tuple[int, str], bool] = FreshCache(
    load=_is_trader,
    load_in_thread=_are_traders,
    ttl_seconds=STANDING_TTL_SECONDS,
    max_entries=MAX_REMEMBERED_SESSIONS,
)
