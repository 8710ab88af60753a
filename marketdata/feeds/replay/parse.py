"""Lines of recorded days as events: LEAN's four kinds of file and plain CSV. Pure: lines in, events
out.

An event is a tuple, for a million of them pass here in a minute; it becomes a tick when its time
has come (feed.py). Prices of equities are ten-thousandths in LEAN's files.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any, Final, NamedTuple

from core.domain.clock import NANOSECONDS_PER_SECOND
from marketdata.domain.bars import MINUTE_NS
from marketdata.domain.lean_conditions import lean_flags
from marketdata.domain.values import Level

MILLISECOND_NS: Final = 1_000_000
LEVELS_KNOWN: Final = 100_000
"""Levels kept to be used again: prices and sizes repeat, and making one costs as much as the rest
of the line.
"""


class Kind(IntEnum):
    """Sorted as those of one moment are told: a quote before the trade at its price."""

    QUOTE = 0
    TRADE = 1
    BAR = 2


class Event(NamedTuple):
    """`t_ns` is the data's own time; `told` depends on the kind: (bids, asks), (number, price,
    size, exchange, flags), or (open, high, low, close, volume) of the minute that ends at `t_ns`.
    """

    t_ns: int
    order: int
    kind: Kind
    symbol: str
    told: tuple[Any, ...]  # Any: as the kind has it


@dataclass(frozen=True, slots=True)
class Stream:
    """Whose lines they are: the instrument, the day's midnight and the price unit of whole-number
    prices. `order` sorts streams at one moment.
    """

    symbol: str
    midnight_ns: int
    price_unit: Decimal = Decimal(1)
    order: int = 0
    first_number: int = 0


class BadLineError(ValueError):
    """A line is not what its file should hold; the text quotes it."""


def trade_ticks(lines: Iterable[str], stream: Stream) -> Iterator[Event]:
    """time, price, size, exchange, sale condition, suspicious; numbered by their line."""
    symbol, midnight_ns, order = stream.symbol, stream.midnight_ns, stream.order
    number = stream.first_number
    known: dict[str, int] = {}
    for line in lines:
        parts = line.rstrip("\r\n").split(",")
        try:
            at, price, size, exchange, conditions, is_suspicious = parts
            flags = known.get(conditions)
            if flags is None:
                flags = known[conditions] = lean_flags(conditions).value
            number += 1
            if is_suspicious == "1":
                continue
            told = (number, Decimal(price) * stream.price_unit, Decimal(size), exchange, flags)
            yield Event(midnight_ns + int(at) * MILLISECOND_NS, order, Kind.TRADE, symbol, told)
        except (ValueError, ArithmeticError) as error:
            raise BadLineError(f"no trade tick: {line!r}") from error


def quote_ticks(lines: Iterable[str], stream: Stream) -> Iterator[Event]:
    """time, bid, bid size, ask, ask size, exchange, condition, suspicious. A side of 0 is the one
    that did not change; until both were told there is no quote.
    """
    symbol, midnight_ns, order = stream.symbol, stream.midnight_ns, stream.order
    known: dict[tuple[str, str], tuple[Level, ...]] = {}
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    for line in lines:
        parts = line.split(",")
        try:
            at, bid, bid_size, ask, ask_size = parts[:5]
            if bid != "0":
                bids = known.get((bid, bid_size)) or _level(known, bid, bid_size, stream)
            if ask != "0":
                asks = known.get((ask, ask_size)) or _level(known, ask, ask_size, stream)
            t_ns = midnight_ns + int(at) * MILLISECOND_NS
        except (ValueError, ArithmeticError) as error:
            raise BadLineError(f"no quote tick: {line!r}") from error
        if bids and asks:
            yield Event(t_ns, order, Kind.QUOTE, symbol, (bids, asks))


def _level(
    known: dict[tuple[str, str], tuple[Level, ...]], price: str, size: str, stream: Stream
) -> tuple[Level, ...]:
    if len(known) >= LEVELS_KNOWN:
        known.clear()
    level = (Level(Decimal(price) * stream.price_unit, Decimal(size)),)
    known[price, size] = level
    return level


def trade_minutes(lines: Iterable[str], stream: Stream) -> Iterator[Event]:
    """time, open, high, low, close, volume; told when the minute is over."""
    for line in lines:
        try:
            at, *prices, volume = line.rstrip("\r\n").split(",")
            opened, high, low, close = (Decimal(price) * stream.price_unit for price in prices)
            t_ns = stream.midnight_ns + int(at) * MILLISECOND_NS + MINUTE_NS
            told = (opened, high, low, close, Decimal(volume))
        except (ValueError, ArithmeticError) as error:
            raise BadLineError(f"no minute of trades: {line!r}") from error
        yield Event(t_ns, stream.order, Kind.BAR, stream.symbol, told)


def quote_minutes(lines: Iterable[str], stream: Stream) -> Iterator[Event]:
    """time, bid open, high, low, close, last size, the same of the ask: the quote at the minute's
    end. A side without a close was not told.
    """
    for line in lines:
        try:
            parts = line.rstrip("\r\n").split(",")
            at, bid, bid_size, ask, ask_size = (parts[place] for place in (0, 4, 5, 9, 10))
            t_ns = stream.midnight_ns + int(at) * MILLISECOND_NS + MINUTE_NS
            told = (_side(bid, bid_size, stream), _side(ask, ask_size, stream))
        except (ValueError, ArithmeticError, IndexError) as error:
            raise BadLineError(f"no minute of quotes: {line!r}") from error
        if told[0] and told[1]:
            yield Event(t_ns, stream.order, Kind.QUOTE, stream.symbol, told)


def _side(price: str, size: str, stream: Stream) -> tuple[Level, ...]:
    if not price or not size or Decimal(price) <= 0 or Decimal(size) <= 0:
        return ()
    return (Level(Decimal(price) * stream.price_unit, Decimal(size)),)


class CsvColumns(NamedTuple):
    """Which column of a plain CSV holds what, counted from 0; None for one that there is not."""

    kind: Kind
    time: int
    fields: tuple[int, ...]
    """QUOTE: bid, bid size, ask, ask size. TRADE: price, size. BAR: open, high, low, close,
    volume, where `time` is the minute's start.
    """
    number: int | None = None


def csv_rows(
    rows: Iterable[list[str]], columns: CsvColumns, stream: Stream, time_of: Callable[[str], int]
) -> Iterator[Event]:
    """Events of a CSV's rows, which are in time order; `time_of` reads a time in nanoseconds."""
    number = stream.first_number
    for row in rows:
        number += 1
        try:
            t_ns = time_of(row[columns.time])
            values = [Decimal(row[place]) * 1 for place in columns.fields]
            told: tuple[Any, ...]  # Any: as the kind has it
            if columns.kind is Kind.QUOTE:
                bid, bid_size, ask, ask_size = values
                told = ((Level(bid, bid_size),), (Level(ask, ask_size),))
            elif columns.kind is Kind.TRADE:
                own = number if columns.number is None else int(row[columns.number])
                told = (own, *values, "", 0)
            else:
                t_ns, told = t_ns + MINUTE_NS, tuple(values)
        except (ValueError, ArithmeticError, IndexError) as error:
            raise BadLineError(f"not the columns of the option `columns`: {row!r}") from error
        yield Event(t_ns, stream.order, columns.kind, stream.symbol, told)


def seconds_to_ns(text: str) -> int:
    """Seconds since 1970, also with a fraction, as nanoseconds."""
    return int(Decimal(text) * NANOSECONDS_PER_SECOND)
