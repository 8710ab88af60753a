"""The data sockets of the dialect, `/v2/iex` and `/v1beta3/crypto/us`, for programs with a key.

No cookies, no Origin: a client says who it is in its first message, or in the handshake's headers.
Frames are arrays; control frames hold exactly one message.
"""

import asyncio
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError

from accounts.domain.api_keys import KeyPair, Scope
from accounts.services import resolve_key_async
from marketdata.consumers.base import CLOSE_POLICY, CLOSE_TOO_SLOW, HubSocket
from marketdata.consumers.control import ERRORS, connections
from marketdata.consumers.forms import DialectForm, JsonCodec, MsgpackCodec
from marketdata.consumers.key_watch import local_key_watch
from marketdata.consumers.news import NEWS_CHANNELS, Bulletin, local_news
from marketdata.consumers.requests import Channels, read_channels, read_frame
from marketdata.consumers.symbols import known_instruments
from marketdata.domain.topics import bar_topic, book_topic, quote_topic, trade_topic
from marketdata.hub import TOPIC_LIMIT
from marketdata.metrics import HUB_TOO_SLOW
from marketdata.models import Instrument

logger = structlog.get_logger(__name__)

AUTH_TIMEOUT_SECONDS = 10
FAREWELL_SECONDS = 1
"""How long a client that reads nothing has to take the word that it is too slow."""
DATABASE_AWAY = (DatabaseError, InterfaceError)
LONGEST_NAME_TOLD = 32
"""Of what a client sent, in an answer."""
EVERYTHING = "*"
MSGPACK_TYPE = b"application/msgpack"
KEY_HEADER, SECRET_HEADER = b"apca-api-key-id", b"apca-api-secret-key"

_JSON = DialectForm(JsonCodec())
_MSGPACK = DialectForm(MsgpackCodec())

TOPICS = {
    "trades": trade_topic,
    "quotes": quote_topic,
    "bars": bar_topic,
    "orderbooks": book_topic,
}
"""The channels that the hub serves by itself; those of NEWS_CHANNELS come through the news."""


