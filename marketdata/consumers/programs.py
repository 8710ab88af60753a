"""The data sockets of the dialect, `/v2/iex` and `/v1beta3/crypto/us`, for programs with a key.

No cookies, no Origin: a client says who it is in its first message. Frames are arrays; control
frames hold exactly one message.
"""

import asyncio
from typing import Any

import msgspec

from accounts.domain.api_keys import KeyPair, Principal, Scope
from accounts.services import resolve_key_async
from core.domain import strict_json
from marketdata.consumers.base import CLOSE_POLICY, HubSocket
from marketdata.consumers.forms import DialectForm, JsonCodec, MsgpackCodec
from marketdata.consumers.key_watch import local_key_watch
from marketdata.consumers.symbols import known_instruments
from marketdata.domain.topics import bar_topic, book_topic, quote_topic, trade_topic
from marketdata.hub import TOPIC_LIMIT
from marketdata.models import Instrument

AUTH_TIMEOUT_SECONDS = 10
EVERYTHING = "*"
MSGPACK_TYPE = b"application/msgpack"

_JSON = DialectForm(JsonCodec())
_MSGPACK = DialectForm(MsgpackCodec())

CHANNELS = {
    "trades": trade_topic,
    "quotes": quote_topic,
    "bars": bar_topic,
    "orderbooks": book_topic,
}
STOCK_CHANNELS = ("trades", "quotes", "bars")
SILENT_STOCK_CHANNELS = (
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
"""Known to the dialect, never sent here: they stay empty in every confirmation."""

ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    410: "invalid subscribe action for this feed",
}


class DataSocket(HubSocket):
    """One program's data socket. Subclasses name the asset class and its channels."""

    asset_class: Instrument.AssetClass
    channels: tuple[str, ...]
    silent_channels: tuple[str, ...]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's types
        headers = dict(scope["headers"])
        self.form = _MSGPACK if headers.get(b"content-type") == MSGPACK_TYPE else _JSON
        self._codec = self.form.codec
        self._key: KeyPair | None = None
        self._chosen: dict[str, set[str]] = {channel: set() for channel in self.channels}
        await super().__call__(scope, receive, send)

    async def opened(self) -> None:
        await self.let_in()
        self.hub.attach(self.listener)
        self._tell({"T": "success", "msg": "connected"})
        self.help_with(self._await_auth())

    async def received(self, frame: str | bytes) -> None:
        request = _read(frame)
        match request:
            case {"action": "auth", "key": str(key), "secret": str(secret)}:
                await self._authenticate(key, secret)
            case {"action": "subscribe" | "unsubscribe"} if self._key is None:
                self._fail(401)
            case {"action": "subscribe"}:
                await self._choose(request, is_wanted=True)
            case {"action": "unsubscribe"}:
                await self._choose(request, is_wanted=False)
            case {"action": str()}:
                self._fail(410)
            case _:
                self._fail(400)

    # --- who ------------------------------------------------------------------------------------

    async def _authenticate(self, key: str, secret: str) -> None:
        if self._key is not None:
            self._fail(403)
            return
        if not _may_read(await resolve_key_async(key, secret)):
            self._fail(402)
            return
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
        named = {
            name: value
            for name, value in request.items()
            if name in self.channels or name in self.silent_channels
        }
        if not all(_is_symbols(value) for value in named.values()):
            self._fail(400)
            return
        known = await known_instruments.of_class(self.asset_class)
        asked = {name: set(value) for name, value in named.items() if name in self.channels}
        unknown = set().union(*asked.values()) - known - {EVERYTHING}
        if is_wanted and unknown:
            self._fail(400, f"invalid syntax: unknown symbol {sorted(unknown)[0]}")
            return
        chosen = {
            name: (now | asked.get(name, set())) if is_wanted else (now - asked.get(name, set()))
            for name, now in self._chosen.items()
        }
        topics = _topics(chosen, known)
        if len(topics) > TOPIC_LIMIT:
            self._fail(405)
            return
        self._chosen = chosen
        self._tell(self._confirmation())
        for topic in self.listener.topics - topics:
            self.hub.unsubscribe(self.listener, topic)
        for topic in topics - self.listener.topics:
            self.hub.subscribe(self.listener, topic)

    def _confirmation(self) -> dict[str, Any]:  # Any: JSON of the dialect
        silent: dict[str, list[str]] = {name: [] for name in self.silent_channels}
        chosen = {name: sorted(symbols) for name, symbols in self._chosen.items()}
        return {"T": "subscription"} | chosen | silent

    def _tell(self, message: dict[str, Any]) -> None:  # Any: JSON of the dialect
        self.say(self._codec.pack([message]))

    def _fail(self, code: int, text: str | None = None) -> None:
        self._tell({"T": "error", "code": code, "msg": text or ERRORS[code]})


class StockSocket(DataSocket):
    """`/v2/iex`"""

    asset_class = Instrument.AssetClass.US_EQUITY
    channels = STOCK_CHANNELS
    silent_channels = SILENT_STOCK_CHANNELS


class CryptoSocket(DataSocket):
    """`/v1beta3/crypto/us`"""

    asset_class = Instrument.AssetClass.CRYPTO
    channels = (*STOCK_CHANNELS, "orderbooks")
    silent_channels = ("updatedBars", "dailyBars")


def _read(frame: str | bytes) -> Any:  # Any: JSON or msgpack of whatever shape
    """The request that a frame carries: text is JSON, binary is msgpack; None when it is
    neither.
    """
    try:
        if isinstance(frame, str):
            return strict_json.loads(frame.encode())
        return msgspec.msgpack.decode(frame)
    except (strict_json.StrictJsonError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def _may_read(principal: Principal | None) -> bool:
    return principal is not None and Scope.READ in principal.scopes


def _is_symbols(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= TOPIC_LIMIT
        and all(isinstance(symbol, str) for symbol in value)
    )


def _topics(chosen: dict[str, set[str]], known: frozenset[str]) -> set[str]:
    return {
        CHANNELS[name](symbol)
        for name, symbols in chosen.items()
        for symbol in (known if EVERYTHING in symbols else symbols)
    }
