"""The socket `/stream` of the dialect: a program authenticates by key and hears its trade updates.

Frames come from the hub's `account:<id>` topic, translated once each. Account events are numbered:
`seq` lets a client see that it missed one (it then lists its orders anew).
"""

import asyncio
from typing import Any

import msgspec
from channels.db import database_sync_to_async

from accounts.domain.api_keys import KeyPair, Principal, Scope, read_key_pair
from accounts.models import User
from accounts.services import resolve_key_async
from core.domain import strict_json
from marketdata.consumers.base import CLOSE_POLICY, HubSocket
from marketdata.consumers.key_watch import local_key_watch
from marketdata.hub import AsgiEvent, Message
from orders.domain.dialect import trade_update
from orders.domain.views import AccountEvent
from portfolio.selectors import default_account

AUTHENTICATION_SECONDS = 10
"""How long a socket may stay open without a valid key."""

STREAM = "trade_updates"


class TradeUpdateForm:
    """Account events as the dialect's `trade_updates` frames; snapshots and cash are left out."""

    name = "trade_updates"

    def event(self, message: Message) -> AsgiEvent | None:
        if message.is_snapshot or not message.topic.startswith("account:"):
            return None
        update = trade_update(msgspec.json.decode(message.data, type=AccountEvent))
        if update is None:
            return None
        return {"type": "websocket.send", "text": _frame(STREAM, update)}


class TradeUpdatesSocket(HubSocket):
    """One program's socket. Text and binary frames are taken alike; answers are text."""

    form = TradeUpdateForm()

    async def opened(self) -> None:
        self._topic: str | None = None
        self.hub.attach(self.listener)
        await self.let_in()
        self.help_with(self._await_key())

    async def received(self, frame: str | bytes) -> None:
        try:
            message = strict_json.loads(frame.encode() if isinstance(frame, str) else frame)
        except strict_json.StrictJsonError as error:
            self._say("error", {"code": 400, "message": f"The frame cannot be read: {error}."})
            return
        if not isinstance(message, dict):
            message = {}
        action = message.get("action")
        if action in {"auth", "authenticate"}:
            await self._authenticate(message)
        elif action == "listen":
            self._listen(message)
        else:
            self._say("error", {"code": 400, "message": "Unknown action."})

    async def _authenticate(self, message: dict[str, Any]) -> None:  # Any: JSON values
        """Once for good: what the socket hears ends with the key that opened it."""
        if self._topic is not None:
            self._say("error", {"code": 403, "message": "already authenticated"})
            return
        data = message.get("data")
        fields = data if isinstance(data, dict) else message
        pair = read_key_pair(
            key_id=_text(fields.get("key_id") or fields.get("key")),
            secret=_text(fields.get("secret_key") or fields.get("secret")),
            authorization=None,
        )
        reader = await _reader(pair) if pair else None
        if reader is not None:
            self._topic = await database_sync_to_async(_account_topic)(reader.user_id)
        status = "authorized" if self._topic else "unauthorized"
        self._say("authorization", {"action": "authenticate", "status": status})
        if pair is None or self._topic is None:
            await self.end(CLOSE_POLICY)
        else:
            self.help_with(self._end_with(pair))

    def _listen(self, message: dict[str, Any]) -> None:  # Any: JSON values
        """Replace the set of streams; only `trade_updates` exists."""
        data = message.get("data")
        asked = data.get("streams") if isinstance(data, dict) else None
        if self._topic is None or not isinstance(asked, list):
            self._say("error", {"code": 401, "message": "Authenticate first, then listen."})
            return
        is_wanted = STREAM in asked
        self._say("listening", {"streams": [STREAM] if is_wanted else []})
        if is_wanted:
            self.hub.subscribe(self.listener, self._topic)
        else:
            self.hub.unsubscribe(self.listener, self._topic)

    async def _await_key(self) -> None:
        await asyncio.sleep(AUTHENTICATION_SECONDS)
        if self._topic is None:
            await self.end(CLOSE_POLICY)

    async def _end_with(self, pair: KeyPair) -> None:
        """A key that was revoked ends the sockets that it has opened."""
        await local_key_watch().end_of(pair, Scope.READ)
        await self.end(CLOSE_POLICY)

    def _say(self, stream: str, data: dict[str, object]) -> None:
        self.say(_frame(stream, data))


async def _reader(pair: KeyPair) -> Principal | None:
    """Who the key pair is now; None once it is revoked or may not read."""
    principal = await resolve_key_async(pair.key_id, pair.secret)
    return principal if principal and Scope.READ in principal.scopes else None


def _frame(stream: str, data: object) -> str:
    return msgspec.json.encode({"stream": stream, "data": data}).decode()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _account_topic(user_id: int) -> str | None:
    account = default_account(User(pk=user_id))
    return f"account:{account.public_id}" if account else None
