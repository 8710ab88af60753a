"""Messages of the Alpaca dialect as quotes, trades and bars. Pure: the same messages, the same
ticks.

Prices and sizes are those that were sent; nothing is rounded and nothing is filled in. A message
that cannot be right raises TellingError; one of an order book FeedAwayError, because the book that
it changes is unknown from then on.
"""

import heapq
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from marketdata.domain.bars import Bar
from marketdata.domain.ports import FeedAwayError
from marketdata.domain.told_numbers import (
    LARGEST_NUMBER,
    TellingError,
    TradeNumbers,
    decimal_of,
    rfc3339_ns,
)
from marketdata.domain.trade_conditions import TradeFlag
from marketdata.domain.values import DEPTH_LEVELS, Aggressor, Level, Quote, Tick, Trade

Message = Mapping[str, Any]  # Any: JSON or msgpack of the dialect

ZERO = Decimal(0)
MAX_BOOK_LEVELS = 10_000
"""A side of an order book; the largest have some thousand. One that grows beyond it has lost what
takes levels away.
"""
AGGRESSORS = {"B": Aggressor.BUY, "S": Aggressor.SELL}
BUNCHED_TAPE = "C"
"""On Nasdaq's tape `B` is a bunched trade, which moves everything; elsewhere an average price."""
CONDITIONS = {
    "B": TradeFlag.NO_PRICE,  # average price
    "W": TradeFlag.NO_PRICE,  # average price
    "C": TradeFlag.NO_PRICE,  # cash
    "N": TradeFlag.NO_PRICE,  # next day
    "R": TradeFlag.NO_PRICE,  # seller
    "G": TradeFlag.NO_PRICE,  # bunched, sold
    "H": TradeFlag.NO_PRICE,  # price variation
    "I": TradeFlag.NO_PRICE,  # odd lot
    "P": TradeFlag.NO_PRICE,  # prior reference price
    "V": TradeFlag.NO_PRICE,  # contingent
    "Z": TradeFlag.NO_PRICE,  # out of sequence
    "4": TradeFlag.NO_PRICE,  # derivatively priced
    "7": TradeFlag.NO_PRICE,  # qualified contingent
    "T": TradeFlag.EXTENDED,
    "U": TradeFlag.EXTENDED | TradeFlag.NO_PRICE,  # extended hours, out of sequence
    "M": TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME,  # official close
    "Q": TradeFlag.NO_PRICE | TradeFlag.NO_VOLUME,  # official open
    "9": TradeFlag.NO_VOLUME,  # corrected close
    "6": TradeFlag.CLOSING,
}
"""Conditions of the consolidated tape (CTA and UTP plans) that make a print other than usual."""


class Dialect:
    """Turns the messages of one connection into ticks; keeps each pair's order book between them.

    `names` maps the source's symbols to ours; messages of other symbols give nothing. With
    `is_one_exchange` the source's trade ids are taken over, otherwise two exchanges may give the
    same id and trades are numbered by their time.
    """

    def __init__(
        self, names: Mapping[str, str], *, is_one_exchange: bool = True, quote_lot: int = 1
    ) -> None:
        self._names = names
        self._quote_lot = quote_lot
        self._is_one_exchange = is_one_exchange
        self._numbers = {there: TradeNumbers() for there in names}
        self._books: dict[str, _Book] = {}

    def tick(self, message: Message) -> Tick | None:
        """The tick that a message tells; None for one that tells none. After a FeedAwayError the
        book is forgotten: it begins anew with a new connection.
        """
        there = _text(message, "S", "")
        symbol = self._names.get(there)
        if symbol is None:
            return None
        match message.get("T"):
            case "t":
                return self._trade(symbol, there, message)
            case "q":
                return self._quote(symbol, message)
            case "o":
                return self._book(symbol, there, message)
        return None

    def forget_books(self) -> None:
        """After a new connection each book begins with the whole one that the source sends."""
        self._books.clear()

    def _trade(self, symbol: str, there: str, message: Message) -> Trade:
        t_ns = time_of(message)
        number = message.get("i")
        if not self._is_one_exchange or number is None:
            number = self._numbers[there].next(t_ns)
        elif not isinstance(number, int) or not 0 <= number <= LARGEST_NUMBER:
            raise TellingError(f"{number!r:.40} is no trade id")
        return Trade(
            symbol=symbol,
            trade_id=number,
            price=_positive(message, "p"),
            size=_positive(message, "s"),
            side=AGGRESSORS.get(_text(message, "tks", "")),
            t_ns=t_ns,
            exchange=_text(message, "x", "")[:4],
            flags=flags_of(message),
        )

    def _quote(self, symbol: str, message: Message) -> Quote:
        return Quote(
            symbol=symbol,
            bids=_side(_amount(message, "bp"), _amount(message, "bs") * self._quote_lot),
            asks=_side(_amount(message, "ap"), _amount(message, "as") * self._quote_lot),
            t_ns=time_of(message),
        )

    def _book(self, symbol: str, there: str, message: Message) -> Quote | None:
        book = _Book() if message.get("r") is True else self._books.get(there)
        if book is None:  # changes of a book whose beginning we have not seen
            return None
        try:
            t_ns = time_of(message)
            book.change(message)
        except TellingError as error:
            self._books.pop(there, None)
            raise FeedAwayError(f"the order book of {there} cannot be right: {error}") from error
        self._books[there] = book
        return Quote(symbol=symbol, bids=book.bids(), asks=book.asks(), t_ns=t_ns)


