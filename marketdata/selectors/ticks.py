"""Stored trades and quotes of one instrument, page by page; each page is one index scan."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection

from core.domain.units import units_to_decimal


class TickKey(NamedTuple):
    """Where a page ended: the moment and number of its last row."""

    at: datetime
    number: int


class TradeView(NamedTuple):
    """One stored print. `side`: 1 buy, -1 sell, 0 unknown; `flags` are TradeFlag."""

    at: datetime
    number: int
    price: Decimal
    size: Decimal
    side: int
    feed_id: int
    flags: int
    exchange: str


class QuoteView(NamedTuple):
    """One stored best bid and ask; a side whose price is 0 was empty."""

    at: datetime
    number: int
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    feed_id: int


_TRADES: Final = """
    SELECT at, number, price_e8, size_e8, side, feed_id, flags, exchange FROM marketdata_trade
"""
_QUOTES: Final = """
    SELECT at, number, bid_e8, bid_size_e8, ask_e8, ask_size_e8, feed_id FROM marketdata_quote
"""
_WINDOW: Final = "WHERE instrument_id = %(instrument)s AND at >= %(start)s AND at <= %(end)s"
_AFTER: Final = {
    False: " AND (at, number) > (%(at)s, %(number)s)",
    True: " AND (at, number) < (%(at)s, %(number)s)",
}
_ORDER: Final = {
    False: " ORDER BY at, number LIMIT %(limit)s",
    True: " ORDER BY at DESC, number DESC LIMIT %(limit)s",
}


def trades_in(
    instrument_id: int,
    start: datetime,
    end: datetime,
    limit: int,
    newest_first: bool = False,
    after: tuple[datetime, int] | None = None,
) -> list[TradeView]:
    """At most `limit` stored prints from `start` to `end`, both included, by time and number.

    `after` is the key of the last row of the page before, in the same order.
    """
    return [
        TradeView(at, number, units_to_decimal(price), units_to_decimal(size), *rest)
        for at, number, price, size, *rest in _rows(
            _TRADES, (instrument_id, start, end, limit), newest_first, after
        )
    ]


def quotes_in(
    instrument_id: int,
    start: datetime,
    end: datetime,
    limit: int,
    newest_first: bool = False,
    after: tuple[datetime, int] | None = None,
) -> list[QuoteView]:
    """At most `limit` stored quotes; otherwise as `trades_in`."""
    rows = _rows(_QUOTES, (instrument_id, start, end, limit), newest_first, after)
    return [QuoteView._make((*row[:2], *map(units_to_decimal, row[2:6]), row[6])) for row in rows]


def _rows(
    select: str,
    window: tuple[int, datetime, datetime, int],
    newest_first: bool,
    after: tuple[datetime, int] | None,
) -> list[tuple[Any, ...]]:  # Any: the columns of a row
    """The bounds are written into the statement, so that the planner leaves out other days."""
    instrument_id, start, end, limit = window
    condition = _WINDOW
    if after is not None:
        condition += _AFTER[newest_first]
        start, end = (start, min(end, after[0])) if newest_first else (max(start, after[0]), end)
    at, number = after or (start, 0)
    values: dict[str, int | datetime] = {
        "instrument": instrument_id,
        "start": start,
        "end": end,
        "limit": limit,
        "at": at,
        "number": number,
    }
    statement = select + condition + _ORDER[newest_first]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