class DataSocket(HubSocket):
    """One program's data socket. Subclasses name the asset class and its channels."""

    asset_class: Instrument.AssetClass
    channels: tuple[str, ...]
    silent_channels: tuple[str, ...] = ()
    """Known and confirmed, and nothing ever comes of them: nothing printed here is taken back."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's types
        headers = dict(scope["headers"])
        self.form = _MSGPACK if headers.get(b"content-type") == MSGPACK_TYPE else _JSON
        self._codec = self.form.codec
        self._key: KeyPair | None = None
        self._chosen: Channels = {name: set() for name in (*self.channels, *self.silent_channels)}
        self._followed: set[tuple[str, str]] = set()
        await super().__call__(scope, receive, send)

    async def opened(self) -> None:
        await self.let_in()
        self.hub.attach(self.listener)
        self._tell({"T": "success", "msg": "connected"})
        headers = dict(self.scope["headers"])
        if KEY_HEADER in headers and SECRET_HEADER in headers:
            key, secret = headers[KEY_HEADER], headers[SECRET_HEADER]
            await self._answer(
                {"action": "auth", "key": key.decode("latin-1"), "secret": secret.decode("latin-1")}
            )
        self.help_with(self._await_auth())

    async def received(self, frame: str | bytes) -> None:
        await self._answer(read_frame(frame))

    async def _answer(self, request: Any) -> None:  # Any: JSON of whatever shape
        try:
            match request:
                case {"action": "auth", "key": str(key), "secret": str(secret)}:
                    await self._authenticate(key, secret)
                case {"action": "subscribe" | "unsubscribe"} if self._key is None:
                    self._fail(401)
                case {"action": "subscribe"}:
                    await self._choose(request, is_wanted=True)
                case {"action": "unsubscribe"}:
                    await self._choose(request, is_wanted=False)
                case {"action": str()} if request["action"] != "auth":
                    self._fail(410)
                case _:
                    self._fail(400)
        except DATABASE_AWAY as error:
            logger.warning("data_socket_request_failed", error=str(error))
            self._fail(500)

    async def closed(self) -> None:
        self._follow(set())
        if self._key is not None:
            connections.release(self._key.key_id)

    # --- who ------------------------------------------------------------------------------------

    async def _authenticate(self, key: str, secret: str) -> None:
        if self._key is not None:
            self._fail(403)
            return
        principal = await resolve_key_async(key, secret)
        if principal is None:
            self._fail(402)
        elif Scope.READ not in principal.scopes:
            self._fail(409)
        elif not connections.admit(key):
            self._fail(406)
            await self.end(CLOSE_POLICY)
        else:
            self._key = KeyPair(key, secret)
            self._tell({"T": "success", "msg": "authenticated"})
            self.help_with(self._end_with(self._key))

    async def _await_auth(self) -> None:
        await asyncio.sleep(AUTH_TIMEOUT_SECONDS)
        if self._key is None:
            self._fail(404)
            await self.end(CLOSE_POLICY)

    async def _end_with(self, pair: KeyPair) -> None:
        """A key that was revoked ends the sockets that it has opened."""
        await local_key_watch().end_of(pair, Scope.READ)
        self._fail(402)
        await self.end(CLOSE_POLICY)

    # --- what -----------------------------------------------------------------------------------

    async def _choose(self, request: dict[str, Any], *, is_wanted: bool) -> None:  # Any: JSON
        asked = read_channels(request, self._chosen)
        if isinstance(asked, int):
            self._fail(asked)
            return
        known = await known_instruments.of_class(self.asset_class)
        unknown = set().union(*asked.values()) - known - {EVERYTHING}
        if is_wanted and unknown:
            name = min(unknown)[:LONGEST_NAME_TOLD]
            self._fail(400, f"invalid syntax: unknown symbol {name}")
            return
        change = set.union if is_wanted else set.difference
        chosen = {name: change(now, asked.get(name, set())) for name, now in self._chosen.items()}
        wanted = {
            (name, symbol)
            for name in self.channels
            for symbol in (known if EVERYTHING in chosen[name] else chosen[name])
        }
        if len(wanted) > TOPIC_LIMIT:
            self._fail(405)
            return
        self._chosen = chosen
        self._tell({"T": "subscription"} | self._confirmed(chosen))
        self._subscribe({TOPICS[name](symbol) for name, symbol in wanted if name in TOPICS})
        self._follow({pair for pair in wanted if pair[0] in NEWS_CHANNELS})

    def _confirmed(self, chosen: Channels) -> dict[str, list[str]]:
        """The whole choice. Who hears trades would hear that one is taken back."""
        silent = {name: chosen[name] | chosen["trades"] for name in self.silent_channels}
        return {name: sorted(symbols) for name, symbols in (chosen | silent).items()}

    def _subscribe(self, topics: set[str]) -> None:
        for topic in self.listener.topics - topics:
            self.hub.unsubscribe(self.listener, topic)
        for topic in topics - self.listener.topics:
            self.hub.subscribe(self.listener, topic)

    def _follow(self, wanted: set[tuple[str, str]]) -> None:
        if wanted == self._followed:
            return
        news = local_news()
        for channel, symbol in self._followed - wanted:
            news.leave(channel, symbol, self._hear)
        for channel, symbol in wanted - self._followed:
            news.follow(channel, symbol, self._hear)
        self._followed = wanted

    # --- what is said ---------------------------------------------------------------------------

    def _hear(self, bulletin: Bulletin) -> None:
        self.say(bulletin.packed(self._codec))

    def _tell(self, message: dict[str, Any]) -> None:  # Any: JSON of the dialect
        self.say(self._codec.pack([message]))

    def _fail(self, code: int, text: str | None = None) -> None:
        self._tell(_error(code, text))

    def _on_stuck(self) -> None:
        HUB_TOO_SLOW.inc()
        logger.info("socket_too_slow")
        self.help_with(self._part_with_slow())

    async def _part_with_slow(self) -> None:
        """Say why before the end, if the client takes it: all that waited for it is gone."""
        packed = self._codec.pack([_error(407)])
        kind = "text" if isinstance(packed, str) else "bytes"
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self.base_send({"type": "websocket.send", kind: packed})
        except (OSError, RuntimeError) as error:  # TimeoutError is an OSError
            logger.debug("slow_client_not_told", error=str(error))
        await self.end(CLOSE_TOO_SLOW)


class StockSocket(DataSocket):
    """`/v2/iex`, and the dialect's other names for feeds of stocks. Order books are ours."""

    asset_class = Instrument.AssetClass.US_EQUITY
    channels = (*TOPICS, *NEWS_CHANNELS)
    silent_channels = ("corrections", "cancelErrors")


class CryptoSocket(DataSocket):
    """`/v1beta3/crypto/us`"""

    asset_class = Instrument.AssetClass.CRYPTO
    channels = (*TOPICS, "updatedBars", "dailyBars")


def _error(code: int, text: str | None = None) -> dict[str, Any]:  # Any: JSON of the dialect
    return {"T": "error", "code": code, "msg": text or ERRORS[code]}
