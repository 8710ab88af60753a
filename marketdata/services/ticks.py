"""Keeps the running feed's trades, quotes and one-second bars in their day partitions.

Each call is one statement. Saving the same rows again changes nothing, so a caller that does not
know whether they were committed saves them again. Imports have a faster way (services/importing).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from operator import attrgetter
from typing import Any, Final, TypeVar

from django.db import connection, transaction

from core.batch_columns import WriteRows, insert, number, text, time, upsert
from marketdata.domain.bars import DAY_NS
from marketdata.domain.stored import QuoteRow, SecondRow, TradeRow, is_fuller
from marketdata.models import TickDay
from marketdata.services.partitions import ensure_days

EPOCH: Final = date(1970, 1, 1)

Row = TypeVar("Row")


def save_trades(rows: Sequence[TradeRow]) -> int:
    """Store prints and return how many are new; one whose instrument, microsecond and number are
    there already stays as it was. Makes partitions that are missing.

    Raises IntegrityError and DataError for what no print can be: a price of zero, a number beyond
    64 bits. Then nothing of `rows` is stored.
    """
    return _save(TickDay.Table.TRADE, _TRADES, rows, (row.t_ns for row in rows))


def save_quotes(rows: Sequence[QuoteRow]) -> int:
    """Store best bids and asks and return how many are new; otherwise as `save_trades`."""
    return _save(TickDay.Table.QUOTE, _QUOTES, rows, (row.t_ns for row in rows))


def save_seconds(rows: Sequence[SecondRow]) -> int:
    """Store one-second bars and return how many were written. A second that is there already is
    replaced by one of more trades, or by an amendment of it (`is_fuller`).
    """
    fullest: dict[tuple[int, int], SecondRow] = {}
    for row in rows:
        key = (row.instrument_id, row.start_ns)
        if key not in fullest or is_fuller(row, fullest[key]):
            fullest[key] = row
    kept = [*fullest.values()]
    return _save(TickDay.Table.SECOND_BAR, _SECONDS, kept, (row.start_ns for row in kept))


def utc_day(t_ns: int) -> date:
    """The UTC day of a moment: which partition it lies in."""
    return EPOCH + timedelta(days=t_ns // DAY_NS)


def _save(
    table: TickDay.Table, write: WriteRows[Row], rows: Sequence[Row], moments: Iterable[int]
) -> int:
    if not rows:
        return 0
    ensure_days(table, {EPOCH + timedelta(days=day) for day in {t // DAY_NS for t in moments}})
    statement = write(rows)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.values)
        return int(cursor.rowcount)


def _each(name: str) -> Callable[[Iterable[Any]], list[Any]]:  # Any: rows and values of any kind
    get = attrgetter(name)
    return lambda rows: [get(row) for row in rows]


def _numbers(*names: str) -> list[Any]:  # Any: Column is generic in its row
    return [number(name, _each(name)) for name in names]


def _new_only(write: WriteRows[Row]) -> WriteRows[Row]:
    return replace(write, sql=f"{write.sql} ON CONFLICT DO NOTHING")


_TRADES: Final = _new_only(
    insert(
        TickDay.Table.TRADE.value,
        [
            *_numbers("instrument_id"),
            time("at", _each("t_ns")),
            *_numbers("number", "price_e8", "size_e8", "side", "feed_id", "flags"),
            text("exchange", _each("exchange")),
        ],
    )
)
_QUOTES: Final = _new_only(
    insert(
        TickDay.Table.QUOTE.value,
        [
            *_numbers("instrument_id"),
            time("at", _each("t_ns")),
            *_numbers("number", "bid_e8", "bid_size_e8", "ask_e8", "ask_size_e8", "feed_id"),
        ],
    )
)
_WHOLE_SECONDS = upsert(
    TickDay.Table.SECOND_BAR.value,
    key=[*_numbers("instrument_id"), time("start", _each("start_ns"))],
    changing=_numbers(
        *("open_e8", "high_e8", "low_e8", "close_e8", "volume_e8", "trade_count"),
        *("turnover_e8", "feed_id"),
    ),
)
_SECONDS: Final = replace(
    _WHOLE_SECONDS,
    sql=f"""{_WHOLE_SECONDS.sql}
        WHERE excluded.trade_count > marketdata_secondbar.trade_count
        OR (excluded.trade_count, excluded.volume_e8, excluded.turnover_e8)
           = (marketdata_secondbar.trade_count, marketdata_secondbar.volume_e8,
              marketdata_secondbar.turnover_e8)
        AND excluded.high_e8 >= marketdata_secondbar.high_e8
        AND excluded.low_e8 <= marketdata_secondbar.low_e8
        AND (excluded.open_e8, excluded.high_e8, excluded.low_e8, excluded.close_e8)
            <> (marketdata_secondbar.open_e8, marketdata_secondbar.high_e8,
                marketdata_secondbar.low_e8, marketdata_secondbar.close_e8)
    """,
)
"""The rule of `is_fuller`."""
