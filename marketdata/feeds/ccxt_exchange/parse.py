"""What ccxt gives - order books, trades and bars in its own shapes - as quotes, trades and bars.

ccxt makes numbers floats: a number of up to 15 digits is the one that the exchange sent, a longer
one is the nearest float. Times have milliseconds.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from marketdata.domain.bars import Bar
from marketdata.domain.told_numbers import LARGEST_NUMBER, TellingError, TradeNumbers, decimal_of
from marketdata.domain.values import DEPTH_LEVELS, Aggressor, Level, Quote, Trade

NANOSECONDS_PER_MILLISECOND = 1_000_000
REMEMBERED_TRADES = 5_000
"""Ids of an instrument's last trades: exchanges send what we have had when we connect again."""
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
    their time.
    """

    def __init__(self, symbol: str) -> None:
        self._symbol = symbol
        self._numbers = TradeNumbers()
        self._seen: OrderedDict[str, None] = OrderedDict()

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
