"""The browser socket `/ws/v1/`: one per page, carries everything live that the page shows.

Protocol: docs/live-protocol.md. Frames of topics come from the hub; these classes read requests,
say who may hear what, and end the socket when its session ends. Apps above add requests of theirs.
"""

import asyncio
from typing import Any

import msgspec
import structlog
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from accounts.domain.sockets import session_mark, user_group
from accounts.models import User
from accounts.selectors import is_session_complete
from core.domain import strict_json
from core.domain.errors import ErrorReason
from marketdata.consumers.base import CLOSE_SIGNED_OUT, HubSocket
from marketdata.consumers.standing import is_still_signed_in
from marketdata.consumers.symbols import known_instruments
from marketdata.domain.live_requests import (
    RequestError,
    Subscribe,
    Wish,
    read_subscribe,
    read_unsubscribe,
)
from marketdata.domain.topics import MARKET_KINDS, parse_topic
from marketdata.hub import TOPIC_LIMIT, TextForm
from marketdata.hub.pulse import HEARTBEAT_SECONDS

logger = structlog.get_logger(__name__)

STANDING_CHECK_SECONDS = 30
GROUP_RETRY_SECONDS = 1.0
WELCOME = msgspec.json.encode({"op": "welcome", "heartbeat_seconds": HEARTBEAT_SECONDS}).decode()


class TopicSocket(HubSocket):
    """Takes subscribe, unsubscribe and ping for `user`; what else it takes says a subclass."""

    form = TextForm()
    user: User

    async def asked(self, request: object) -> bool:
        """Take a request that is about no topic; False when it is none of ours."""
        return False

    async def may_listen(self) -> bool:
        """Whether this socket may hear topics at all."""
        return True

    async def received(self, frame: str | bytes) -> None:
        try:
            request = strict_json.loads(frame.encode() if isinstance(frame, str) else frame)
        except strict_json.StrictJsonError as error:
            self._refuse(ErrorReason.REQUEST_MALFORMED, f"The message cannot be read: {error}.")
            return
        try:
            match request:
                case {"op": "subscribe"}:
                    await self._subscribe(read_subscribe(request, TOPIC_LIMIT))
                case {"op": "unsubscribe"}:
                    for topic in read_unsubscribe(request, TOPIC_LIMIT):
                        self.hub.unsubscribe(self.listener, topic)
                case {"op": "ping", "t": int(t)}:
                    self.say(msgspec.json.encode({"op": "pong", "t": t}).decode())
                case _:
                    if not await self.asked(request):
                        raise RequestError("Send subscribe or unsubscribe with topics, or ping.")
        except RequestError as error:
            self._refuse(ErrorReason.REQUEST_MALFORMED, str(error))

    async def _subscribe(self, request: Subscribe) -> None:
        may_listen = await self.may_listen()
        for text, since in request.topics:
            if len(self.listener.topics) >= TOPIC_LIMIT and text not in self.listener.topics:
                message = f"A socket may have {TOPIC_LIMIT} topics; unsubscribe from some first."
                self._refuse(ErrorReason.RATE_LIMITED, message, text)
            elif may_listen and await self._may_hear(text):
                self.hub.subscribe(self.listener, text, Wish(request.every_ms, since))
            else:
                # The same answer for what does not exist and what is another's.
                self._refuse(ErrorReason.NOT_FOUND, "There is no such topic for you.", text)

    async def _may_hear(self, text: str) -> bool:
        topic = parse_topic(text)
        if topic is None:
            return False
        if topic.kind in MARKET_KINDS:
            return topic.key in await known_instruments.symbols()
        provider = self.hub.providers.get(topic.kind)
        return provider is not None and await provider.may_subscribe(self.user, text)

    def _refuse(self, reason: ErrorReason, message: str, topic: str | None = None) -> None:
        error = {"op": "error", "code": reason.value, "message": message}
        if topic is not None:
            error["topic"] = topic
        self.say(msgspec.json.encode(error).decode())


class BrowserSocket(TopicSocket):
    """The socket of a signed-in and verified person."""

    async def opened(self) -> None:
        await self.let_in()
        user = self.scope["user"]
        session = self.scope["session"]
        if not await database_sync_to_async(is_session_complete)(user, session):
            await self.end(CLOSE_SIGNED_OUT)
            return
        self.user = user
        self.session_key: str = session.session_key
        self.say(WELCOME)
        self.hub.attach(self.listener)
        self.help_with(self._hear_group())
        self.help_with(self._check_standing())

    async def _check_standing(self) -> None:
        """Close the socket of a session that has ended, whoever ended it and however."""
        while True:
            await asyncio.sleep(STANDING_CHECK_SECONDS)
            if not await database_sync_to_async(is_still_signed_in)(self.user.pk, self.session_key):
                await self.end(CLOSE_SIGNED_OUT)
                return

    async def _hear_group(self) -> None:
        """Pass on what is sent to the user. A Redis that comes back empty is joined again."""
        layer = get_channel_layer()
        channel = await layer.new_channel()
        group = user_group(self.user.pk)
        try:
            while True:
                try:
                    await layer.group_add(group, channel)
                    async with asyncio.timeout(STANDING_CHECK_SECONDS):
                        while True:
                            await self._hear(await layer.receive(channel))
                except TimeoutError:
                    continue  # time to join the group again: an emptied Redis has forgotten it
                except (RedisError, OSError) as error:
                    logger.debug("user_group_away", error=str(error))
                    await asyncio.sleep(GROUP_RETRY_SECONDS)
        finally:
            try:
                await layer.group_discard(group, channel)
            except (RedisError, OSError) as error:
                logger.debug("user_group_away", error=str(error))

    async def _hear(self, message: dict[str, Any]) -> None:  # Any: the channel layer's messages
        if message["type"] == "user.message":
            self.say(message["frame"])
        elif message["type"] == "user.signed_out":
            mark = message.get("session")
            if mark is None or mark == session_mark(self.session_key):
                self.help_with(self.end(CLOSE_SIGNED_OUT))
