"""What ccxt gives - order books, trades and bars in its own shapes - as quotes, trades and bars.

ccxt makes numbers floats: a number of up to 15 digits is the one that the exchange sent, a longer
one is the nearest float. Times have milliseconds.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from marketdata.domain.bars import Bar
from marketdata.domain.told_numbers import LARGEST_NUMBER, TellingError, TradeNumbers, decimal_of
from marketdata.domain.values import DEPTH_LEVELS, Aggressor, Level, Quote, Trade

NANOSECONDS_PER_MILLISECOND = 1_000_000
REMEMBERED_TRADES = 5_000
"""Of an instrument's last trades: exchanges send what we have had when we ask or connect again."""
NAMELESS = ("timestamp", "price", "amount", "side")
"""What trades without an id are told apart by."""
LEVEL_PARTS = 2
AGGRESSORS = {"buy": Aggressor.BUY, "sell": Aggressor.SELL}
Told = Mapping[str, Any]  # Any: ccxt's structures


def quote_of(symbol: str, book: Told, received_ns: int) -> Quote:
    """The best levels of an order book. Its time is when it came where the exchange tells none."""
    t_ms = book.get("timestamp")
    return Quote(
        symbol=symbol,
        bids=_levels(book.get("bids")),
        asks=_levels(book.get("asks")),
        t_ns=received_ns if t_ms is None else _nanoseconds(t_ms),
    )


class BookStream:
    """The order books of one instrument. One without a time that says what the last one said may
    be an answer out of the exchange's cache: it tells nothing new.
    """

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._last: object = None

    def take(self, book: Told, received_ns: int) -> Quote | None:
        """The best levels; None for a book without a time that repeats the last one in its best
        levels and its number (`nonce`).
        """
        quote = quote_of(self._symbol, book, received_ns)
        said = (quote.bids, quote.asks, book.get("nonce"))
        is_repeated = book.get("timestamp") is None and said == self._last
        self._last = said
        return None if is_repeated else quote


def _levels(side: object) -> tuple[Level, ...]:
    if not isinstance(side, Sequence):
        raise TellingError("a book without a side")
    levels: list[Level] = []
    for told in side:
        if not isinstance(told, Sequence) or len(told) < LEVEL_PARTS:
            raise TellingError("a level that is no price and size")
        level = Level(decimal_of(told[0]), decimal_of(told[1]))
        if level.price <= 0 or level.size < 0:
            raise TellingError(f"a level of {level.size} at {level.price}")
        if level.size:
            levels.append(level)
        if len(levels) == DEPTH_LEVELS:
            break
    return tuple(levels)


class TradeStream:
    """The trades of one instrument, each once, whatever the exchange repeats.

    The exchange's id is the trade's number where it is a whole number; other trades are numbered by
    their time. Trades without an id are told apart by time, price, size and side: of those that are
    the same, an answer tells as many as it has more than every answer before it.
    """

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._numbers = TradeNumbers()
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._nameless: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def fresh(self, answer: Iterable[Told]) -> list[Told]:
        """Those of an exchange's newest trades that no answer before had, as far as they have no
        id; those that have one `take` tells apart. For answers that overlap: a socket tells each
        trade once.
        """
        counts: Counter[tuple[str, ...]] = Counter()
        found: list[Told] = []
        for told in answer:
            if told.get("id") is None:
                key = tuple(str(told.get(name)) for name in NAMELESS)
                counts[key] += 1
                if counts[key] <= self._nameless.get(key, 0):
                    continue
            found.append(told)
        for key, count in counts.items():
            self._nameless[key] = max(count, self._nameless.pop(key, 0))
        while len(self._nameless) > max(REMEMBERED_TRADES, len(counts)):
            self._nameless.popitem(last=False)
        return found

    def take(self, told: Told, since_ns: int) -> Trade | None:
        """The trade; None for one that was told before, or that happened before `since_ns`."""
        trade_id = told.get("id")
        if trade_id is not None and not self._is_first(str(trade_id)):
            return None
        t_ns = _nanoseconds(told.get("timestamp"))
        return self._trade(told, t_ns) if t_ns >= since_ns else None

    def _is_first(self, trade_id: str) -> bool:
        if trade_id in self._seen:
            return False
        self._seen[trade_id] = None
        if len(self._seen) > REMEMBERED_TRADES:
            self._seen.popitem(last=False)
        return True

    def _trade(self, told: Told, t_ns: int) -> Trade:
        price, size = decimal_of(told.get("price")), decimal_of(told.get("amount"))
        if price <= 0 or size <= 0:
            raise TellingError(f"a trade of {size} at {price}")
        number = whole_number(told.get("id"))
        return Trade(
            symbol=self._symbol,
            trade_id=self._numbers.next(t_ns) if number is None else number,
            price=price,
            size=size,
            side=AGGRESSORS.get(str(told.get("side"))),
            t_ns=t_ns,
        )


def bar_of(symbol: str, told: Sequence[Any]) -> Bar:  # Any: ccxt's [ms, o, h, l, c, v]
    """A closed bar. Exchanges tell neither how many trades it had nor their average price."""
    t_ms, open_, high, low, close, volume = told[:6]
    return Bar(
        symbol=symbol,
        start_ns=_nanoseconds(t_ms),
        open=decimal_of(open_),
        high=decimal_of(high),
        low=decimal_of(low),
        close=decimal_of(close),
        volume=Decimal(0) if volume is None else decimal_of(volume),
        trade_count=0,
        vwap=None,
        is_closed=True,
    )


def whole_number(trade_id: object) -> int | None:
    """An exchange's id as a number that we can store, if it is one."""
    text = str(trade_id)
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_NUMBER)):
        return None
    number = int(text)
    return number if number <= LARGEST_NUMBER else None


def _nanoseconds(t_ms: object) -> int:
    if isinstance(t_ms, bool) or not isinstance(t_ms, int):
        raise TellingError(f"{t_ms!r:.40} is no time")
    return t_ms * NANOSECONDS_PER_MILLISECOND