class _Book:
    """Sizes by price, as the source has told them."""

    def __init__(self) -> None:
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}

    def change(self, message: Message) -> None:
        """Take the message's levels in, all of them or, with a TellingError, none."""
        changes = [(self._bids, _levels(message, "b")), (self._asks, _levels(message, "a"))]
        for side, levels in changes:
            for price, size in levels:
                if size:
                    side[price] = size
                else:
                    side.pop(price, None)
            if len(side) > MAX_BOOK_LEVELS:
                raise TellingError(f"it has more than {MAX_BOOK_LEVELS:,} levels a side")

    def bids(self) -> tuple[Level, ...]:
        best = heapq.nlargest(DEPTH_LEVELS, self._bids)
        return tuple(Level(price, self._bids[price]) for price in best)

    def asks(self) -> tuple[Level, ...]:
        best = heapq.nsmallest(DEPTH_LEVELS, self._asks)
        return tuple(Level(price, self._asks[price]) for price in best)


def bar_of(symbol: str, message: Message) -> Bar:
    """A closed bar, as history and the channel `bars` tell it."""
    average = message.get("vw")
    return Bar(
        symbol=symbol,
        start_ns=time_of(message),
        open=_positive(message, "o"),
        high=_positive(message, "h"),
        low=_positive(message, "l"),
        close=_positive(message, "c"),
        volume=_amount(message, "v"),
        trade_count=int(_amount(message, "n")) if message.get("n") is not None else 0,
        vwap=None if average is None else decimal_of(average),
        is_closed=True,
    )


def flags_of(message: Message) -> int:
    """What a print may move, from its conditions and its tape."""
    told = message.get("c") or ()
    flags = TradeFlag.NONE
    for condition in told if isinstance(told, list | tuple) else ():
        if condition == "B" and message.get("z") == BUNCHED_TAPE:
            continue
        flags |= CONDITIONS.get(str(condition), TradeFlag.NONE)
    return int(flags)


def time_of(message: Message) -> int:
    """The message's time in nanoseconds: a text in JSON, a whole number out of msgpack."""
    t = message.get("t")
    if isinstance(t, str):
        return rfc3339_ns(t)
    if isinstance(t, bool) or not isinstance(t, int):
        raise TellingError("a message without a time")
    return t


def _levels(message: Message, key: str) -> Sequence[Level]:
    """The levels of one side; a size of 0 takes a level away."""
    levels = message.get(key) or ()
    if not isinstance(levels, list | tuple):
        raise TellingError(f"{key} is no list of levels")
    return [Level(_positive(level, "p"), _amount(level, "s")) for level in levels]


def _side(price: Decimal, size: Decimal) -> tuple[Level, ...]:
    """Empty where nobody quotes, which the dialect writes as zero."""
    return (Level(price, size),) if price and size else ()


def _text(message: Message, key: str, default: str) -> str:
    value = message.get(key, default)
    return value if isinstance(value, str) else default


def _amount(message: object, key: str) -> Decimal:
    value = decimal_of(message.get(key)) if isinstance(message, Mapping) else ZERO - 1
    if value < ZERO:
        raise TellingError(f"{key} is below zero or missing")
    return value


def _positive(message: object, key: str) -> Decimal:
    value = _amount(message, key)
    if not value:
        raise TellingError(f"{key} is zero")
    return value
