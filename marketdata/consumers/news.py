"""What the dialect's sockets are told now and then: changed bars, the day's bar, halts, bands.

One watch of a topic for all sockets of a process: it reads what the hub brings anyway, makes the
few messages out of it and hands them on. Prices do not come this way.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

import msgspec
import structlog
from channels.db import database_sync_to_async
from django.db import DatabaseError

from core.domain.clock import Clock, SystemClock
from marketdata.consumers.forms import NOTHING, Codec
from marketdata.domain.dialect import BarWire, Fields, bar_fields
from marketdata.domain.market_news import (
    DayBarPace,
    PriceBand,
    StateChange,
    band_fields,
    status_fields,
)
from marketdata.domain.market_states import MarketState
from marketdata.domain.topics import bar_topic, book_topic
from marketdata.hub import AsgiEvent, Hub, Listener, Message, local_hub
from marketdata.selectors import is_in_volatility_pause, price_bands

logger = structlog.get_logger(__name__)

BAND_CHECK_SECONDS: Final = 2.0
"""How often the bands are looked up while somebody listens; a window of one lasts minutes."""
DAY_BAR: Final = "1Day"


class BookState(msgspec.Struct):
    """What a book event says of the market beside its levels."""

    state: MarketState
    t: datetime


_bar = msgspec.json.Decoder(BarWire)
_book = msgspec.json.Decoder(BookState)


class Bulletin:
    """One message, packed once for each codec."""

    __slots__ = ("_fields", "_packed")

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._packed: dict[str, str | bytes] = {}

    def packed(self, codec: Codec) -> str | bytes:
        found = self._packed.get(codec.name)
        if found is None:
            found = self._packed[codec.name] = codec.pack([self._fields])
        return found


Hear = Callable[[Bulletin], None]


class Watch:
    """Those who hear one channel of one symbol."""

    topic: str | None = None
    """What it reads; None for one that is told by others."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.hearers: dict[Hear, None] = {}
        self.last: Bulletin | None = None

    def read(self, message: Message) -> None:
        """Take an event or a snapshot of its topic; they come in order."""

    def tell(self, kind: str, fields: Fields) -> None:
        self.last = Bulletin({"T": kind, "S": self.symbol} | fields)
        for hear in list(self.hearers):
            hear(self.last)


class ChangedBars(Watch):
    """`u`: a closed bar that a late trade has changed."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.topic = bar_topic(symbol)

    def read(self, message: Message) -> None:
        if not message.is_snapshot:
            bar = _bar.decode(message.data)
            if bar.amended:
                self.tell("u", bar_fields(bar))


class DayBars(Watch):
    """`d`: the running day, once in each minute with trades, and when it has closed."""

    clock: Clock = SystemClock()

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.topic = f"bar:{symbol}:{DAY_BAR}"
        self._pace = DayBarPace()

    def read(self, message: Message) -> None:
        if not message.is_snapshot:
            bar = _bar.decode(message.data)
            if self._pace.is_due(self.clock.now(), is_closed=bar.closed):
                self.tell("d", bar_fields(bar))


class States(Watch):
    """`s`: the market has changed its state."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self.topic = book_topic(symbol)
        self._change = StateChange()
        self._in_turn = asyncio.Lock()
        self._explaining: set[asyncio.Task[None]] = set()

    def read(self, message: Message) -> None:
        if message.data in NOTHING:
            return
        book = _book.decode(message.data)
        if self._change.take(book.state):
            task = asyncio.create_task(self._explain(book))
            self._explaining.add(task)
            task.add_done_callback(self._explaining.discard)

    async def _explain(self, book: BookState) -> None:
        """Tell it with its reason; changes are told in the order in which they came."""
        async with self._in_turn:
            is_pause = False
            try:
                if book.state in {MarketState.AUCTION, MarketState.HALTED}:
                    is_pause = await database_sync_to_async(is_in_volatility_pause)(self.symbol)
            except DatabaseError as error:
                logger.warning("pause_reason_unknown", symbol=self.symbol, error=str(error))
            self.tell("s", status_fields(book.state, book.t, is_volatility_pause=is_pause))


class Bands(Watch):
    """`l`: the band in force. It is told to who comes later, too: the next may be minutes away."""

    def __init__(self, symbol: str) -> None:
        super().__init__(symbol)
        self._known: PriceBand | None = None

    def take(self, band: PriceBand) -> None:
        if band != self._known:
            self._known = band
            self.tell("l", band_fields(band))


NEWS_CHANNELS: Final[dict[str, type[Watch]]] = {
    "updatedBars": ChangedBars,
    "dailyBars": DayBars,
    "statuses": States,
    "lulds": Bands,
}


class _Overhear:
    """A hub form that sends nothing: it is asked about each message once, and reads it."""

    def __init__(self, name: str, read: Callable[[Message], None]) -> None:
        self.name = name
        self._read = read

    def event(self, message: Message) -> AsgiEvent | None:
        self._read(message)
        return None


class News:
    """Belongs to one event loop and its hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._watches: dict[tuple[str, str], tuple[Watch, Listener]] = {}
        self._bands: asyncio.Task[None] | None = None

    def follow(self, channel: str, symbol: str, hear: Hear) -> None:
        """Hand each message of a channel of NEWS_CHANNELS about `symbol` to `hear`."""
        key = (channel, symbol)
        if key not in self._watches:
            self._watches[key] = self._watching(channel, symbol)
        watch, _ = self._watches[key]
        watch.hearers[hear] = None
        if isinstance(watch, Bands) and watch.last is not None:
            hear(watch.last)

    def leave(self, channel: str, symbol: str, hear: Hear) -> None:
        watch, listener = self._watches[channel, symbol]
        watch.hearers.pop(hear, None)
        if watch.hearers:
            return
        del self._watches[channel, symbol]
        if watch.topic is not None:
            self._hub.unsubscribe(listener, watch.topic)
        if self._bands is not None and not self._of_bands():
            self._bands.cancel()
            self._bands = None

    def _watching(self, channel: str, symbol: str) -> tuple[Watch, Listener]:
        watch = NEWS_CHANNELS[channel](symbol)
        listener = Listener(_nowhere, _Overhear(f"{channel}:{symbol}", watch.read), _never)
        if watch.topic is not None:
            self._hub.subscribe(listener, watch.topic)
        elif self._bands is None:
            self._bands = asyncio.create_task(self._follow_bands())
        return watch, listener

    def _of_bands(self) -> dict[str, Bands]:
        watches = [watch for watch, _ in self._watches.values()]
        return {watch.symbol: watch for watch in watches if isinstance(watch, Bands)}

    async def _follow_bands(self) -> None:
        while True:
            try:
                found = await database_sync_to_async(price_bands)([*self._of_bands()])
            except DatabaseError as error:
                logger.warning("price_bands_unknown", error=str(error))
                found = {}
            watches = self._of_bands()
            for symbol, band in found.items():
                if symbol in watches:
                    watches[symbol].take(band)
            await asyncio.sleep(BAND_CHECK_SECONDS)


async def _nowhere(event: AsgiEvent) -> None:
    """Nothing is ever sent to a watch."""


def _never() -> None:
    """So it is never behind either."""


_news: WeakKeyDictionary[asyncio.AbstractEventLoop, News] = WeakKeyDictionary()


def local_news() -> News:
    """The running event loop's news (a gateway has one loop; tests have one each)."""
    loop = asyncio.get_running_loop()
    news = _news.get(loop)
    if news is None:
        news = _news[loop] = News(local_hub())
    return news
