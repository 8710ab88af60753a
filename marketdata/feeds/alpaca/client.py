"""Live prices over the dialect's sockets: alpaca-py connects, signs in and subscribes; we read.

alpaca-py's own loop connects again by itself and tells nobody what was lost in between. So we drive
its steps and read its socket ourselves: every loss and refusal is a FeedAwayError.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgpack  # alpaca-py's own; msgspec would cut times to microseconds
import structlog
from alpaca.data.live import CryptoDataStream, StockDataStream
from websockets.exceptions import WebSocketException

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.feed_options import without_key
from marketdata.domain.plan import Credentials, FeedInstrument, FeedSetup
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.told_numbers import TellingError
from marketdata.domain.values import Quote, Tick
from marketdata.feeds.alpaca.options import read_options
from marketdata.feeds.alpaca.parse import Dialect
from marketdata.feeds.pending import PendingTicks

logger = structlog.get_logger(__name__)

OPEN_SECONDS = 15
"""For connecting, signing in and the answer to the subscription, together."""
CLOSE_SECONDS = 2
CLOCK_TOLERANCE_NS = 2 * NANOSECONDS_PER_SECOND
"""Trades from before the opening are not told; so far may our clocks differ."""
REFUSALS_LOGGED = 5
"""Of the messages that a connection could not read: after these few it only counts."""
SOCKET = {"ping_interval": 10, "ping_timeout": 20, "max_queue": 1024, "max_size": 2**24}
"""A dead line is found out within half a minute, also when nobody trades."""
TIMESTAMP_AS_NS = 2
LOST = (OSError, TimeoutError, WebSocketException, ValueError)
ODD = (KeyError, IndexError, TypeError)
"""What alpaca-py raises when a server does not speak the dialect."""

REFUSED = {
    402: "the source refuses our key; set another with `./portal manage feed key`",
    405: "more symbols than the source gives us; route fewer to this feed",
    406: "another connection with this key is open; the source allows no second one",
    407: "we read too slowly, and the source hung up",
    409: "our subscription at the source does not include this; choose another `feed` or plan",
}


@dataclass(slots=True)
class _Line:
    """One socket: what it is called, and what it subscribes to."""

    stream: Any  # Any: alpaca-py's stream; its steps are not in its public types
    channels: Mapping[str, Sequence[str]]
    dialect: Dialect
    refused: int = field(default=0)
    lost: FeedAwayError | None = None
    """Why nothing that comes after the last ticks is to be trusted."""

    async def open(self) -> list[Tick]:
        """Connect, sign in, subscribe and wait for the confirmation; what came before that."""
        self.dialect.forget_books()
        self.refused, self.lost = 0, None
        await self.stream._connect()
        await self.stream._auth()
        await self.stream._send_subscribe_msg()
        early: list[Tick] = []
        while True:
            messages = await self.messages()
            early += self.ticks(messages)
            if self.lost is not None:
                raise self.lost
            for message in messages:
                if message.get("T") == "subscription":
                    self._check(message)
                    return early

    async def messages(self) -> list[dict[str, Any]]:  # Any: the dialect's fields
        """The messages of the next frame; FeedAwayError for one that says that we are refused."""
        frame = await self.stream._ws.recv()
        if isinstance(frame, str):
            raise ValueError("a frame of text, where msgpack was asked for")
        messages = msgpack.unpackb(frame, timestamp=TIMESTAMP_AS_NS)
        if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
            raise ValueError("a frame that is no list of messages")
        for message in messages:
            if message.get("T") == "error":
                raise FeedAwayError(_reason(message.get("code"), str(message.get("msg", ""))))
        return messages

    def ticks(self, messages: Sequence[Mapping[str, Any]]) -> list[Tick]:
        """Those that the messages tell; one that cannot be right is dropped. An order book that
        cannot be right ends them: `lost` says why.
        """
        ticks = []
        for message in messages:
            try:
                tick = self.dialect.tick(message)
            except TellingError as error:
                self.refused += 1
                if self.refused <= REFUSALS_LOGGED:
                    logger.warning("feed_message_refused", reason=str(error))
                continue
            except FeedAwayError as error:
                self.lost = error
                break
            if tick is not None:
                ticks.append(tick)
        return ticks

    def _check(self, confirmed: Mapping[str, Any]) -> None:
        for channel, symbols in self.channels.items():
            missing = set(symbols) - set(confirmed.get(channel) or ())
            if missing:
                raise FeedAwayError(f"the source gives no {channel} of {sorted(missing)[0]}")


class AlpacaFeed:
    """Quotes and trades of stocks, order books and trades of crypto pairs: a socket for each."""

    def __init__(self, setup: FeedSetup) -> None:
        """FeedOptionError for options that are not the adapter's. Calls nobody."""
        self.name = setup.name
        self._options = read_options(setup.options)
        self._setup = setup
        self._lines: list[_Line] = []
        self._readers: list[asyncio.Task[None]] = []
        self._pending = PendingTicks()
        self._since_ns = 0

    async def open(self) -> None:
        await self.close()
        credentials = self._setup.credentials
        if credentials is None:
            raise FeedAwayError("no key is set; set one with `./portal manage feed key`")
        self._pending = PendingTicks()
        self._since_ns = self._setup.clock.now_ns() - CLOCK_TOLERANCE_NS
        self._lines = self._made_lines(credentials)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                early = [tick for line in self._lines for tick in await line.open()]
        except (*LOST, *ODD) as error:
            await self.close()
            raise _away(error, credentials) from error
        await self._pending.put(early)
        self._readers = [asyncio.create_task(self._read(line)) for line in self._lines]

    async def receive(self) -> Sequence[Tick]:
        ticks = await self._pending.take(self._readers)
        return [tick for tick in ticks if isinstance(tick, Quote) or tick.t_ns >= self._since_ns]

    async def close(self) -> None:
        for reader in self._readers:
            reader.cancel()
        if self._readers:
            await asyncio.wait(self._readers)
        self._readers = []
        for line in self._lines:
            with suppress(*LOST):
                await asyncio.wait_for(line.stream.close(), CLOSE_SECONDS)
        self._lines = []

    def _made_lines(self, credentials: Credentials) -> list[_Line]:
        options = self._options
        stocks = [one for one in self._setup.instruments if not one.grid.is_crypto]
        crypto = [one for one in self._setup.instruments if one.grid.is_crypto]
        lines = []
        if stocks:
            stream = StockDataStream(
                *credentials, True, websocket_params=SOCKET, url_override=options.stock_stream
            )
            there = [one.name_there for one in stocks]
            stream.subscribe_trades(_unused, *there)
            stream.subscribe_quotes(_unused, *there)
            dialect = Dialect(
                _names(stocks),
                is_one_exchange=options.feed == "iex",
                quote_lot=options.quote_lot,
            )
            channels = {"trades": there, "quotes": there}
            lines.append(_Line(stream, channels, dialect))
        if crypto:
            pairs = CryptoDataStream(
                *credentials, True, websocket_params=SOCKET, url_override=options.crypto_stream
            )
            there = [one.name_there for one in crypto]
            pairs.subscribe_trades(_unused, *there)
            pairs.subscribe_orderbooks(_unused, *there)
            channels = {"trades": there, "orderbooks": there}
            dialect = Dialect(_names(crypto))
            lines.append(_Line(pairs, channels, dialect))
        return lines

    async def _read(self, line: _Line) -> None:
        """Put what the line tells where `receive` finds it, and at its end why it ended."""
        try:
            while True:
                ticks = line.ticks(await line.messages())
                if ticks:
                    await self._pending.put(ticks)
                if line.lost is not None:
                    raise line.lost
        except LOST as error:
            await self._pending.put(_away(error, self._setup.credentials))


def _names(instruments: Sequence[FeedInstrument]) -> dict[str, str]:
    return {one.name_there: one.grid.symbol for one in instruments}


async def _unused(message: object) -> None:
    """alpaca-py wants a handler for what is subscribed; we read the socket ourselves."""


def _reason(code: object, text: str) -> str:
    return REFUSED.get(code if isinstance(code, int) else 0, f"the source refuses: {text:.200}")


def _away(error: Exception, credentials: Credentials | None) -> FeedAwayError:
    """Why the source is away, in words for an operator; our key is never among them."""
    if isinstance(error, FeedAwayError):
        return error
    if isinstance(error, TimeoutError):
        return FeedAwayError("the source does not answer in time")
    text = without_key(str(error), credentials)
    if "auth failed" in text or "not authenticated" in text:
        return FeedAwayError(REFUSED[402])
    if "insufficient subscription" in text:
        return FeedAwayError(REFUSED[409])
    if "connection limit" in text:
        return FeedAwayError(REFUSED[406])
    return FeedAwayError(f"{type(error).__name__}: {text:.200}")
